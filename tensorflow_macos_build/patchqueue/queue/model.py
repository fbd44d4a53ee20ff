"""A queue of patches as a value."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.queue import names, picks

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.formats.patch import Header, Patch
    from tensorflow_macos_build.patchqueue.queue.picks import Pick


@dataclass(frozen=True, slots=True)
class QueueBase:
    """What a queue applies to.

    Attributes:
        upstream: a URL or path of the upstream repository, or `embedded:`.
        ref: the upstream tag or branch that people know it by.
        commit: the full id of the commit that the ref named when the queue was made.
    """

    upstream: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class QueuePatch:
    """One patch of a queue.

    Attributes:
        name: its file's name.
        content: the file's bytes.
        patch: what they say.
    """

    name: str
    content: bytes
    patch: Patch

    @property
    def header(self) -> Header:
        """Who wrote it, and its message."""
        return self.patch.header


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: picks, then patches in order, and the commit they apply to.

    Attributes:
        name: the folder's name.
        base: what the first of them applies to.
        patches: in the order of application.
        folder: where it was read from.
        picks: the changes that are taken by reference, before the patches.
    """

    name: str
    base: QueueBase
    patches: tuple[QueuePatch, ...]
    folder: Path
    picks: tuple[Pick, ...] = ()

    @property
    def digest(self) -> str:
        """Name what the queue says: its base, and its picks and patches in order, as a SHA-256."""
        # every part is ended or measured, so that no two queues are the same bytes to the digest
        digest = hashlib.sha256()
        base = self.base
        # no patch is called `/picks`: a name of a series has no slash
        of_picks = [*picks.digest_parts(self.picks)]
        head = ("/picks", str(len(of_picks)), *of_picks) if of_picks else ()
        for text in (base.upstream, base.ref, base.commit, *head):
            digest.update(b"%s\0" % text.encode("utf-8", "surrogateescape"))
        for patch in self.patches:
            digest.update(b"%s\0%d\0" % (os.fsencode(patch.name), len(patch.content)))
            digest.update(patch.content)
        return digest.hexdigest()

    @property
    def names(self) -> list[str]:
        """The names of its picks and patches, in the order of application."""
        return [*(pick.name for pick in self.picks), *(patch.name for patch in self.patches)]

    def position(self, name: str) -> int:
        """Return the position in `names` of what somebody means by `name` (`names.position`).

        Raises:
            UsageError: no pick or patch is called so, or several are.
        """
        return names.position(self.names, name)


@dataclass(frozen=True, slots=True)
class QueueCommit:
    """A pick or a patch of a queue as a commit; its change is that against its parent.

    Attributes:
        name: its pick's name, or its file's in the queue.
        commit: the full id of the commit that it is on the old base; of a pick that of its own
            change, where it was made.
        subject: its subject.
        message: its whole message, trailers included.
        pick: of a pick, the full id of the upstream commit that it takes; "" for a patch.
    """

    name: str
    commit: str
    subject: str
    message: str
    pick: str = ""


def encoded(name: str) -> str:
    """Return a queue's name as one that references and files can have.

    No two names give the same one, not even where a file system takes `A` for `a`.
    """
    # git lets the name of a reference hold `%`, and not `~`, `^`, `:` or `..`
    # (git-check-ref-format(1))
    plain = re.sub(rb"[^a-z0-9_-]", lambda byte: b"%%%02x" % byte[0][0], os.fsencode(name))
    return plain.decode()


def work_name(folder: Path) -> str:
    """Return the name of the folders that work on a queue is done in.

    Queues in folders that are not called `patches` get a digest of their path behind the name, so
    that queues of one name do not meet.
    """
    real = folder.resolve()
    digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:10]
    return encoded(real.name) + ("" if real.parent.name == "patches" else f"+{digest}")

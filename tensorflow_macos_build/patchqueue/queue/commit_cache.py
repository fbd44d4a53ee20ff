"""A queue as commits that are kept: parsed and made once, found again while its files are the same.

The commits of a queue depend on its files alone. They stay in the mirror under
`refs/tensorflow_macos_build/queue/<queue>/<digest of the files>`; the newest of each queue.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import revisions
from tensorflow_macos_build.git.objects import decode_path
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue import materialise, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueCommit, encoded
from tensorflow_macos_build.upstream import refs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase

_SPACE = f"{refs.SPACE}/queue"
_FORM = "1"
"""Raised when the same files would make other commits, so that older ones are not found."""


def of_queue(queue: Queue, git: Git) -> tuple[QueueCommit, ...]:
    """Return a queue's patches as commits of the repository.

    Raises:
        WorkFailed: a patch does not apply to its own base, or the repository lacks an object.
    """
    contents = [(patch.name, patch.content) for patch in queue.patches]
    ref = _ref(queue.name, queue.base, contents)
    names = [name for name, _ in contents]
    return _known(git, ref, queue.base, names) or _make(queue, git, ref)


def of_folder(folder: Path, git: Git) -> tuple[QueueBase, tuple[QueueCommit, ...]]:
    """Return a queue's base and its patches as commits; its files are parsed only when new.

    Raises:
        UsageError: the folder is no queue.
        WorkFailed: as for `of_queue`, or a patch file is damaged.
    """
    base, contents = storage.load_contents(folder)
    ref = _ref(folder.resolve().name, base, contents)
    if known := _known(git, ref, base, [name for name, _ in contents]):
        return base, known
    queue = storage.load(folder)
    return queue.base, of_queue(queue, git)


def _ref(name: str, base: QueueBase, contents: Iterable[tuple[str, bytes]]) -> str:
    # sizes part the files: two queues whose files join to the same bytes have two references
    digest = hashlib.sha256(f"{_FORM} {base.commit}\n".encode())
    for patch, content in contents:
        digest.update(f"{patch} {len(content)}\n".encode())
        digest.update(content)
    return f"{_SPACE}/{encoded(name)}/{digest.hexdigest()}"


def _known(git: Git, ref: str, base: QueueBase, names: Sequence[str]) -> tuple[QueueCommit, ...]:
    """Return the commits kept under a reference; none where there are none."""
    if revisions.find(git, ref) is None:
        return ()
    form = "--format=%H%n%s%n%B"
    out = git.out("log", "-z", "--reverse", "--topo-order", form, ref, f"^{base.commit}", "--")
    records = [decode_path(record).split("\n", 2) for record in out.split(b"\0") if record]
    if len(records) != len(names):  # no commits of these files, whoever wrote the reference
        return ()
    return tuple(
        QueueCommit(name, commit, subject, message)
        for name, (commit, subject, message) in zip(names, records, strict=True)
    )


def _make(queue: Queue, git: Git, ref: str) -> tuple[QueueCommit, ...]:
    with open_quarantine(git) as quarantine:
        made = materialise.queue_commits(queue, quarantine.git)
        if made:
            quarantine.keep([made[-1].commit], [queue.base.commit])
    if made:
        # last: a kill before leaves objects that nothing refers to, and never a reference without
        # them
        _keep(git, ref, made[-1].commit)
    return made


def _keep(git: Git, ref: str, tip: str) -> None:
    """Point a reference at the newest commit of a queue; the queue's older states are let go."""
    # a queue changes all the time, and each state would keep its objects alive for ever
    folder = ref.rpartition("/")[0]
    with refs.alone(git):
        old = git.line("for-each-ref", "--format=%(refname)", folder).split()
        deletions = "".join(f"delete {name}\n" for name in old if name != ref)
        stdin = f"{deletions}update {ref} {tip}\n".encode()
        git.run("update-ref", "--no-deref", "--stdin", stdin=stdin)

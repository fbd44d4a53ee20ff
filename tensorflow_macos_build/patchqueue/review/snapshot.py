"""A queue as it lies on the disk, or as it lay at a revision of the checkout's own history."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
from tensorflow_macos_build.patchqueue.review.rangediff import QueueEntry

if TYPE_CHECKING:
    from pathlib import Path


def entries(place: str) -> tuple[QueueEntry, ...]:
    """Read the patches of a queue.

    Args:
        place: a name, a path, or `REVISION:PATH` of the checkout's own history.

    Raises:
        UsageError: there is no such queue or revision.
        Refused: one of its patches cannot be read.
    """
    revision, colon, path = place.partition(":")
    if not colon:
        return _entries(queue_folder(place))
    with temporary.scratch("snapshot") as scratch:
        _extract(revision, path.rstrip("/"), scratch)
        return _entries(scratch)


def _entries(folder: Path) -> tuple[QueueEntry, ...]:
    return tuple(
        QueueEntry(patch.name, patch.patch.header.subject, patch.content.decode("utf-8", "replace"))
        for patch in storage.load(folder).patches
    )


def _extract(revision: str, path: str, target: Path) -> None:
    """Write the files that lie directly in a folder of a revision."""
    git = commit_range.repository(checkout.root())
    try:
        listing = git.out("ls-tree", "-z", "--end-of-options", f"{revision}:{path}")
    except WorkFailed as error:
        raise UsageError(
            "there is no such folder at that revision",
            where=f"{revision}:{path}",
            detail=error.detail,
            hint="name them as git does, for example origin/main:patches/demo",
        ) from None
    for line in listing.decode("utf-8", "surrogateescape").split("\0")[:-1]:
        _, kind, rest = line.split(" ", 2)
        ident, _, name = rest.partition("\t")
        if kind == "blob":
            (target / name).write_bytes(git.out("cat-file", "blob", ident))

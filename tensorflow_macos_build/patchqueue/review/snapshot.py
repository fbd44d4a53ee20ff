"""A queue's patches as they lie on the disk, or lay at a revision of the checkout's own history."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from tensorflow_macos_build import checkout
from tensorflow_macos_build.patchqueue.queue import commit_range, picks, storage
from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
from tensorflow_macos_build.patchqueue.review.rangediff import QueueEntry

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.queue.model import Queue


def queue_of(name: str) -> Queue:
    """Read a queue.

    Args:
        name: a name, a path, or `REVISION:PATH` of the checkout's own history.

    Raises:
        UsageError: there is no such queue or revision.
        Refused: one of its patches cannot be read.
    """
    # as git writes it (gitrevisions(7)); a folder with a colon in its name cannot be named here
    revision, colon, path = name.partition(":")
    if colon:
        git = commit_range.repository(checkout.root())
        return storage.load_revision(git, revision, path.rstrip("/"))
    return storage.load(queue_folder(name))


def entries(queue: Queue) -> tuple[QueueEntry, ...]:
    """Return the patches of a queue as they are compared and shown."""
    picked = (
        QueueEntry(pick.name, pick.name, yaml.safe_dump(picks.as_table(pick), sort_keys=False))
        for pick in queue.picks
    )
    return *picked, *(
        # only compared and shown, so that what is no UTF-8 need not come back as it was
        QueueEntry(patch.name, patch.patch.header.subject, patch.content.decode("utf-8", "replace"))
        for patch in queue.patches
    )

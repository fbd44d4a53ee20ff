"""Fetching the file contents that a queue needs in one request, for a partial clone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.patchqueue import plumbing, ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.compose import Step
    from tensorflow_macos_build.patchqueue.queue import Queue
    from tensorflow_macos_build.upstream.git import Git
    from tensorflow_macos_build.upstream.handle import Mirror


def for_queue(queue: Queue, mirror: Mirror, ticker: Ticker = silent) -> None:
    """Make present what the queue's patches touch in their base.

    Raises:
        UsageError: upstream has no such commit.
        transfer.Unreachable: the server could not be asked.
    """
    commit = mirror.resolve(queue.base.commit, ticker)
    if mirror.url is not None:
        files = plumbing.tree(mirror, commit)
        touched = {change.old_path for patch in queue.patches for change in patch.patch.changes}
        mirror.fetch_blobs((files[path].oid for path in touched if path in files), ticker)


def for_range(mirror: Mirror, first: str, last: str, ticker: Ticker = silent) -> None:
    """Make present both sides of everything that changed between two commits.

    Raises:
        UsageError: upstream has no such commit.
        transfer.Unreachable: the server could not be asked.
    """
    base, tip = mirror.resolve(first, ticker), mirror.resolve(last, ticker)
    if mirror.url is not None:
        history = ranges.read(mirror, base, tip)
        pairs = [(step.before, step.after) for step in history.steps]
        before, after = plumbing.blob_ids(mirror, pairs)
        mirror.fetch_blobs(before | after, ticker)


def for_steps(steps: Sequence[Step], mirror: Mirror, git: Git, ticker: Ticker = silent) -> None:
    """Make present what steps change of their base, which upstream has.

    Args:
        steps: the patches; their trees need not be upstream's.
        mirror: upstream.
        git: sees all trees of the steps.
        ticker: told what is fetched.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if mirror.url is not None:
        before, _ = plumbing.blob_ids(git, [(step.before, step.after) for step in steps])
        mirror.fetch_blobs(before, ticker)

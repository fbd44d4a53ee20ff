"""A queue and its upstream, opened together: the one way to do it.

The upstream is opened, names become commits, and the file contents that the work reads come in one
request, under the one patience with a bad network (`upstream.patience.TransferRetry`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tensorflow_macos_build import temporary
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.patchqueue.queue import prefetch, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.upstream import mirror, pulls

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.upstream.mirror import Mirror


@dataclass(frozen=True)
class OpenedQueue:
    """A queue's folder, and the repository that has its base.

    Attributes:
        folder: the queue's folder.
        base: what the queue applies to.
        mirror: its upstream.
    """

    folder: Path
    base: QueueBase
    mirror: Mirror

    # it writes into __dict__, past the __setattr__ that makes the class frozen
    @cached_property
    def queue(self) -> Queue:
        """The queue as it was when its patches were first asked for.

        A rebase that writes nothing back takes its commits from the cache, and a condition is
        decided without patches: so they are not parsed before somebody asks.

        Raises:
            UsageError: the folder is no queue.
            Refused: a patch file is damaged.
        """
        return storage.load(self.folder)

    def prepare(
        self, onto: Sequence[str] = (), ticker: Ticker = silent, *, lenient: bool = False
    ) -> None:
        """Make present what work on the queue reads, and a move of it to revisions.

        Args:
            onto: the names of the revisions; a branch is asked for anew.
            ticker: told what is fetched.
            lenient: let picks be missing that nobody has any more: they may be what is dropped.

        Raises:
            UsageError: the folder is no queue, or upstream has no such revision.
            Refused: a patch file is damaged.
            transfer.Unreachable: the server could not be asked.
        """
        # of a local upstream, too: a name that it lacks is told before the work begins
        commits = [self.mirror.resolve(name, ticker) for name in onto]
        self._bring_picks(ticker, lenient=lenient)
        # else nothing can be missing, and the patches need not be parsed for this
        if self.mirror.url is not None:
            prefetch.for_queue(self.queue, self.mirror, commits, ticker)

    def _bring_picks(self, ticker: Ticker, *, lenient: bool) -> None:
        for pick in storage.load_head(self.folder)[1]:
            ids = (pick.commit, pick.base) if pick.is_pinned else ()
            with contextlib.suppress(*((UsageError, WorkFailed) if lenient else ())):
                pulls.bring(self.mirror, ids, ticker, url=pick.url, pull=pick.pull)

    def prepare_audit(self, onto: str, ticker: Ticker = silent) -> None:
        """Make present what an audit of a move to a revision reads: all files that it has.

        Raises:
            UsageError: upstream has no such revision.
            transfer.Unreachable: the server could not be asked.
        """
        if self.mirror.url is not None:
            prefetch.for_audit(self.mirror, self.base.commit, self.mirror.resolve(onto), ticker)


@dataclass(frozen=True)
class SessionRequest:
    """Which queue is worked on, one command after the other, and where.

    Attributes:
        folder: the queue's folder.
        cache: the folder that holds the mirrors.
        work: the folder for what waits for somebody.
        flags: how a command line names all this.
        onto: the names of the revisions that the queue is to be moved to.
    """

    folder: Path
    cache: Path
    work: Path
    flags: tuple[str, ...]
    onto: tuple[str, ...] = ()


def open_session(
    request: SessionRequest, ticker: Ticker = silent, *, lenient: bool = False
) -> OpenedQueue:
    """Open a queue to work on it, with what the work reads; `lenient` is that of `prepare`.

    Raises:
        UsageError: the folder is no queue, or upstream lacks its base or a revision.
        transfer.Unreachable: the server could not be asked.
    """
    # What a killed writer left beside the queue goes, though there may be nothing left to write.
    temporary.sweep(request.folder.resolve().parent)
    opened = open(request.folder, request.cache, ticker)
    opened.prepare(request.onto, ticker, lenient=lenient)
    return opened


def open(
    folder: Path,
    cache: Path,
    ticker: Ticker = silent,
    *,
    upstream: str = "",
    needs_base: bool = True,
) -> OpenedQueue:
    """Open a queue's upstream.

    Args:
        folder: the queue's folder.
        cache: the folder that holds the mirrors.
        ticker: told what is being done.
        upstream: another repository to open in its upstream's place.
        needs_base: whether it must have the queue's base. What gives work up does without: the
            base may be what went wrong.

    Raises:
        UsageError: the folder is no queue, or the upstream has not got a base that is needed.
        transfer.Unreachable: the server could not be asked.
    """
    base = storage.load_base(folder)
    opened = mirror.open(upstream or base.upstream, cache, ticker)
    # here, before anything is made: where the base is gone there is nothing to work on
    if needs_base:
        opened.resolve(base.commit, ticker)
    return OpenedQueue(folder, base, opened)


def open_new(
    folder: Path, upstream: str, ref: str, cache: Path, ticker: Ticker = silent
) -> OpenedQueue:
    """Open the upstream of a queue that is to be made, or made anew.

    Args:
        folder: where the queue will be.
        upstream: the repository that has its base: a path, an address or `embedded:`.
        ref: the tag, branch or commit that it is to apply to.
        cache: the folder that holds the mirrors.
        ticker: told what is being done.

    Raises:
        UsageError: the upstream is none, or has no such revision.
        transfer.Unreachable: the server could not be asked.
    """
    opened = mirror.open(upstream, cache, ticker)
    # the full id of today is recorded: a patch applies to one commit, and a branch moves
    return OpenedQueue(folder, QueueBase(upstream, ref, opened.resolve(ref, ticker)), opened)

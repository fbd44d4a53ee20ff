"""Work on a rebase's conflicts, one after the other: start, status, continue, skip, abort.

Each step replays the queue with what was decided so far up to the first conflict that is left, and
shows that in a work tree. It begins where an earlier step came to, and not at the first patch,
while nothing of that was decided otherwise since (`reached`). When no conflict is left, the queue
is replayed once as a whole, and written back on its new base.

A step may be killed anywhere and repeated: what it has done is in the state, and a conflict is only
settled or left out after somebody was told of it (`RebaseSession.shown`), or by its patch's name.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import lock, opening, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.rebase import remarks
from tensorflow_macos_build.patchqueue.rebase.step import RebaseProgress, RebaseRun
from tensorflow_macos_build.patchqueue.worktree import conflict_tree, work_tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue, SessionRequest


@dataclass(frozen=True)
class RebaseSession:
    """A queue's rebase in a repository.

    Attributes:
        queue: the queue; it is read again when nobody else can write it.
        git: the repository that has its base and the new one, and keeps the state.
        folder: where conflicts are shown.
        ticker: told how many patches are done.
        waiting: told what is waited for.
        flags: how a command line names all this; the queue alone by default.
    """

    queue: Queue
    git: Git
    folder: Path
    ticker: Ticker = field(default=silent)
    waiting: Waiting = field(default=lock.unwatched)
    flags: tuple[str, ...] = ()

    def start(self, onto: str, *, accept_proven: bool = False) -> RebaseProgress:
        """Begin to move the queue to a revision, or go on with that.

        Args:
            onto: the revision.
            accept_proven: settle the conflicts whose answer is proven, up to the first other one.

        Raises:
            UsageError: a rebase of the queue to another revision is under way, the work tree's
                folder is not free, or there is no such revision.
            remarks.NothingLeft: no patch is left to carry; no rebase is under way then.
        """
        with self._alone() as run:
            begun = run.current()
            if begun is None:
                commit = resolve(self.git, onto)
                # Before anything is kept: who is refused here has no rebase under way.
                work_tree.refuse_unless_free(run.folder, run.queue.folder)
                begun = run.begin(onto, commit)
            # The name alone is enough: a branch may have moved since the rebase onto it began.
            elif begun.onto_ref != onto and begun.onto != resolve(self.git, onto):
                raise UsageError(
                    f"a rebase of `{run.queue.name}` onto {begun.onto_ref} is under way; it was "
                    f"asked to go onto {onto}",
                    hint=f"go on with `{run.command('rebase.continue')}`, or "
                    f"give it up with `{run.command('rebase.abort')}`",
                )
            try:
                with run.replaying(begun) as partial:
                    state = run.accept_proven(partial, begun) if accept_proven else begun
                    return run.advance(partial, state)
            except remarks.NothingLeft:
                if begun.resolutions or begun.left_out:  # somebody's decisions are not thrown away
                    raise
                run.end(begun)
                raise remarks.NothingLeft(run.queue.folder) from None

    def status(self) -> RebaseProgress:
        """Return how far the rebase is; nothing is written.

        Raises:
            UsageError: none is under way, or the queue was changed since.
        """
        with self._alone() as run:
            return run.progress(run.under_way())

    def go_on(self, patch: str = "", *, accept_proven: bool = False) -> RebaseProgress:
        """Take what the work tree holds as the conflict's resolution, and go on.

        Args:
            patch: the patch whose conflict is settled, as `names.position` takes it; "": the one
                that was shown last.
            accept_proven: as for `start`, of the conflicts behind it.

        Raises:
            UsageError: no rebase is under way, or the patch is not in conflict.
            conflict_tree.Unresolved: markers are left.
        """
        with self._alone() as run:
            state = run.current()
            if state is None:
                return _finished(run)
            with run.replaying(state) as partial:
                conflict = partial.go_on(run.decisions(state))
                note = run.refusal(state, conflict, patch, takes=True)
                if conflict and not note:
                    state = run.settle(partial.quarantine, state, conflict)
                # Of a conflict that was to be settled and was not, people are told first.
                if accept_proven and not note:
                    state = run.accept_proven(partial, state)
                return replace(run.advance(partial, state), note=note)

    def skip(self, patch: str = "") -> RebaseProgress:
        """Leave a patch in conflict out of the queue, and go on.

        Args:
            patch: as for `go_on`.

        Raises:
            UsageError: no rebase is under way, or the patch is not in conflict.
        """
        with self._alone() as run:
            state = run.current()
            if state is None:
                return _finished(run)
            with run.replaying(state) as partial:
                conflict = partial.go_on(run.decisions(state))
                note = run.refusal(state, conflict, patch, takes=False)
                if conflict and not note:
                    state = run.leave_out(partial.quarantine, state, conflict)
                return replace(run.advance(partial, state), note=note)

    def abort(self) -> str:
        """Abandon the rebase; the queue is as it was. Return what is left for people to know.

        Its work tree goes, as with `git rebase --abort`; any other folder stays.
        """
        with self._alone() as run:
            return run.give_up()

    def shown(self, progress: RebaseProgress) -> None:
        """Record that somebody was told of the conflict that `progress` stands at."""
        # Not under the lock: another command may show its own conflict there by now.
        if progress.patch and conflict_tree.patch_of(progress.folder) == progress.patch:
            work_tree.set_shown(progress.folder)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[RebaseRun]:
        # The queue is read under the lock: another command may have written it since it was opened.
        with lock.sole_writer(self.queue.folder, self.waiting):
            queue = storage.load(self.queue.folder)
            yield RebaseRun(queue, self.git, self.folder.resolve(), self.ticker, self.flags)


def _finished(run: RebaseRun) -> RebaseProgress:
    """Return the end of the last rebase, to a repeat of the command that a kill ended behind it.

    Raises:
        UsageError: there was none.
    """
    if finished := run.done_before():
        return finished
    raise run.none_under_way()


def open(
    request: SessionRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> RebaseSession:
    """Open a queue's rebase, with what it reads.

    Raises:
        UsageError: there is no such queue, or upstream lacks its base or a revision.
        transfer.Unreachable: the server could not be asked.
    """
    return _session(request, opening.open_session(request, ticker), ticker, waiting)


def open_to_abort(
    request: SessionRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> RebaseSession:
    """Open a queue's rebase to give it up, whatever has become of the queue's base.

    Raises:
        UsageError: there is no such queue.
        transfer.Unreachable: the server could not be asked.
    """
    # Nothing is fetched for it: what is missing may be the reason to give up.
    opened = opening.open(request.folder, request.cache, ticker, needs_base=False)
    return _session(request, opened, ticker, waiting)


def _session(
    request: SessionRequest, opened: OpenedQueue, ticker: Ticker, waiting: Waiting
) -> RebaseSession:
    return RebaseSession(opened.queue, opened.mirror, request.work, ticker, waiting, request.flags)

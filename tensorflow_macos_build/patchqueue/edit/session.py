"""A change of a queue from the command line: begin, work on what needs somebody, go on, give up.

A change without conflicts is written back at once. Otherwise its plan and its objects wait in the
change's folder (`plan.json`, `objects.git`) beside the one work tree that needs somebody: `tree`,
with the patch to edit checked out as a commit, or `conflict`, with a conflict's markers.

A command may be killed anywhere and repeated: the plan knows what was asked for, and the journal
what the last change was.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.edit.step import EditProgress, EditRun
from tensorflow_macos_build.patchqueue.queue import lock, opening, storage
from tensorflow_macos_build.patchqueue.worktree import work_tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.edit import plan_file
    from tensorflow_macos_build.patchqueue.edit.operations import PatchEdit
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue, SessionRequest
    from tensorflow_macos_build.upstream.mirror import Mirror

    MakeEdits = Callable[[Quarantine, list[PatchEdit]], list[PatchEdit]]


@dataclass(frozen=True)
class EditSession:
    """One queue, the repository that has its base, and the folder for a change under way.

    Attributes:
        queue: the queue; it is read again when nobody else can write it.
        git: the repository.
        folder: where a change that waits for somebody is kept.
        waiting: told what is waited for.
        flags: how a command line names all this; the queue alone by default.
    """

    queue: Queue
    git: Git
    folder: Path
    waiting: Waiting = field(default=lock.unwatched)
    flags: tuple[str, ...] = ()

    def change(self, make: MakeEdits, request: tuple[str, ...] = ()) -> EditProgress:
        """Begin a change and carry it as far as it goes alone, or go on with it.

        Args:
            make: makes the queue's edits those of the result.
            request: what was asked for. The same request again goes on with a change that is under
                way, and does nothing to a queue that is what it made.

        Raises:
            UsageError: another change is under way, or `make` refuses.
        """
        with self._alone() as run:
            if plan := run.asked_before(request):
                return self._go_on_with(run, plan)
            if request and (done := run.done_before(request)):
                return done
            with open_quarantine(self.git) as quarantine:
                return run.advance(quarantine, run.begin(quarantine, make, request))

    def edit(self, name: str) -> EditProgress:
        """Check a patch out in a work tree, to be changed there.

        Args:
            name: the patch, as `names.position` takes it.

        Raises:
            UsageError: another change is under way, or there is no such patch.
        """
        with self._alone() as run:
            # Unlike in `change` the journal is not asked: a patch may be edited again and again.
            if plan := run.asked_before(("patches.edit", name)):
                return self._go_on_with(run, plan)
            with open_quarantine(self.git) as quarantine:
                return run.show_open(quarantine, run.open(quarantine, name))

    def go_on(self) -> EditProgress:
        """Take what somebody made in the work tree, and carry the change on.

        What nobody was told of is not taken but shown.

        Raises:
            UsageError: no change is under way.
            conflict_tree.Unresolved: markers are left.
        """
        with self._alone() as run:
            plan = run.current()
            if plan is None:
                if done := run.done_before():
                    return done
                raise run.none_under_way()
            with run.quarantine() as quarantine:
                plan, note = run.take(quarantine, plan)
                edited = (
                    run.show(quarantine, plan)
                    if plan.open is not None
                    else run.advance(quarantine, plan)
                )
            return replace(edited, note=note or edited.note)

    def status(self) -> EditProgress:
        """Return what waits for somebody; nothing is written.

        Raises:
            UsageError: no change is under way, or the queue was changed since it began.
        """
        with self._alone() as run:
            plan = run.under_way()
            with run.quarantine() as quarantine:
                return run.state(quarantine, plan)

    def abort(self) -> str:
        """Forget the change; the queue stays as it was. Return what is left for people to know."""
        with self._alone() as run:
            return run.give_up()

    def shown(self, edited: EditProgress) -> None:
        """Record that somebody was told of the work tree that `edited` stands at."""
        if edited.folder is not None and edited.conflicts:
            work_tree.set_shown(edited.folder)

    def _go_on_with(self, run: EditRun, plan: plan_file.EditPlan) -> EditProgress:
        with run.quarantine() as quarantine:
            return run.show(quarantine, plan)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[EditRun]:
        with lock.sole_writer(self.queue.folder, self.waiting):
            # Under the lock: another command may have written it since it was opened.
            queue = storage.load(self.queue.folder)
            yield EditRun(queue, self.git, self.folder.resolve(), self.flags)


def open(
    request: SessionRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> EditSession:
    """Open a queue's change, with what it reads.

    Raises:
        UsageError: there is no such queue, or upstream lacks its base or a revision.
        transfer.Unreachable: the server could not be asked.
    """
    return open_with_mirror(request, ticker, waiting)[0]


def open_with_mirror(
    request: SessionRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> tuple[EditSession, Mirror]:
    """Open a queue's change as `open` does, and return its upstream's mirror, too."""
    opened = opening.open_session(request, ticker, lenient=True)
    return _session(request, opened, waiting), opened.mirror


def open_to_abort(
    request: SessionRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> EditSession:
    """Open a queue's change to give it up, whatever has become of the queue's base.

    Raises:
        UsageError: there is no such queue.
        transfer.Unreachable: the server could not be asked.
    """
    # Nothing is fetched for it: what is missing may be the reason to give up.
    opened = opening.open(request.folder, request.cache, ticker, needs_base=False)
    return _session(request, opened, waiting)


def _session(request: SessionRequest, opened: OpenedQueue, waiting: Waiting) -> EditSession:
    return EditSession(opened.queue, opened.mirror, request.work, waiting, request.flags)

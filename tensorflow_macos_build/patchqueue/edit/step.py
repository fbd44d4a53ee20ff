"""One step of a change of a queue, while nobody else can write it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import alternates, trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.edit import operations, patch_tree, plan_file
from tensorflow_macos_build.patchqueue.edit.operations import EditConflict, PatchEdit
from tensorflow_macos_build.patchqueue.edit.plan_file import EditPlan
from tensorflow_macos_build.patchqueue.queue import (
    commit_cache,
    compose,
    journal,
    locate,
    materialise,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.storage import Saved
from tensorflow_macos_build.patchqueue.worktree import conflict_tree, work_tree
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import SideLabels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.model import Queue

_TASKS = "patches."


@dataclass(frozen=True)
class EditProgress:
    """Where a change of a queue is.

    Attributes:
        saved: the queue as it was written; None while something waits for somebody.
        emptied: subjects of patches that change nothing any more and so left the queue.
        folder: the work tree that waits; None when nothing does.
        subject: the subject of the patch that it is about.
        conflicts: the files in conflict there; none while a patch is open for editing.
        note: why nothing was done, where what was asked for was done before.
    """

    saved: Saved | None
    emptied: tuple[str, ...] = ()
    folder: Path | None = None
    subject: str = ""
    conflicts: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class EditRun:
    """A step of a change; the attributes are a session's."""

    queue: Queue
    git: Git
    folder: Path
    flags: tuple[str, ...]

    def command(self, task: str, *more: str) -> str:
        """Return the command line of a task for this change, as it can be typed."""
        return locate.command(task, self.queue.folder, *more, flags=self.flags)

    @contextlib.contextmanager
    def _typed(self) -> Iterator[None]:
        """Turn what is refused for a pick into an error with the command line that helps."""
        try:
            yield
        except operations.PickRefused as error:
            hint = f"`{self.command(*error.words)}` {error.meaning}"
            raise UsageError(error.what, hint=hint) from None

    @property
    def _journal(self) -> journal.Journal:
        return journal.Journal.of(self.queue.name, self.git)

    def current(self) -> EditPlan | None:
        """Return the change under way; clean up behind one that a kill cut off at its very end.

        Raises:
            UsageError: it is another queue's, or the queue was changed since it began.
        """
        plan = plan_file.load(self.folder, self.queue.folder)
        if plan is not None and self._is_written(plan):
            # Killed between the swap and its last step: what was done there is in the queue.
            files.delete_folder(self.folder)
            return None
        temporary.sweep(self.folder.parent)
        self._refuse_another(plan)
        return plan

    def under_way(self) -> EditPlan:
        """Return the change under way; nothing is written.

        Raises:
            UsageError: there is none, it is another queue's, or the queue was changed since.
        """
        plan = plan_file.load(self.folder, self.queue.folder)
        if plan is None or self._is_written(plan):
            raise self.none_under_way()
        self._refuse_another(plan)
        return plan

    def none_under_way(self) -> UsageError:
        """Return the error of a command that goes on with a change where there is none."""
        return UsageError("no change of this queue is under way", where=str(self.queue.folder))

    def asked_before(self, request: tuple[str, ...]) -> EditPlan | None:
        """Return the change under way where it is what is asked for; None: none is under way.

        Raises:
            UsageError: it is another one.
        """
        plan = self.current()
        if plan is not None and (not request or plan.request != request):
            task, *more = plan_file.words(plan.request)
            raise UsageError(
                f"another change of this queue is under way: `{self.command(task, *more)}`",
                where=str(self.folder),
                hint=f"`{self.command('patches.continue')}` goes on, "
                f"`{self.command('patches.abort')}` gives it up",
            )
        return plan

    def done_before(self, request: tuple[str, ...] = ()) -> EditProgress | None:
        """Return the end of a change that an earlier run came to; None: it did not.

        Without a request the last change counts, whatever it was.
        """
        last = self._journal.led_to(self.queue.digest)
        if last is None or last.request != (request or last.request):
            return None
        # The journal is the queue's: its last change may be a rebase.
        if not last.request or not last.request[0].startswith(_TASKS):
            return None
        names = tuple(patch.name for patch in self.queue.patches)
        note = f"`{' '.join(last.request)}` was done already, and the queue is as it left it"
        if request:
            note += "; if another patch is meant, give its whole name"
        return EditProgress(Saved(self.queue, names, (), ()), note=note)

    def begin(
        self,
        quarantine: Quarantine,
        make: Callable[[Quarantine, list[PatchEdit]], list[PatchEdit]],
        request: tuple[str, ...],
    ) -> EditPlan:
        """Return a new change; nothing is kept of it yet."""
        self._clear()
        with self._typed():
            edits = make(quarantine, operations.edits_of(quarantine, self.queue))
            operations.refuse_missing(edits)
        folder = str(self.queue.folder.resolve())
        return EditPlan(folder, request, self.queue.digest, tuple(edits), {}, None)

    def open(self, quarantine: Quarantine, name: str) -> EditPlan:
        """Keep a change that opens a patch for editing."""
        position = self.queue.position(name)
        plan = self.begin(quarantine, lambda _, edits: edits, ("patches.edit", name))
        with self._typed():
            operations.refuse_pick(plan.edits[position])
        plan = replace(plan, open=position)
        self._keep(quarantine, plan)
        return plan

    def take(self, quarantine: Quarantine, plan: EditPlan) -> tuple[EditPlan, str]:
        """Return the plan with what somebody made, kept; and why nothing of it was taken."""
        if plan.open is not None:
            return self._take_open(quarantine, plan, plan.open)
        stopped = self._restack(quarantine, plan)
        if not isinstance(stopped, EditConflict):
            return plan, ""
        folder = self.folder / "conflict"
        is_there = conflict_tree.is_of(folder, stopped.key, stopped.merged)
        if not is_there or not work_tree.is_shown(folder):
            subject = stopped.edit.header.subject
            return plan, f"the conflict of `{subject}` was not shown before; nothing was taken yet"
        tree = conflict_tree.take(folder, stopped.merged, _labels(stopped.edit))
        # The work tree's own objects: what the plan is about to name must not go with that folder.
        work_tree.bring(folder, quarantine, [tree], known=stopped.merged.ours)
        plan = replace(plan, settled={**plan.settled, stopped.key: tree})
        self._keep(quarantine, plan)
        return plan, ""

    def advance(self, quarantine: Quarantine, plan: EditPlan) -> EditProgress:
        """Carry a change as far as it goes: to a conflict, or to the queue's new state."""
        restacked = self._restack(quarantine, plan)
        if isinstance(restacked, EditConflict):
            self._keep(quarantine, plan)
            return self._show_conflict(quarantine, restacked)

        def announce(after: str) -> None:
            # Before the swap: a kill behind it leaves a queue of which the journal tells.
            self._journal.write(journal.QueueChange(plan.request, plan.queue, after))

        queue = self.queue
        saved = storage.save(
            queue.folder,
            queue.base,
            self._with_files(quarantine, restacked.steps),
            quarantine.git,
            seen=plan.queue,
            announce=announce,
        )
        # The next change begins with them, and applies no file to have them.
        made = compose.pinned(restacked.steps)
        trees_after = [step.after for step in made]
        commit_cache.keep(materialise.pinned(saved.queue), trees_after, quarantine, self.git)
        # The plan goes last: a kill before leaves it, and `current` finds the queue written.
        if self.folder.is_dir():
            files.delete_folder(self.folder)
        emptied = tuple(edit.header.subject for edit in restacked.emptied)
        return EditProgress(saved, emptied)

    def show(self, quarantine: Quarantine, plan: EditPlan) -> EditProgress:
        """Show what a change waits for; one that waits for nobody is carried on."""
        return (
            self.show_open(quarantine, plan)
            if plan.open is not None
            else self.advance(quarantine, plan)
        )

    def show_open(self, quarantine: Quarantine, plan: EditPlan) -> EditProgress:
        """Check out the patch that is open, unless it is."""
        assert plan.open is not None
        folder, edit = self.folder / "tree", plan.edits[plan.open]
        if not folder.is_dir():  # else somebody may be at work in it
            patch_tree.make(folder, quarantine, self.store(), self.queue.base.commit, edit)
        return EditProgress(None, (), folder, edit.header.subject)

    def state(self, quarantine: Quarantine, plan: EditPlan) -> EditProgress:
        """Return what a change waits for; nothing is written."""
        again = f"`{self.command('patches.continue')}`"
        if plan.open is not None:
            folder, subject = self.folder / "tree", plan.edits[plan.open].header.subject
            note = "" if folder.is_dir() else f"its work tree is not there; {again} makes it"
            return EditProgress(None, (), folder, subject, note=note)
        stopped = self._restack(quarantine, plan)
        if not isinstance(stopped, EditConflict):
            return EditProgress(None, note=f"nothing is left to settle; {again} writes the queue")
        folder = self.folder / "conflict"
        is_there = conflict_tree.is_of(folder, stopped.key, stopped.merged)
        note = "" if is_there else f"its work tree is not there; {again} makes it"
        return replace(_conflict(folder, stopped), note=note)

    def give_up(self) -> str:
        """Forget the change and its work trees; return what is left for people to know."""
        if not self.folder.is_dir():
            temporary.sweep(self.folder.parent)
            return f"no change of {self.queue.name} is under way: there was nothing to give up"
        try:
            plan = plan_file.load(self.folder, self.queue.folder)
        except UsageError:  # what cannot be read can be given up
            plan = None
        self._refuse_other_folder(plan)
        files.delete_folder(self.folder)
        return ""

    @contextlib.contextmanager
    def quarantine(self) -> Iterator[Quarantine]:
        """Open a quarantine over the upstream's repository that has the change's objects, too."""
        with open_quarantine(self.git) as quarantine:
            # as its own: what is kept of them goes where the change's repository is not seen
            quarantine.adopt(self._store / "objects")
            yield quarantine

    @property
    def _store(self) -> Path:
        return self.folder / "objects.git"

    def store(self) -> Git:
        """Return the change's own repository, which borrows from the upstream's."""
        store = Git(self._store, borrows_from=self.git)
        if not store.git_dir.is_dir():
            # In one step: a repository without its alternate would pass for one that lacks objects.
            with files.atomic_folder(store.git_dir) as unfinished:
                Git(unfinished).init()
                alternates.write(unfinished, [self.git.objects_folder()])
        return store

    def _restack(
        self, quarantine: Quarantine, plan: EditPlan
    ) -> operations.Restacked | EditConflict:
        return operations.restack(quarantine, self._base_tree(quarantine), plan.edits, plan.settled)

    def _with_files(
        self, quarantine: Quarantine, steps: Sequence[PatchStep]
    ) -> Sequence[PatchStep]:
        """Return steps with the trees that their files on disk were last applied between."""
        if all(step.of_file or step.name is None for step in steps):
            return steps
        # a plan that was read does not name them: nobody keeps their objects for it
        applied = operations.applied(quarantine, self.queue, self.git)
        return [
            replace(step, of_file=applied.get(step.name)) if step.name else step for step in steps
        ]

    def _base_tree(self, quarantine: Quarantine) -> str:
        return trees.of_commits(quarantine.git, [self.queue.base.commit])[0]

    def _keep(self, quarantine: Quarantine, plan: EditPlan) -> None:
        """Put the plan and all that it names to disk."""
        # Objects before the plan that names them: a kill between leaves some too many, and none too
        # few.
        trees = {tree for edit in plan.edits for change in edit.changes for tree in change}
        into = self.store().git_dir / "objects"
        known = [self.queue.base.commit]
        quarantine.keep(sorted(trees | set(plan.settled.values())), known, into=into)
        plan_file.save(self.folder, plan)

    def _show_conflict(self, quarantine: Quarantine, stopped: EditConflict) -> EditProgress:
        folder = self.folder / "conflict"
        if not conflict_tree.is_of(folder, stopped.key, stopped.merged):
            conflict_tree.make(
                folder,
                quarantine,
                stopped.merged,
                queue=self.queue.folder,
                onto=self.queue.base.commit,
                # A change stays on its base: both ends are one commit.
                base=self.queue.base.commit,
                patch=stopped.key,  # a patch that is new, or folded, has no file's name of its own
                labels=_labels(stopped.edit),
            )
        return _conflict(folder, stopped)

    def _take_open(self, quarantine: Quarantine, plan: EditPlan, at: int) -> tuple[EditPlan, str]:
        folder = self.folder / "tree"
        if not folder.is_dir():
            return plan, "its work tree was not there; it is made again, and nothing was taken yet"
        edits = patch_tree.take(folder, quarantine, plan.edits[at])
        rest = plan.edits[at + 1 :]
        plan = replace(plan, edits=(*plan.edits[:at], *edits, *rest), open=None)
        self._keep(quarantine, plan)
        return plan, ""

    def _clear(self) -> None:
        """Delete what a kill left of a change before its plan was there: its repository alone.

        Raises:
            UsageError: the folder holds something else.
        """
        if not self.folder.is_dir():
            return
        temporary.sweep(self.folder)
        if {path.name for path in self.folder.iterdir()} - {"objects.git"}:
            raise UsageError(
                "the folder for changes of this queue holds something that this tool did not make",
                where=str(self.folder),
                hint="move it away",
            )
        files.delete_folder(self.folder)

    def _is_written(self, plan: EditPlan) -> bool:
        """Whether the queue is what the change made of it: only cleaning up is left."""
        return self._journal.ends_with(plan.request, plan.queue, self.queue.digest)

    def _refuse_another(self, plan: EditPlan | None) -> None:
        self._refuse_other_folder(plan)
        if plan is not None and plan.queue != self.queue.digest:
            raise UsageError(
                "the queue is another one than when this change of it began",
                where=str(self.queue.folder),
                hint="bring its files back, names too (`git checkout`, `git stash`), to go on; or "
                f"give the change up with `{self.command('patches.abort')}`",
            )

    def _refuse_other_folder(self, plan: EditPlan | None) -> None:
        """Raise a UsageError where a change is one of another queue; one may have been moved."""
        here = str(self.queue.folder.resolve())
        if plan is not None and plan.folder != here and Path(plan.folder).is_dir():
            raise UsageError(
                f"the change that is under way is one of {plan.folder}",
                where=str(self.folder),
                hint="finish that one first",
            )


def _conflict(folder: Path, stopped: EditConflict) -> EditProgress:
    paths = tuple(conflict.path for conflict in stopped.merged.conflicted)
    return EditProgress(None, (), folder, stopped.edit.header.subject, paths)


def _labels(edit: PatchEdit) -> SideLabels:
    return SideLabels("the queue before it", "where it was", edit.header.subject)

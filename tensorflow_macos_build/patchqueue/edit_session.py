"""Changing a queue from the command line: begin, work on what needs somebody, go on, give up.

A change without conflicts is written back at once. Otherwise its plan and its objects wait in the
change's folder (`plan.json`, `objects.git`) beside the one work tree that needs somebody: `tree`,
with the patch to edit checked out as a commit, or `conflict`, with a conflict's markers.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue import (
    conflict_tree,
    edit_plan,
    edit_tree,
    editing,
    materialise,
    plumbing,
    storage,
)
from tensorflow_macos_build.patchqueue.conflict_tree import Labels
from tensorflow_macos_build.patchqueue.edit_plan import Plan
from tensorflow_macos_build.patchqueue.editing import Followed, Piece, Stopped
from tensorflow_macos_build.patchqueue.storage import Saved
from tensorflow_macos_build.upstream.git import Git
from tensorflow_macos_build.upstream.objects import objects_folder, quarantine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.queue import Queue
    from tensorflow_macos_build.upstream.objects import Quarantine

    Change = Callable[[Quarantine, list[Piece]], list[Piece]]


@dataclass(frozen=True)
class Edited:
    """Where a change of a queue is.

    Attributes:
        saved: the queue as it was written; None while something waits for somebody.
        emptied: subjects of patches that change nothing any more and so left the queue.
        folder: the work tree that waits; None when nothing does.
        subject: the subject of the patch that it is about.
        conflicts: the files in conflict there; none while a patch is open for editing.
    """

    saved: Saved | None
    emptied: tuple[str, ...] = ()
    folder: Path | None = None
    subject: str = ""
    conflicts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """One queue, the repository that has its base, and the folder for a change under way."""

    queue: Queue
    git: Git
    folder: Path

    def change(self, make: Change) -> Edited:
        """Begin a change and carry it as far as it goes alone.

        Raises:
            UsageError: one is under way, or `make` refuses.
        """
        with self._locked(), quarantine(self.git) as pen:
            plan = self._begun(pen, make)
            return self._advance(pen, plan)

    def edit(self, at: int) -> Edited:
        """Check a patch out in a work tree, to be changed there.

        Raises:
            UsageError: a change is under way.
        """
        with self._locked(), quarantine(self.git) as pen:
            plan = replace(self._begun(pen, lambda _, pieces: pieces), open=at)
            self._keep(pen, plan)
            return self._show_open(pen, plan)

    def go_on(self) -> Edited:
        """Take what somebody made in the work tree, and carry the change on.

        Raises:
            UsageError: no change is under way.
            conflict_tree.Unresolved: markers are left.
        """
        with self._locked():
            plan = self._plan()
            with quarantine(self._store()) as pen:
                if done := self._made_before(pen, plan):
                    return done
                return self._advance(pen, self._taken(pen, plan))

    def status(self) -> Edited:
        """Say what waits for somebody, and make up for what a kill cut off.

        A work tree that is not there is made; a change that waits for nobody is finished.

        Raises:
            UsageError: no change is under way.
        """
        with self._locked():
            plan = self._plan()
            with quarantine(self._store()) as pen:
                if done := self._made_before(pen, plan):
                    return done
                return (
                    self._show_open(pen, plan)
                    if plan.open is not None
                    else self._advance(pen, plan)
                )

    def abort(self) -> None:
        """Forget the change; the queue stays as it was."""
        with self._locked():
            edit_plan.forget(self.folder)

    def _locked(self) -> AbstractContextManager[None]:
        self.folder.mkdir(parents=True, exist_ok=True)
        return files.locked(self.folder)

    def _begun(self, pen: Quarantine, make: Change) -> Plan:
        if edit_plan.load(self.folder) is not None:
            raise UsageError(
                "a change of this queue is under way",
                where=str(self.folder),
                hint="`invoke patches.continue` goes on, `invoke patches.abort` gives it up",
            )
        commits = materialise.commits(self.queue, pen.git)
        base = plumbing.trees_of(pen.git, [self.queue.base.commit])[0]
        pieces = make(pen, editing.pieces_of(commits, base))
        return Plan(edit_plan.digest(self.queue), tuple(pieces), {}, None)

    def _plan(self) -> Plan:
        plan = edit_plan.load(self.folder)
        if plan is None:
            raise UsageError("no change of this queue is under way", where=str(self.queue.folder))
        return plan

    def _made_before(self, pen: Quarantine, plan: Plan) -> Edited | None:
        """Finish a change that a kill cut off when the queue was written; None: it was not yet.

        Raises:
            UsageError: the queue is neither what the change began with nor what it makes.
        """
        if plan.queue == edit_plan.digest(self.queue):
            return None
        base_tree = plumbing.trees_of(pen.git, [self.queue.base.commit])[0]
        found = (
            None
            if plan.open is not None
            else editing.follow(pen, base_tree, plan.pieces, plan.settled)
        )
        if not isinstance(found, Followed) or not self._is(pen, found):
            raise UsageError(
                "the queue is another one than when this change of it began",
                where=str(self.queue.folder),
                hint="`invoke patches.abort` gives the change up",
            )
        edit_plan.forget(self.folder)
        names = tuple(patch.name for patch in self.queue.patches)
        return Edited(Saved(self.queue, names, (), ()), _subjects(found.emptied))

    def _is(self, pen: Quarantine, found: Followed) -> bool:
        """Tell whether the queue on the disk is what a change makes."""
        there = [
            (made.patch.patch.header.message, made.tree)
            for made in materialise.commits(self.queue, pen.git)
        ]
        return there == [(step.header.message, step.after) for step in found.steps]

    def _store(self) -> Git:
        """Give the change's own repository, which borrows from the upstream's."""
        store = Git(self.folder / "objects.git", behind=self.git)
        if not store.git_dir.is_dir():
            with files.atomic_folder(store.git_dir) as unfinished:
                Git(unfinished).init()
                lender = objects_folder(self.git)
                alternates = unfinished / "objects" / "info" / "alternates"
                alternates.write_text(f"{lender}\n", encoding="utf-8")
        return store

    def _keep(self, pen: Quarantine, plan: Plan) -> None:
        """Put the plan and all that it names to disk, the objects first."""
        trees = {tree for piece in plan.pieces for change in piece.changes for tree in change}
        into = self._store().git_dir / "objects"
        known = [self.queue.base.commit]
        pen.keep(sorted(trees | set(plan.settled.values())), known, into=into)
        edit_plan.save(self.folder, plan)

    def _advance(self, pen: Quarantine, plan: Plan) -> Edited:
        base = self.queue.base
        base_tree = plumbing.trees_of(pen.git, [base.commit])[0]
        found = editing.follow(pen, base_tree, plan.pieces, plan.settled)
        if isinstance(found, Stopped):
            self._keep(pen, plan)
            return self._show_conflict(pen, found)
        saved = storage.save(self.queue.folder, base, found.steps, pen.git)
        edit_plan.forget(self.folder)
        return Edited(saved, _subjects(found.emptied))

    def _show_conflict(self, pen: Quarantine, found: Stopped) -> Edited:
        folder = self.folder / "conflict"
        if not conflict_tree.is_of(folder, found.place, found.merged):
            base = self.queue.base.commit
            labels = _labels(found.piece)
            conflict_tree.make(
                folder, pen, found.merged, onto=base, base=base, patch=found.place, labels=labels
            )
        paths = tuple(conflicted.path for conflicted in found.merged.conflicted)
        return Edited(None, (), folder, found.piece.header.subject, paths)

    def _show_open(self, pen: Quarantine, plan: Plan) -> Edited:
        folder = self.folder / "tree"
        assert plan.open is not None
        piece = plan.pieces[plan.open]
        if not folder.is_dir():
            edit_tree.make(folder, pen, self._store(), self.queue.base.commit, piece)
        return Edited(None, (), folder, piece.header.subject)

    def _taken(self, pen: Quarantine, plan: Plan) -> Plan:
        """Give the plan with what somebody made, and keep it."""
        if plan.open is not None:
            pieces = edit_tree.take(self.folder / "tree", pen, plan.pieces[plan.open])
            rest = plan.pieces[plan.open + 1 :]
            plan = replace(plan, pieces=(*plan.pieces[: plan.open], *pieces, *rest), open=None)
            self._keep(pen, plan)
            shutil.rmtree(self.folder / "tree")
            return plan
        base_tree = plumbing.trees_of(pen.git, [self.queue.base.commit])[0]
        found = editing.follow(pen, base_tree, plan.pieces, plan.settled)
        folder = self.folder / "conflict"
        if isinstance(found, Followed) or not conflict_tree.is_of(
            folder, found.place, found.merged
        ):
            return plan
        tree = conflict_tree.take(folder, found.merged, _labels(found.piece))
        edit_tree.bring(folder, pen, [tree])
        plan = replace(plan, settled={**plan.settled, found.place: tree})
        self._keep(pen, plan)
        return plan


def _subjects(pieces: Sequence[Piece]) -> tuple[str, ...]:
    return tuple(piece.header.subject for piece in pieces)


def _labels(piece: Piece) -> Labels:
    return Labels("the queue before it", "where it was", piece.header.subject)

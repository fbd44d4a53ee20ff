"""One step of a rebase that people work on, while nobody else can write its queue."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.quarantine import objects_folder, quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue import commit_cache, journal, locate
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine as rebasing
from tensorflow_macos_build.patchqueue.rebase import state
from tensorflow_macos_build.patchqueue.rebase.state import RebaseState
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict, PathChange, StepOutcome
from tensorflow_macos_build.patchqueue.worktree import conflict_tree, work_tree

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tensorflow_macos_build.patchqueue.replay.replay import Replay, ReplayStep

_REQUEST = "rebase.start"


@dataclass(frozen=True)
class RebaseProgress:
    """How far a rebase is.

    Attributes:
        onto_ref: where the queue goes, as it was asked for.
        result: what became of each patch so far.
        patch: the name of the patch in conflict; "" when there is none left.
        folder: the conflict's work tree.
        paths: the files in conflict.
        note: why nothing was done, where the step that was asked for was done before.
    """

    onto_ref: str
    result: RebaseResult
    patch: str
    folder: Path
    paths: tuple[str, ...]
    note: str = ""

    @property
    def done(self) -> bool:
        """Whether the queue stands on its new base."""
        return not self.patch


@dataclass(frozen=True)
class RebaseRun:
    """A step of a rebase, while nobody else can write its queue; the attributes are a session's."""

    queue: Queue
    git: Git
    folder: Path
    ticker: Ticker
    flags: tuple[str, ...]

    def command(self, task: str, *more: str) -> str:
        """Return the command line of a task for this rebase, as it can be typed."""
        return locate.command(task, self.queue.folder, *more, flags=self.flags)

    @property
    def _journal(self) -> journal.Journal:
        return journal.Journal.of(self.queue.name, self.git)

    def begin(self, onto: str, commit: str) -> RebaseState:
        """Keep a new rebase."""
        queue, folder = self.queue, str(self.queue.folder.resolve())
        begun = RebaseState(folder, queue.digest, queue.base.commit, onto, commit)
        return state.save(queue, self.git, begun)

    def current(self) -> RebaseState | None:
        """Return the rebase under way; clean up behind one that a kill cut off at its very end.

        Raises:
            UsageError: it is another queue's, or the queue was changed since it began.
        """
        now = state.load(self.queue, self.git)
        if now is not None and self._is_written(now):
            self.end(now)
            return None
        self._refuse_another(now)
        return now

    def under_way(self) -> RebaseState:
        """Return the rebase under way; nothing is written.

        Raises:
            UsageError: there is none, it is another queue's, or the queue was changed since.
        """
        now = state.load(self.queue, self.git)
        if now is None or self._is_written(now):
            raise UsageError(
                f"no rebase of `{self.queue.name}` is under way",
                hint=self.command("rebase.start", "--onto", "REF"),
            )
        self._refuse_another(now)
        return now

    def done_before(self) -> RebaseProgress | None:
        """Return the end of a rebase that an earlier run came to; None: one is under way."""
        if self.current() is not None:
            return None
        last = self._journal.led_to(self.queue.digest)
        if last is None or last.request[0] != _REQUEST:
            return None
        with quarantine(self.git) as pen:
            patches = commit_cache.of_queue(self.queue, self.git)
            result, _ = rebasing.rebase_in(pen, self.queue.base, self.queue.base.commit, patches)
        ref = self.queue.base.ref
        note = f"the rebase of {self.queue.name} onto {ref} was finished already"
        return RebaseProgress(ref, result, "", self.folder, (), note)

    def why_not_settled(
        self, now: RebaseState, conflict: tuple[QueueCommit, MergeResult] | None, wanted: str
    ) -> str:
        """Return why what the work tree holds does not settle a conflict; "" where it does.

        Raises:
            UsageError: another patch is asked for than the one in conflict.
        """
        if reason := self._not_at(now, conflict, wanted):
            return reason
        assert conflict is not None
        name = conflict[0].name
        seen = wanted or work_tree.is_shown(self.folder)
        if conflict_tree.is_of(self.folder, name, conflict[1]) and seen:
            return ""
        return f"the conflict of {name} was not shown before; nothing was taken yet"

    def why_not_left_out(
        self, now: RebaseState, conflict: tuple[QueueCommit, MergeResult] | None, wanted: str
    ) -> str:
        """Return why a patch is not to be left out now; "" where it is.

        Raises:
            UsageError: another patch is asked for than the one in conflict.
        """
        if reason := self._not_at(now, conflict, wanted):
            return reason
        assert conflict is not None
        name = conflict[0].name
        shown = conflict_tree.is_of(self.folder, name, conflict[1]) and work_tree.is_shown(
            self.folder
        )
        if wanted or shown:
            return ""
        return f"the conflict of {name} was not shown before; nothing was left out"

    def _not_at(
        self, now: RebaseState, conflict: tuple[QueueCommit, MergeResult] | None, wanted: str
    ) -> str:
        """Return why a rebase does not stand at the patch that is asked for; "" where it does."""
        name = self.queue.patches[self.queue.position(wanted)].name if wanted else ""
        at = conflict[0].name if conflict else ""
        if name and name in now.left_out:
            return f"{name} is left out already"
        if name and name != at and name in {each.patch for each in now.resolutions}:
            return f"the conflict of {name} is settled already"
        if name and name != at:
            raise UsageError(
                f"{name} is not in conflict now" + (f"; {at} is" if at else ""),
                hint=self.command("rebase.status"),
            )
        return "" if conflict else "no conflict was left"

    def advance(self, now: RebaseState) -> RebaseProgress:
        """Replay up to the next conflict and show it; at the end write the queue back."""
        with quarantine(self.git) as pen:
            patches, result, done = self.replay(pen, now, trees=True)
            conflict = stopped_at(patches, done)
            if conflict is not None:
                self._show(pen, now, *conflict)
                return self._stopped(now, result, *conflict)
            base = QueueBase(self.queue.base.upstream, now.onto_ref, now.onto)
            pen.keep([result.tree], [now.onto])
            made = {one.file_name: resolutions.emit(one) for one in now.resolutions}

            def announce(after: str) -> None:
                change = journal.QueueChange((_REQUEST, now.onto), now.queue, after)
                self._journal.write(change)

            saved = rebasing.save(pen, self.queue, base, done, more=made, announce=announce)
        self.end(now)
        return RebaseProgress(now.onto_ref, replace(result, saved=saved), "", self.folder, ())

    def progress(self, now: RebaseState) -> RebaseProgress:
        """Return how far a rebase is; nothing is written."""
        with quarantine(self.git) as pen:
            patches, result, done = self.replay(pen, now, trees=False)
        conflict = stopped_at(patches, done)
        if conflict is None:
            return RebaseProgress(now.onto_ref, result, "", self.folder, ())
        there = conflict_tree.is_of(self.folder, conflict[0].name, conflict[1])
        note = "" if there else f"its work tree is not in {self.folder}; rebase.continue makes it"
        return replace(self._stopped(now, result, *conflict), note=note)

    def settle(
        self, pen: Quarantine, now: RebaseState, patch: QueueCommit, merged: MergeResult
    ) -> RebaseState:
        """Keep what the work tree holds as a conflict's resolution."""
        tree = conflict_tree.take(self.folder, merged, _labels(now, patch))
        made = resolutions.record(pen, patch.name, merged, _changes(pen, merged.tree, tree))
        settled = (*now.resolutions, made)
        return state.save(self.queue, self.git, replace(now, resolutions=settled, taken=tree))

    def leave_out(self, now: RebaseState, patch: QueueCommit, merged: MergeResult) -> RebaseState:
        """Keep that a patch is left out; what was done in its work tree is not wanted any more."""
        there = conflict_tree.is_of(self.folder, patch.name, merged)
        taken = work_tree.content(self.folder) if there else now.taken
        now = replace(now, left_out=(*now.left_out, patch.name), taken=taken)
        return state.save(self.queue, self.git, now)

    def give_up(self) -> str:
        """Forget the rebase and delete its work tree; return what is left for people to know.

        Raises:
            UsageError: the rebase is that of a queue of the same name elsewhere.
        """
        self._refuse_other_folder(self._readable_state())
        name = self.queue.name
        temporary.sweep(self.folder.parent)
        known = work_tree.mark_of(self.folder)
        ours = known is not None and known.queue == str(self.queue.folder.resolve())
        if ours:
            files.delete_folder(self.folder)
        if not state.drop(self.queue, self.git):
            return f"no rebase of {name} is under way: there was nothing to give up"
        if not ours and self.folder.exists():
            return f"{self.folder} is not its work tree, and was left alone"
        return ""

    def _readable_state(self) -> RebaseState | None:
        """Return the state; None also for one that cannot be read, which can be given up too."""
        try:
            return state.load(self.queue, self.git)
        except UsageError:
            return None

    def end(self, now: RebaseState) -> None:
        """Forget a rebase that is done, and delete its work tree unless it would lose something."""
        if work_tree.may_go(self.folder, self.queue.folder, now.taken):
            files.delete_folder(self.folder)
        temporary.sweep(self.folder.parent)
        state.drop(self.queue, self.git)

    def replay(
        self, pen: Quarantine, now: RebaseState, *, trees: bool
    ) -> tuple[tuple[QueueCommit, ...], RebaseResult, Replay]:
        """Replay the queue with what was decided, up to the first conflict that is left."""
        patches = commit_cache.of_queue(self.queue, self.git)
        known = (*resolutions.load(self.queue.folder), *now.resolutions)
        result, done = rebasing.rebase_in(
            pen,
            self.queue.base,
            now.onto,
            patches,
            OnConflict.STOP,
            decisions=rebasing.Decisions(known, frozenset(now.left_out)),
            trees=trees,
            ticker=self.ticker,
        )
        return patches, result, done

    def with_work_tree(self) -> Git:
        """Return the repository, seeing also the objects that somebody made in the work tree."""
        own = work_tree.git_of(self.folder)
        if work_tree.mark_of(self.folder) is None:
            return self.git
        known = self.git.env.get("GIT_ALTERNATE_OBJECT_DIRECTORIES")
        more = os.pathsep.join(filter(None, [str(objects_folder(own)), known]))
        env = {**self.git.env, "GIT_ALTERNATE_OBJECT_DIRECTORIES": more}
        return Git(self.git.git_dir, env=env, behind=self.git)

    def _show(
        self, pen: Quarantine, now: RebaseState, patch: QueueCommit, merged: MergeResult
    ) -> None:
        if conflict_tree.is_of(self.folder, patch.name, merged):
            return
        work_tree.refuse_unless_free(self.folder, self.queue.folder, now.taken)
        conflict_tree.make(
            self.folder,
            pen,
            merged,
            queue=self.queue.folder,
            onto=now.onto,
            base=now.base,
            patch=patch.name,
            labels=_labels(now, patch),
        )

    def _stopped(
        self, now: RebaseState, result: RebaseResult, patch: QueueCommit, merged: MergeResult
    ) -> RebaseProgress:
        paths = tuple(conflict.path for conflict in merged.conflicted)
        return RebaseProgress(now.onto_ref, result, patch.name, self.folder, paths)

    def _is_written(self, now: RebaseState) -> bool:
        """Whether the queue is what the rebase made of it: only cleaning up is left."""
        change = journal.QueueChange((_REQUEST, now.onto), now.queue, self.queue.digest)
        # where nothing changed, the last change may be an earlier one of the same kind
        return change.before != change.after and self._journal.last() == change

    def _refuse_another(self, now: RebaseState | None) -> None:
        if now is None or now.queue == self.queue.digest:
            return
        self._refuse_other_folder(now)
        raise UsageError(
            f"the queue was changed since its rebase onto {now.onto_ref} began",
            where=str(self.queue.folder),
            hint="bring it back as it was (`git checkout`, `git stash`) to go on; or give the "
            f"rebase up with `{self.command('rebase.abort')}`",
        )

    def _refuse_other_folder(self, now: RebaseState | None) -> None:
        """Raise a UsageError where a rebase is that of a queue of the same name elsewhere."""
        here = str(self.queue.folder.resolve())
        if now is not None and now.folder != here and Path(now.folder).is_dir():
            raise UsageError(
                f"the rebase onto {now.onto_ref} that is under way is that of {now.folder}",
                where=here,
                hint="finish that one first, or keep this queue's rebases elsewhere with --cache",
            )


def stopped_at(
    patches: tuple[QueueCommit, ...], done: Replay
) -> tuple[QueueCommit, MergeResult] | None:
    for patch, step in zip(patches, done.steps, strict=True):
        if step.outcome is StepOutcome.CONFLICT:
            return patch, _merged(step)
    return None


def _merged(step: ReplayStep) -> MergeResult:
    assert step.merged is not None
    return step.merged


def _labels(now: RebaseState, patch: QueueCommit) -> conflict_tree.SideLabels:
    return conflict_tree.SideLabels(f"upstream {now.onto_ref}", "base", f"patch {patch.name}")


def _changes(pen: Quarantine, old: str, new: str) -> list[PathChange]:
    out = pen.git.out("diff-tree", "-r", "-z", "--raw", "--no-renames", "--no-abbrev", old, new)
    tokens = iter(out.split(b"\0")[:-1])
    return [PathChange.parse(facts, next(tokens)) for facts in tokens]

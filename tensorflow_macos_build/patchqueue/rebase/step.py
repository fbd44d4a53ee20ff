"""One step of a rebase that people work on, while nobody else can write its queue."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.proof import proving
from tensorflow_macos_build.patchqueue.queue import commit_cache, journal, locate
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine as rebasing
from tensorflow_macos_build.patchqueue.rebase import remarks, write_back
from tensorflow_macos_build.patchqueue.rebase import state as rebase_state
from tensorflow_macos_build.patchqueue.rebase.partial import PartialRebase
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.rebase.state import RebaseState
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.worktree import conflict_tree, work_tree

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueCommit
    from tensorflow_macos_build.patchqueue.queue.storage import Saved
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tensorflow_macos_build.patchqueue.rebase.partial import PatchConflict
    from tensorflow_macos_build.patchqueue.replay.resolutions import RecordedResolution
    from tensorflow_macos_build.patchqueue.replay.steps import Replay

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
        # Absolute: the next command may be typed in another folder.
        queue, folder = self.queue, str(self.queue.folder.resolve())
        begun = RebaseState(folder, queue.digest, queue.base.commit, onto, commit)
        with open_quarantine(self.git) as quarantine:
            return rebase_state.save(queue, quarantine, begun)

    def current(self) -> RebaseState | None:
        """Return the rebase under way; clean up behind one that a kill cut off at its very end.

        Raises:
            UsageError: it is another queue's, or the queue was changed since it began.
        """
        state = rebase_state.load(self.queue, self.git)
        if state is not None and self._is_written(state):
            self.end(state)
            return None
        self._refuse_another(state)
        return state

    def under_way(self) -> RebaseState:
        """Return the rebase under way; nothing is written.

        Raises:
            UsageError: there is none, it is another queue's, or the queue was changed since.
        """
        state = rebase_state.load(self.queue, self.git)
        if state is None or self._is_written(state):
            raise self.none_under_way()
        self._refuse_another(state)
        return state

    def none_under_way(self) -> UsageError:
        """Return the error of a command that goes on with a rebase where there is none."""
        return UsageError(
            f"no rebase of `{self.queue.name}` is under way",
            hint=f"`{self.command('rebase.start', '--onto', 'REF')}` begins one; one that was "
            "begun with another --cache is in that folder's mirror: give the same --cache",
        )

    def done_before(self) -> RebaseProgress | None:
        """Return the end of a rebase that an earlier run came to; None: it did not."""
        last = self._journal.led_to(self.queue.digest)
        if last is None or last.request[:1] != (_REQUEST,):
            return None
        with open_quarantine(self.git) as quarantine:
            # Onto its own base: every patch is clean, and the result has the document's form.
            patches = commit_cache.of_queue(self.queue, self.git)
            result, _ = rebasing.rebase_in(
                quarantine, self.queue.base, self.queue.base.commit, patches
            )
        ref = self.queue.base.ref
        note = f"the rebase of {self.queue.name} onto {ref} was finished already"
        return RebaseProgress(ref, result, "", self.folder, (), note)

    def refusal(
        self, state: RebaseState, conflict: PatchConflict | None, patch: str, *, takes: bool
    ) -> str:
        """Return why a conflict is neither settled nor left out now; "" where it is to be.

        Nobody settles what they have not seen: a command that is repeated, or that goes on after a
        kill, meets the next conflict, which it was not meant for. So the conflict must have been
        shown, or the patch be named.

        Args:
            state: the rebase.
            conflict: the one that it stands at; None: no conflict is left.
            patch: the patch that is meant, as `names.position` takes it; "": the one shown last.
            takes: whether what the work tree holds is taken; it must be that of the conflict then.

        Raises:
            UsageError: another patch is meant than the one in conflict.
        """
        if patch and (reason := self._passed(state, conflict, patch)):
            return reason
        if conflict is None:
            return "no conflict was left"
        is_there = conflict.is_in(self.folder)
        is_known = bool(patch) or (is_there and work_tree.is_shown(self.folder))
        if is_known and (is_there or not takes):
            return ""
        nothing = "taken yet" if takes else "left out"
        return f"the conflict of {conflict.patch.name} was not shown before; nothing was {nothing}"

    def _passed(self, state: RebaseState, conflict: PatchConflict | None, patch: str) -> str:
        """Return how a rebase has passed the patch that is meant; "" where it stands at it.

        Raises:
            UsageError: neither is so.
        """
        name = self.queue.names[self.queue.position(patch)]
        current = conflict.patch.name if conflict else ""
        if name in state.left_out:
            return f"{name} is left out already"
        if name == current:
            return ""
        if name in {resolution.patch for resolution in state.resolutions}:
            return f"the conflict of {name} is settled already"
        raise UsageError(
            f"{name} is not in conflict now" + (f"; {current} is" if current else ""),
            hint=self.command("rebase.status"),
        )

    @contextlib.contextmanager
    def replaying(self, state: RebaseState) -> Iterator[PartialRebase]:
        """Open the replay of a rebase; nothing is replayed yet."""
        patches = commit_cache.of_queue(self.queue, self.git)
        with open_quarantine(self.git) as quarantine:
            yield PartialRebase(
                quarantine,
                self.queue.base,
                state.onto,
                patches,
                self.ticker,
                reached=state.reached,
            )

    def decisions(self, state: RebaseState) -> Decisions:
        """Return what was decided about conflicts, in the queue and in the rebase."""
        return Decisions(self._recorded, frozenset(state.left_out), state.resolutions)

    @cached_property
    def _recorded(self) -> tuple[RecordedResolution, ...]:
        """The queue's own resolutions; nobody else writes them meanwhile."""
        return resolutions.load(self.queue.folder)

    def accept_proven(self, partial: PartialRebase, state: RebaseState) -> RebaseState:
        """Keep the answers to conflicts that are proven as a whole, up to the first that is not."""
        while True:
            met = partial.go_on(self.decisions(state))
            if met is None:
                return state
            proof = proving.prove(partial.quarantine, met.patch.name, met.merged)
            if not proof.is_whole:
                return state
            # Each is kept before the next one is looked for: a kill loses none.
            made = resolutions.keep(partial.quarantine, proving.resolution(proof, met.merged))
            state = state.with_resolution(made)
            state = rebase_state.save(self.queue, partial.quarantine, state)

    def advance(self, partial: PartialRebase, state: RebaseState) -> RebaseProgress:
        """Replay up to the next conflict and show it; at the end write the queue back."""
        quarantine = partial.quarantine
        conflict = partial.go_on(self.decisions(state))
        if conflict is None:
            # What is written back comes of the queue and of what was decided, and of nothing else.
            conflict = partial.go_through(self.decisions(state))
        result = partial.result()
        if conflict is not None:
            if came_to := partial.reached(result):
                state = replace(state, reached=came_to)
                state = rebase_state.save(self.queue, quarantine, state)
            self._show(quarantine, state, conflict)
            return self._stopped(state, result, conflict)
        if result.is_empty:
            abort = self.command("rebase.abort")
            raise remarks.NothingLeft(self.queue.folder, f"; `{abort}` gives the rebase up")
        saved = self._save(quarantine, state, result.tree, partial.replay_with_trees())
        self.end(state)
        return RebaseProgress(state.onto_ref, replace(result, saved=saved), "", self.folder, ())

    def _save(
        self, quarantine: Quarantine, state: RebaseState, tree: str, replayed: Replay
    ) -> Saved:
        """Write the queue back on its new base, with the resolutions that were made."""
        base = QueueBase(self.queue.base.upstream, state.onto_ref, state.onto)
        # Before the queue is written: builds start from this tree, and are to find it.
        quarantine.keep([tree], [state.onto])
        more = {made.file_name: quarantine.objects.blob(made.oid) for made in state.resolutions}

        def announce(after: str) -> None:
            # The journal comes before the swap: whoever finds the queue written then knows by which
            # command, though a kill kept that command from saying so.
            change = journal.QueueChange((_REQUEST, state.onto), state.queue, after)
            self._journal.write(change)

        return write_back.save(quarantine, self.queue, base, replayed, more=more, announce=announce)

    def progress(self, state: RebaseState) -> RebaseProgress:
        """Return how far a rebase is; nothing is written."""
        with self.replaying(state) as partial:
            conflict, result = partial.go_on(self.decisions(state)), partial.result()
        if conflict is None:
            return RebaseProgress(state.onto_ref, result, "", self.folder, ())
        is_there = conflict.is_in(self.folder)
        note = f"its work tree is not in {self.folder}; rebase.continue makes it"
        stopped = self._stopped(state, result, conflict)
        return replace(stopped, note="" if is_there else note)

    def settle(
        self, quarantine: Quarantine, state: RebaseState, conflict: PatchConflict
    ) -> RebaseState:
        """Keep what the work tree holds as a conflict's resolution."""
        merged = conflict.merged
        tree = conflict_tree.take(self.folder, merged, _labels(state, conflict.patch))
        work_tree.bring(self.folder, quarantine, [tree], known=merged.ours)
        changes = _changes(quarantine, merged.tree, tree)
        made = resolutions.record(quarantine, conflict.patch.name, merged, changes)
        # Both at once: what was taken is safe in the resolution, and only then may its folder go.
        state = replace(state.with_resolution(resolutions.keep(quarantine, made)), taken=tree)
        return rebase_state.save(self.queue, quarantine, state)

    def leave_out(
        self, quarantine: Quarantine, state: RebaseState, conflict: PatchConflict
    ) -> RebaseState:
        """Keep that a patch is left out; what was done in its work tree is not wanted any more."""
        # Named as given up, so that the next conflict may be shown in the same folder.
        taken = work_tree.content(self.folder) if conflict.is_in(self.folder) else state.taken
        left_out = (*state.left_out, conflict.patch.name)
        state = replace(state, left_out=left_out, taken=taken)
        return rebase_state.save(self.queue, quarantine, state)

    def give_up(self) -> str:
        """Forget the rebase and delete its work tree; return what is left for people to know.

        Raises:
            UsageError: the rebase is that of a queue of the same name elsewhere.
        """
        self._refuse_other_folder(self._readable_state())
        name = self.queue.name
        temporary.sweep(self.folder.parent)
        mark = work_tree.mark_of(self.folder)
        is_ours = mark is not None and mark.queue == str(self.queue.folder.resolve())
        if is_ours:  # whatever somebody did in it, as with `git rebase --abort`
            files.delete_folder(self.folder)
        # The state goes last: a kill before leaves a rebase that can be given up again.
        if not rebase_state.drop(self.queue, self.git):
            return f"no rebase of {name} is under way: there was nothing to give up"
        if not is_ours and self.folder.exists():
            return f"{self.folder} is not its work tree, and was left alone"
        return ""

    def _readable_state(self) -> RebaseState | None:
        """Return the state; None also for one that cannot be read, which can be given up too."""
        try:
            return rebase_state.load(self.queue, self.git)
        except UsageError:
            return None

    def end(self, state: RebaseState) -> None:
        """Forget a rebase that is done, and delete its work tree unless it would lose something."""
        if work_tree.may_go(self.folder, self.queue.folder, state.taken):
            files.delete_folder(self.folder)
        temporary.sweep(self.folder.parent)
        # The state goes last: a kill before leaves it, and `current` comes here again.
        rebase_state.drop(self.queue, self.git)

    def _show(self, quarantine: Quarantine, state: RebaseState, conflict: PatchConflict) -> None:
        if conflict.is_in(self.folder):
            return  # made by an earlier run; somebody may be at work in it
        work_tree.refuse_unless_free(self.folder, self.queue.folder, state.taken)
        conflict_tree.make(
            self.folder,
            quarantine,
            conflict.merged,
            queue=self.queue.folder,
            onto=state.onto,
            base=state.base,
            patch=conflict.patch.name,
            labels=_labels(state, conflict.patch),
        )

    def _stopped(
        self, state: RebaseState, result: RebaseResult, conflict: PatchConflict
    ) -> RebaseProgress:
        name, paths = conflict.patch.name, conflict.paths
        return RebaseProgress(state.onto_ref, result, name, self.folder, paths)

    def _is_written(self, state: RebaseState) -> bool:
        """Whether the queue is what the rebase made of it: only cleaning up is left."""
        return self._journal.ends_with((_REQUEST, state.onto), state.queue, self.queue.digest)

    def _refuse_another(self, state: RebaseState | None) -> None:
        if state is None or state.queue == self.queue.digest:
            return
        self._refuse_other_folder(state)
        raise UsageError(
            f"the queue was changed since its rebase onto {state.onto_ref} began",
            where=str(self.queue.folder),
            hint="bring its files back, names too (`git checkout`, `git stash`), to go on; or "
            f"give the rebase up with `{self.command('rebase.abort')}`",
        )

    def _refuse_other_folder(self, state: RebaseState | None) -> None:
        """Raise a UsageError where a rebase is that of a queue of the same name elsewhere."""
        here = str(self.queue.folder.resolve())
        # Where no folder is left there, the queue was moved, and its rebase comes along.
        if state is not None and state.folder != here and Path(state.folder).is_dir():
            raise UsageError(
                f"the rebase onto {state.onto_ref} that is under way is that of {state.folder}",
                where=here,
                hint="finish that one first, or keep this queue's rebases elsewhere with --cache",
            )


def _labels(state: RebaseState, patch: QueueCommit) -> conflict_tree.SideLabels:
    return conflict_tree.SideLabels(f"upstream {state.onto_ref}", "base", f"patch {patch.name}")


def _changes(quarantine: Quarantine, old: str, new: str) -> tuple[PathChange, ...]:
    (changes,) = trees.between(quarantine.git, [(old, new)])
    return changes

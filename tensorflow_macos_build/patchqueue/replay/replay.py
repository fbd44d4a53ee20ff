"""The in-memory replay: a list of patches (commits) on another tree, without a work tree.

How a patch goes onto the tree is `patched_tree`'s. The result is the one that `git rebase` gives,
tree id for tree id (docs/adr/0001-replay-in-memory.md).
"""

from __future__ import annotations

import functools
import itertools
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.patchqueue.replay import foresight
from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree, became_by
from tensorflow_macos_build.patchqueue.replay.steps import (
    Earlier,
    OnConflict,
    OtherReplay,
    OtherStep,
    Replay,
    ReplayStep,
    StepOutcome,
    changes_tree,
)
from tensorflow_macos_build.patchqueue.replay.taken_over import (
    beside_taken,
    meets_the_same,
    meets_the_same_otherwise,
)
from tensorflow_macos_build.patchqueue.replay.tree_difference import TreeDifference
from tensorflow_macos_build.patchqueue.replay.unmade_merges import UnmadeMerge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.foresight import ForeseenConflict
    from tensorflow_macos_build.patchqueue.replay.patched_tree import Became, MergedFiles
    from tensorflow_macos_build.patchqueue.replay.steps import Resolver

    _Patch = tuple[str, tuple[PathChange, ...]]
    """A commit, and what it does to each path."""

_WALK = 20
"""Patches that are walked over in the time of a merge that was not foreseen."""


def replay(
    quarantine: Quarantine,
    onto: str,
    commits: Sequence[str],
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    *,
    resolver: Resolver | None = None,
    write_trees: bool = False,
    write_last: bool = True,
    merger: FileMerger | None = None,
    changes: Iterable[tuple[PathChange, ...]] | None = None,
    earlier: Earlier[Replay] | None = None,
    foreseen: Callable[[Sequence[ForeseenConflict]], object] = foresight.untold,
    otherwise: bool = False,
    ticker: Ticker = silent,
) -> Replay:
    """Replay patches, in order, on a tree.

    Args:
        quarantine: where new objects go.
        onto: the id of the tree (or a commit's id) to begin with.
        commits: full ids of the patches; each has one parent, or none.
        on_conflict: go on with the patch's side, leave the patch out, or stop.
        resolver: asked at each conflict (the patch, its changes, the merge) how to settle it.
        write_trees: write the tree after each patch; without it, only those that git merges.
        write_last: write the tree after the last patch.
        merger: what merges files; it remembers those of an earlier replay in the quarantine.
        changes: what each patch does to each path, where the caller has it already.
        earlier: a replay on another tree of the same patches, of the first ones, or of more after
            them: what comes out the same is taken from it.
        foreseen: told of the files that conflict where the patch's side is taken, before all else.
        otherwise: foresee meanwhile what `replay_otherwise` will come to.
        ticker: told how many patches are done.
    """
    if changes is None:
        patches = list(trees.by_commit(quarantine.git, commits))
    else:
        patches = list(zip(commits, changes, strict=True))
    merger = merger or FileMerger(quarantine)
    start = tree_of(quarantine.objects, onto)
    tree = PatchedTree(quarantine, start, merger)
    replayer = _Replayer(quarantine, tree, merger, on_conflict, resolver)
    # where each step leaves something of its own, none is taken over
    takes_over = earlier and not write_trees and on_conflict is not OnConflict.STOP
    known = earlier.replay.steps[: len(patches)] if earlier and takes_over else ()
    apart = earlier.apart(start) if earlier else TreeDifference()
    taken = [meets_the_same(step, at, apart) for at, step in enumerate(known)]
    to_foresee = beside_taken(patches, taken, earlier.differences.meeting) if earlier else patches
    conflicts = replayer.foresee(start, to_foresee, len(patches) - sum(taken), foreseen)
    if otherwise:
        replayer.foresee_otherwise(start, patches, conflicts)
    steps = replayer.again(known, apart)
    stopped = False
    for commit, its_changes in patches[len(steps) :]:
        if stopped:
            # a step of its own all the same: steps and patches are walked through side by side
            steps.append(ReplayStep(commit, StepOutcome.NOT_REACHED, its_changes))
            continue
        step = replayer.step(commit, its_changes)
        if write_trees:
            step = replace(step, after=tree.write())
        steps.append(step)
        merger.go_on()
        stopped = steps[-1].outcome is StepOutcome.CONFLICT and on_conflict is OnConflict.STOP
        ticker(len(steps), len(commits))
    return Replay(start, tree.write() if write_last else "", tuple(steps))


def whole_merges(quarantine: Quarantine, done: Replay) -> Iterator[tuple[int, MergeResult]]:
    """Yield the position of each patch that nobody settled, and its merge as one of whole trees."""
    tree = PatchedTree(quarantine, done.onto, FileMerger(quarantine))
    for position, step in enumerate(done.steps):
        if step.outcome is StepOutcome.CONFLICT:
            assert step.merged is not None, "conflicts are git's to find"
            yield position, tree.whole(_CommitTrees(quarantine, step.commit), step.merged)
        tree.take(step.became)


def replay_otherwise(
    quarantine: Quarantine,
    done: Replay,
    on_conflict: OnConflict,
    *,
    resolver: Resolver | None = None,
    merger: FileMerger | None = None,
    earlier: Earlier[OtherReplay] | None = None,
) -> OtherReplay:
    """Replay patches again that were replayed on the same tree, with conflicts treated otherwise.

    A patch that meets nothing which the two replays have made different so far is not replayed, but
    what it did is taken; or what it did in an `earlier` replay, on another tree but with conflicts
    treated as here. Nor is one merged that is certain to conflict, and is left out for it.
    """
    merger = merger or FileMerger(quarantine)
    tree = PatchedTree(quarantine, done.onto, merger)
    replayer = _Replayer(quarantine, tree, merger, on_conflict, resolver)
    known = earlier.replay.steps[: len(done.steps)] if earlier else ()
    since = earlier.apart(done.onto) if earlier else TreeDifference()
    both = zip(known, done.steps, strict=False)  # the queue may go on
    taken = [
        meets_the_same_otherwise(before, step, at, since) for at, (before, step) in enumerate(both)
    ]
    anew = len(taken) - sum(taken) + sum(step.is_settled for step in done.steps[len(known) :])
    merger.finish()
    patches = [(step.commit, step.changes) for step in done.steps]
    to_foresee = beside_taken(patches, taken, earlier.differences.meeting) if earlier else patches
    replayer.foresee(done.onto, to_foresee, anew)
    apart = earlier.differences.nowhere(done.onto) if earlier else TreeDifference()
    steps: list[OtherStep] = []
    for step, before in itertools.zip_longest(done.steps, known):
        made = replayer.otherwise(step, len(steps), apart, before, since)
        apart.grow(step.became, made.became)
        if before is not None:
            since.grow(before.became, made.became)
        steps.append(made)
    return OtherReplay(done.onto, tuple(steps))


def tree_of(objects: ObjectReader, name: str) -> str:
    """Return the id of the tree that the id of a commit, or its own, stands for."""
    kind, _ = objects.read(name)
    return objects.commit(name).tree if kind == "commit" else name


class _CommitTrees:
    """The trees of a patch that is a commit."""

    def __init__(self, quarantine: Quarantine, commit: str) -> None:
        self._quarantine, self._commit = quarantine, commit

    @functools.cached_property
    def before(self) -> str:
        return self._quarantine.parent_tree(self._commit)

    @functools.cached_property
    def after(self) -> str:
        return self._quarantine.tree(self._commit)


class _Replayer:
    """Puts patches onto a tree, and decides how it goes on at conflicts."""

    def __init__(
        self,
        quarantine: Quarantine,
        tree: PatchedTree,
        merger: FileMerger,
        on_conflict: OnConflict,
        resolver: Resolver | None,
    ) -> None:
        self._tree = tree
        self._merger = merger
        self._quarantine = quarantine
        self._on_conflict = on_conflict
        self._resolver = resolver

    def foresee(
        self,
        start: str,
        patches: Sequence[_Patch],
        anew: int,
        foreseen: Callable[[Sequence[ForeseenConflict]], object] = foresight.untold,
    ) -> int:
        """Make the merges that patches will need, in order; `anew` of them are not taken.

        Return how many will conflict; `foreseen` is told where the patch's side is taken.
        """
        if anew * _WALK < len(patches):
            return 0
        self._tree.expect(changes for _, changes in patches)
        if self._on_conflict is OnConflict.STOP:  # which may be at the first one
            return 0
        skips = self._on_conflict is OnConflict.SKIP
        reporter = foresight.untold if skips else foreseen
        asked = self._quarantine, self._merger, start, self._to_do(patches)
        return foresight.foresee(*asked, skips=skips, foreseen=reporter)

    def foresee_otherwise(self, start: str, patches: Sequence[_Patch], conflicts: int) -> None:
        """Begin to make the merges that are needed where conflicts are treated otherwise."""
        if conflicts * _WALK >= len(patches) > 0:
            skips = self._on_conflict is not OnConflict.SKIP
            asked = self._quarantine, self._merger, start, self._to_do(patches)
            foresight.foresee_beside(*asked, skips=skips)

    def _to_do(self, patches: Sequence[_Patch]) -> list[_Patch]:
        return [patch for patch in patches if not self._has_landed(patch[0])]

    def again(self, known: Sequence[ReplayStep], apart: TreeDifference) -> list[ReplayStep]:
        """Replay the first patches, which were replayed on a tree that is `apart` from this one."""
        steps: list[ReplayStep] = []
        for position, before in enumerate(known):
            if self._has_landed(before.commit) or not meets_the_same(before, position, apart):
                steps.append(self.step(before.commit, before.changes))
                self._merger.go_on()
            else:
                steps.append(self._take_over(before))
            apart.grow(before.became, steps[-1].became)
        return steps

    def _take_over(self, earlier: ReplayStep) -> ReplayStep:
        """Do what a patch did that met what it meets here."""
        if not earlier.is_settled:
            self._put(earlier)
            return earlier
        # it conflicts as it did; where somebody had a say, it may be settled otherwise here
        assert earlier.merged is not None, "conflicts are git's to find"
        outcome, became = self._settle(earlier.commit, earlier.changes, earlier.merged)
        if (outcome, became) == (earlier.outcome, earlier.became):
            self._put(earlier)
            return earlier
        self._tree.take(became)
        return replace(earlier, outcome=outcome, became=became)

    def _put(self, step: ReplayStep) -> None:
        if step.puts is None:
            self._tree.take(step.became)
        else:
            self._tree.put(step.puts)

    def _has_landed(self, commit: str) -> bool:
        return self._resolver is not None and self._resolver.has_landed(commit)

    def step(self, commit: str, changes: tuple[PathChange, ...]) -> ReplayStep:
        if self._has_landed(commit):
            return ReplayStep(commit, StepOutcome.LANDED, changes)
        patch = self._tree.merge(_CommitTrees(self._quarantine, commit), changes)
        merged, became = patch.merged, patch.became
        if merged is None:
            # A patch that was empty from the start is what it was; upstream took nothing of it.
            outcome = StepOutcome.TAKEN if became or not changes else StepOutcome.EMPTY
        elif merged.clean:
            # git drops a patch whose merge changes nothing, too (git-rebase(1), --empty).
            outcome = StepOutcome.MERGED if changes_tree(became) else StepOutcome.EMPTY
        else:
            outcome, became = self._settle(commit, changes, merged)
        self._tree.take(became)
        return ReplayStep(
            commit,
            outcome,
            changes,
            patch.upstream_had,
            merged,
            became=became,
            lacks_files=patch.lacks_files,
        )

    def otherwise(
        self,
        done: ReplayStep,
        position: int,
        apart: TreeDifference,
        before: OtherStep | None,
        since: TreeDifference,
    ) -> OtherStep:
        """Replay a patch that was replayed with conflicts treated otherwise.

        Args:
            done: how it came out.
            position: its own in the queue.
            apart: what is different from the tree that it met there.
            before: the same patch in an earlier replay.
            since: what is different from the tree that it met there.
        """
        if meets_the_same(done, position, apart):
            made = self._take_over(done)
            return before if before and before.made is made else OtherStep(done.commit, made)
        if before and meets_the_same_otherwise(before, done, position, since):
            if isinstance(before.made, ReplayStep):
                return OtherStep(done.commit, self._take_over(before.made))
            if self._is_left_out(done):
                return before
        unmade = self._certain_conflict(done)
        return OtherStep(done.commit, unmade or self.step(done.commit, done.changes))

    def _is_left_out(self, done: ReplayStep) -> bool:
        """Whether a patch is left out where it conflicts, for nobody settles that."""
        if self._on_conflict is not OnConflict.SKIP or self._has_landed(done.commit):
            return False
        return self._resolver is None or not self._resolver.may_settle(done.commit, done.changes)

    def _certain_conflict(self, done: ReplayStep) -> UnmadeMerge | None:
        """Return the merge of a patch that is certain to conflict, to be settled by nobody.

        None: it may conflict all the same; or what conflicts is not left out.
        """
        if self._on_conflict is not OnConflict.SKIP:
            return None
        # files merge as quickly, without a tree
        if not self._tree.meets_beside_files(done.changes):
            return None
        patch = _CommitTrees(self._quarantine, done.commit)
        ours = self._tree.write()
        merge = UnmadeMerge(self._quarantine, self._merger, patch, ours, done.changes)
        if not merge.may_conflict or not self._is_left_out(done):
            return None
        return next((merge for _ in merge.certain()), None)

    def _settle(
        self, commit: str, changes: tuple[PathChange, ...], merged: MergedFiles | MergeResult
    ) -> tuple[StepOutcome, Became]:
        """Return how a conflict comes out, and what the tree becomes."""
        resolved = self._resolver and self._resolver(commit, changes, merged, self._tree)
        if resolved:
            outcome, entries = resolved.outcome, resolved.entries
        elif self._on_conflict is OnConflict.PROVISIONAL:
            outcome, entries = StepOutcome.CONFLICT, self._merger.sides.of(merged)
        else:
            outcome, entries = StepOutcome.CONFLICT, None
        if entries is None:  # of a patch that is skipped, left out, or stopped at, nothing is taken
            return outcome, ()
        return outcome, self._tree.otherwise(became_by(merged), entries)

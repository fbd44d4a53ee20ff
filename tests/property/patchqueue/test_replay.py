from __future__ import annotations

import tempfile
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import event, example, given, note, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git import merges, patch_sides, trees
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.git.markers import MARKER_SIZE
from tensorflow_macos_build.git.merges import MergeMessage, MergeOutcome, MergeResult, Stages
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay import foresight
from tensorflow_macos_build.patchqueue.replay.replay import replay, replay_otherwise, whole_merges
from tensorflow_macos_build.patchqueue.replay.steps import (
    Earlier,
    OnConflict,
    ReplayStep,
    StepOutcome,
)
from tensorflow_macos_build.patchqueue.replay.tree_difference import UpstreamDifferences
from tensorflow_macos_build.patchqueue.replay.unmade_merges import UnmadeMerge
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tests import repositories

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.replay.steps import OtherReplay


_WITHOUT_FOLDER = {
    path: file for path, file in repositories.BASE.items() if not path.startswith("d/e/")
}
_FOLDER_GOES = repositories.Case(
    repositories.BASE,
    (repositories.BASE, _WITHOUT_FOLDER, repositories.BASE),
    (repositories.BASE | {"d/e/own": (repositories.FILE, b"own\n")},),
)
"""Upstream takes away the folder that a patch adds a file to, and brings it back."""


@given(repositories.cases())
@settings(max_examples=30, derandomize=True, deadline=None)
def test_skipping_gives_the_tree_that_git_rebase_gives(case: repositories.Case) -> None:
    """Law: git's own answer (a tree id) is the judge of every shortcut."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        tree, stops = repositories.git_rebase_skipping(made, Path(scratch) / "work")
        with open_quarantine(made.git) as quarantine:
            ours = replay(quarantine, made.onto, made.patches, OnConflict.SKIP)
        note(str([step.outcome for step in ours.steps]))
        assert ours.tree == tree
        assert sum(step.outcome is StepOutcome.CONFLICT for step in ours.steps) == stops


@given(
    repositories.cases() | repositories.one_sided(),
    st.sampled_from((OnConflict.PROVISIONAL, OnConflict.SKIP)),
)
@settings(max_examples=50, derandomize=True, deadline=None)
def test_each_merge_is_the_one_that_git_makes_of_whole_trees(
    case: repositories.Case, on_conflict: OnConflict
) -> None:
    """Law: git's own answer is the judge of every shortcut, also where single files merge alone."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            done = replay(quarantine, made.onto, made.patches, on_conflict, write_trees=True)
            shown = dict(whole_merges(quarantine, done))
            ours = done.onto
            for position, step in enumerate(done.steps):
                if step.merged is not None:
                    event(_kind(step))
                    own = quarantine.parent_tree(step.commit), quarantine.tree(step.commit)
                    whole = merges.merge(quarantine, own[0], ours, own[1])
                    assert _conflicts(step.merged) == _conflicts(whole)
                    if whole.clean:
                        assert step.after == whole.tree
                    else:
                        assert shown[position].ours == ours
                        # markers name the throw-away commits, which are others
                        made_of = [
                            patch_sides.provisional(quarantine, m) for m in (shown[position], whole)
                        ]
                        assert made_of[0] == made_of[1]
                ours = step.after


@given(repositories.cases(patches=7), st.sampled_from((OnConflict.PROVISIONAL, OnConflict.SKIP)))
@settings(max_examples=30, derandomize=True, deadline=None)
def test_what_is_foreseen_changes_no_result(
    case: repositories.Case, on_conflict: OnConflict
) -> None:
    """Law: merges that are made beforehand only save time."""
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patched:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            foreseen = replay(quarantine, made.onto, made.patches, on_conflict)
        patched.setattr(foresight, "foresee", lambda *_, **__: 0)
        with open_quarantine(made.git) as quarantine:
            step_by_step = replay(quarantine, made.onto, made.patches, on_conflict)
    assert foreseen.tree == step_by_step.tree
    for one, other in zip(foreseen.steps, step_by_step.steps, strict=True):
        assert (one.outcome, one.became) == (other.outcome, other.became)
        assert (one.merged is None) == (other.merged is None)
        if one.merged and other.merged:  # markers name the throw-away commits, which are others
            assert _conflicts(one.merged) == _conflicts(other.merged)


def _conflicts(merged: MergeOutcome) -> tuple[list[Stages], tuple[MergeMessage, ...]]:
    stages = [Stages(file.path, file.base, file.ours, file.theirs) for file in merged.conflicted]
    return stages, merged.messages


def _kind(step: ReplayStep) -> str:
    """Return what a merge is of, for `--hypothesis-show-statistics`."""
    merged = step.merged
    sides = [(file.base, file.theirs) for file in merged.conflicted] if merged else []
    if isinstance(merged, MergeResult):
        return "whole trees"
    if any(file.ours is None for file in (merged.conflicted if merged else ())):
        return "what our side lacks"
    return "what one side lacks" if any(None in pair for pair in sides) else "files"


@given(repositories.cases())
@settings(max_examples=25, derandomize=True, deadline=None)
def test_a_patch_that_only_suffers_from_earlier_conflicts_is_told_from_a_first_cause(
    case: repositories.Case,
) -> None:
    """Law: a first cause is told from what follows from it.

    A patch that conflicts where earlier conflicting patches are left out, but not where they are
    resolved their way, is clean after those. One that conflicts only where they are resolved their
    way is a knock-on of them.
    """
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        patches = repositories.commits_of(made.git, f"{made.base}..queue")
        base = QueueBase("", "base", made.base)
        with open_quarantine(made.git) as quarantine:
            (provisional, there), (skipping, here) = (
                engine.rebase_in(quarantine, base, made.onto, patches, policy)
                for policy in (OnConflict.PROVISIONAL, OnConflict.SKIP)
            )
    for patch, other, step, skipped in zip(
        provisional.patches, skipping.patches, there.steps, here.steps, strict=True
    ):
        outcomes = step.outcome, skipped.outcome
        note(f"{patch.status} {other.status} {outcomes}")
        if outcomes in ((StepOutcome.TAKEN, StepOutcome.CONFLICT),
                        (StepOutcome.MERGED, StepOutcome.CONFLICT)):  # fmt: skip
            assert patch.status is other.status is Status.CLEAN_AFTER
            assert patch.evidence.clean_after == other.evidence.clean_after != ()
        elif outcomes == (StepOutcome.CONFLICT, StepOutcome.MERGED):
            assert patch.status is Status.KNOCK_ON
            assert patch.evidence.knock_on_of
        else:
            assert Status.CLEAN_AFTER is not patch.status


@given(
    repositories.cases(patches=7),
    st.sampled_from((OnConflict.PROVISIONAL, OnConflict.SKIP)),
    st.booleans(),
)
@settings(max_examples=40, derandomize=True, deadline=None)
def test_patches_that_share_no_path_with_a_conflict_come_out_the_same_otherwise(
    case: repositories.Case, on_conflict: OnConflict, beside: bool
) -> None:
    """Law: what is not replayed anew comes out as it would have."""
    otherwise = {
        OnConflict.PROVISIONAL: OnConflict.SKIP,
        OnConflict.SKIP: OnConflict.PROVISIONAL,
    }[on_conflict]
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            merger = FileMerger(quarantine)
            asked = quarantine, made.onto, made.patches, on_conflict
            done = replay(*asked, merger=merger, otherwise=beside)
            again = replay_otherwise(quarantine, done, otherwise, merger=merger if beside else None)
            whole = replay(quarantine, made.onto, made.patches, otherwise)
        assert [step.outcome for step in again.steps] == [step.outcome for step in whole.steps]


@given(
    repositories.cases(patches=7) | repositories.on_a_conflict(),
    st.sampled_from((OnConflict.PROVISIONAL, OnConflict.SKIP)),
    st.integers(0, 7),
)
@example(_FOLDER_GOES, OnConflict.PROVISIONAL, 1)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_replay_that_takes_from_an_earlier_one_is_the_whole_replay(
    case: repositories.Case, on_conflict: OnConflict, most: int
) -> None:
    """Law: what comes out the same on another tree of upstream's need not be replayed there."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            differences = _differences(quarantine, made)
            latest = replay(quarantine, made.base, made.patches[:most], on_conflict)
            for onto in (*made.upstream, made.base):
                asked = (quarantine, onto, made.patches, on_conflict)
                whole = replay(*asked)
                earlier = Earlier(latest, differences)
                latest = replay(*asked, earlier=earlier)
                assert latest.tree == whole.tree
                for step, there in zip(latest.steps, whole.steps, strict=True):
                    assert _without_markers(step) == _without_markers(there)


@given(
    repositories.cases(patches=7) | repositories.on_a_conflict(),
    st.sampled_from((OnConflict.PROVISIONAL, OnConflict.SKIP)),
)
@settings(max_examples=60, derandomize=True, deadline=None)
def test_a_replay_done_otherwise_that_takes_from_an_earlier_one_is_the_whole_replay(
    case: repositories.Case, on_conflict: OnConflict
) -> None:
    """Law: conflicts, too, are those that a replay from scratch has on the same tree."""
    first = OnConflict.SKIP if on_conflict is OnConflict.PROVISIONAL else OnConflict.PROVISIONAL
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            differences = _differences(quarantine, made)
            latest: Earlier[OtherReplay] | None = None
            for onto in (*made.upstream, made.base, made.onto):
                done = replay(quarantine, onto, made.patches, first)
                other = replay_otherwise(quarantine, done, on_conflict, earlier=latest)
                whole = replay(quarantine, onto, made.patches, on_conflict)
                for step, before, there in zip_longest(
                    other.steps, latest.replay.steps if latest else (), whole.steps
                ):
                    taken = before is not None and step.made is before.made
                    event(f"{type(step.made).__name__}, taken: {taken}")
                    assert (step.outcome, step.became) == (there.outcome, there.became)
                    merged = there.merged
                    conflicted = tuple(file.path for file in merged.conflicted) if merged else ()
                    if isinstance(step.conflicts, UnmadeMerge):
                        assert {*step.conflicts.certain()} <= {*conflicted}
                        assert step.conflicts.conflicted == conflicted
                    else:
                        assert step.conflicts == conflicted
                latest = Earlier(other, differences)


def _differences(quarantine: Quarantine, made: repositories.Made) -> UpstreamDifferences:
    changes = [changes for _, changes in trees.by_commit(quarantine.git, made.patches)]
    return UpstreamDifferences(quarantine, quarantine.tree(made.base), changes)


def _without_markers(step: ReplayStep) -> tuple[object, ...]:
    """Return what a step did; markers name throw-away commits, which are others."""
    conflicts = step.merged and _conflicts(step.merged)
    return step.outcome, step.upstream_had, step.became, conflicts


@given(repositories.cases(patches=7) | repositories.one_sided())
@settings(max_examples=50, derandomize=True, deadline=None)
def test_a_conflict_that_is_certain_is_one_of_those_that_git_finds(
    case: repositories.Case,
) -> None:
    """Law: a merge that is not made has the conflicts that are certain, and no impossible one."""
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            done = replay(quarantine, made.onto, made.patches)
            again = replay_otherwise(quarantine, done, OnConflict.SKIP)
            skip = OnConflict.SKIP
            whole = replay(quarantine, made.onto, made.patches, skip, write_trees=True)
            for step, other in zip(whole.steps, again.steps, strict=True):
                assert step.outcome is other.outcome
                if not isinstance(other.conflicts, UnmadeMerge):
                    continue
                own = quarantine.parent_tree(step.commit), quarantine.tree(step.commit)
                # what is left out leaves the tree as it is
                merged = merges.merge(quarantine, own[0], step.after, own[1])
                conflicted = {file.path for file in merged.conflicted}
                assert set(other.conflicts.certain()) <= conflicted
                changed = {change.path for change in step.changes}
                assert conflicted & changed <= other.conflicts.possible
                # a file in a folder's way has the name of a throw-away commit behind its own
                moved = {path for path in conflicted - changed if "~" not in path}
                event(f"moved: {bool(moved)}")
                assert all(map(other.conflicts.may_move_to, moved))


@given(repositories.cases())
@settings(max_examples=25, derandomize=True, deadline=None)
def test_no_marker_is_left_by_a_provisional_resolution(case: repositories.Case) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        made = repositories.make(case, Path(scratch) / "repository")
        with open_quarantine(made.git) as quarantine:
            done = replay(quarantine, made.onto, made.patches)
            listed = quarantine.git.line(
                "ls-tree", "-r", "--format=%(objecttype) %(objectname)", done.tree
            )
            blobs = [row.removeprefix("blob ") for row in listed.split("\n") if "blob " in row]
            assert not any(b"<" * MARKER_SIZE in quarantine.objects.blob(name) for name in blobs)

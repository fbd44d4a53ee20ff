"""Merges that are foreseen: which ones a replay no longer has to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.file_merges import FileMerger, FileVersions
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.patchqueue.replay.foresight import ForeseenConflict
from tensorflow_macos_build.patchqueue.replay.replay import replay, replay_otherwise
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict, Resolved, StepOutcome
from tests import repositories

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.file_merges import FileMerge
    from tensorflow_macos_build.git.merge_queue import Urgency
    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree
    from tests.repositories import Files


class CountingMerger(FileMerger):
    """Counts the merges that are foreseen, and the files that a replay itself has to ask for."""

    def __init__(self, quarantine: Quarantine) -> None:
        super().__init__(quarantine)
        self.foreseen: list[FileVersions] = []
        self.asked = 0

    def expect_merge(
        self,
        tree: str,
        file: FileVersions,
        then: Callable[[FileMerge], object],
        urgency: Urgency,
    ) -> None:
        self.foreseen.append(file)
        super().expect_merge(tree, file, then, urgency)

    def merge(self, tree: str, files: Sequence[FileVersions]) -> list[FileMerge]:
        self.asked += sum(self.known(tree, file) is None for file in files)
        return super().merge(tree, files)


def edited(files: Files, salt: str, **at: int) -> Files:
    """Change a line of some files."""
    changed = dict(files)
    for path, number in at.items():
        mode, content = files[path]
        lines = content.split(b"\n")
        lines[number] = b"%s of %s" % (lines[number], salt.encode())
        changed[path] = mode, b"\n".join(lines)
    return changed


def chain(*edits: dict[str, int], start: Files) -> tuple[Files, ...]:
    made: list[Files] = []
    for number, edit in enumerate(edits):
        start = edited(start, f"patch {number}", **edit)
        made.append(start)
    return tuple(made)


BASE: Files = {path: ("100644", repositories.lines(path)) for path in "abc"}


def foreseen(
    case: repositories.Case, folder: Path, on_conflict: OnConflict
) -> tuple[list[str], int]:
    """Return the paths that are foreseen to merge, and how many files are asked for besides."""
    made = repositories.make(case, folder)
    with open_quarantine(made.git) as quarantine:
        merger = CountingMerger(quarantine)
        replay(quarantine, made.onto, made.patches, on_conflict, merger=merger)
        return sorted(file.path for file in merger.foreseen), merger.asked


@pytest.mark.parametrize("on_conflict", [OnConflict.PROVISIONAL, OnConflict.SKIP])
def test_each_file_that_a_patch_meets_is_merged_once_before_the_replay(
    tmp_path: Path, on_conflict: OnConflict
) -> None:
    upstream = (edited(BASE, "upstream", a=0, b=0, c=0),)
    patches = chain({"a": 3, "b": 3}, {"a": 5}, {"c": 5}, {"a": 7, "c": 7}, start=BASE)
    case = repositories.Case(BASE, upstream, patches)
    assert foreseen(case, tmp_path / "r", on_conflict) == ([*"aaabcc"], 0)


def test_behind_a_conflict_what_its_resolution_meets_is_foreseen(tmp_path: Path) -> None:
    """The first patch conflicts; left out, the second one meets upstream's line as well."""
    upstream = (edited(edited(BASE, "upstream", a=3, b=0), "upstream", a=0),)
    patches = chain({"a": 3, "b": 5}, {"a": 3}, {"b": 7}, start=BASE)
    case = repositories.Case(BASE, upstream, patches)
    assert foreseen(case, tmp_path / "on", OnConflict.PROVISIONAL) == ([*"aabb"], 0)
    assert foreseen(case, tmp_path / "skip", OnConflict.SKIP) == ([*"aabb"], 0)


def test_a_replay_that_stops_asks_for_what_it_reaches(tmp_path: Path) -> None:
    upstream = (edited(BASE, "upstream", a=3, b=0),)
    case = repositories.Case(BASE, upstream, chain({"a": 3}, {"b": 5}, start=BASE))
    assert foreseen(case, tmp_path / "r", OnConflict.STOP) == ([], 1)


@pytest.mark.parametrize("on_conflict", list(OnConflict))
def test_conflicts_are_told_before_the_replay_where_the_patchs_side_is_taken(
    tmp_path: Path, on_conflict: OnConflict
) -> None:
    """They are those that it comes to, each with the versions that meet there."""
    upstream = (edited(edited(BASE, "upstream", a=3, b=0), "upstream", a=0),)
    patches = chain({"a": 3, "b": 5}, {"a": 3}, {"b": 0, "c": 1}, {"c": 2}, start=BASE)
    made = repositories.make(repositories.Case(BASE, upstream, patches), tmp_path / "r")
    told: list[ForeseenConflict] = []
    with open_quarantine(made.git) as quarantine:
        done = replay(quarantine, made.onto, made.patches, on_conflict, foreseen=told.extend)
    met = [
        ForeseenConflict(s.commit, s.changes, FileVersions(f.path, f.base, f.ours, f.theirs))
        for s in done.steps
        for f in (s.merged.conflicted if s.merged else ())
    ]
    assert sorted(told) == (sorted(met) if on_conflict is OnConflict.PROVISIONAL else [])
    assert (len(met) == 1) is (on_conflict is OnConflict.STOP)


@pytest.mark.parametrize("on_conflict", [OnConflict.PROVISIONAL, OnConflict.SKIP])
def test_what_a_replay_comes_to_otherwise_is_merged_beside(
    tmp_path: Path, on_conflict: OnConflict
) -> None:
    upstream = (edited(edited(BASE, "upstream", a=3, b=0), "upstream", a=0),)
    patches = chain({"a": 3}, {"a": 3}, {"a": 7, "b": 5}, {"b": 0, "c": 1}, {"b": 2}, start=BASE)
    made = repositories.make(repositories.Case(BASE, upstream, patches), tmp_path / "r")
    other = OnConflict.SKIP if on_conflict is OnConflict.PROVISIONAL else OnConflict.PROVISIONAL
    with open_quarantine(made.git) as quarantine:
        merger = CountingMerger(quarantine)
        asked = quarantine, made.onto, made.patches, on_conflict
        done = replay(*asked, merger=merger, otherwise=True)
        merger.finish()
        merger.foreseen.clear()
        again = replay_otherwise(quarantine, done, other, merger=merger)
        assert (merger.foreseen, merger.asked) == ([], 0)
        alone = replay(quarantine, made.onto, made.patches, other)
    assert [step.outcome for step in again.steps] == [step.outcome for step in alone.steps]


class Settled:
    """Settles conflicts by an entry for `a`; one patch has landed."""

    def __init__(self, entry: TreeEntry, landed: str = "") -> None:
        self._entry, self._landed = entry, landed

    def __call__(
        self,
        commit: str,
        changes: tuple[PathChange, ...],
        merged: MergeOutcome,
        ours: PatchedTree,
    ) -> Resolved:
        return Resolved(StepOutcome.RESOLVED, {"a": self._entry})

    def may_settle(self, commit: str, changes: tuple[PathChange, ...]) -> bool:
        return True

    def has_landed(self, commit: str) -> bool:
        return commit == self._landed


def test_what_is_foreseen_wrongly_may_be_missing(tmp_path: Path) -> None:
    """The second patch makes what the first one's conflict is settled by: nothing is to merge."""
    upstream = (edited(edited(BASE, "upstream", a=3), "upstream", a=0),)
    case = repositories.Case(BASE, upstream, chain({"a": 3}, {"a": 5}, start=BASE))
    made = repositories.make(case, tmp_path / "r")
    missing = TreeEntry("100644", "1" * 40)
    with open_quarantine(made.git) as quarantine:
        first, second = (changes for _, changes in trees.by_commit(made.git, made.patches))
        done = replay(
            quarantine,
            made.onto,
            made.patches,
            resolver=Settled(missing),
            changes=[first, (second[0]._replace(new=missing),)],
        )
    assert [step.outcome for step in done.steps] == [StepOutcome.RESOLVED, StepOutcome.EMPTY]


def test_a_pick_that_upstream_has_is_not_merged(tmp_path: Path) -> None:
    upstream = (edited(BASE, "upstream", a=0),)
    case = repositories.Case(BASE, upstream, chain({"a": 5}, start=BASE))
    made = repositories.make(case, tmp_path / "r")
    with open_quarantine(made.git) as quarantine:
        merger, landed = CountingMerger(quarantine), Settled(TreeEntry("100644", ""), *made.patches)
        replay(quarantine, made.onto, made.patches, merger=merger, resolver=landed)
        assert (merger.foreseen, merger.asked) == ([], 0)

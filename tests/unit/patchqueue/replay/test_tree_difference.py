"""What is known of patches and of what two trees have different, without a look at each patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.trees import PathChange
from tensorflow_macos_build.patchqueue.replay.patched_tree import TreePair
from tensorflow_macos_build.patchqueue.replay.tree_difference import (
    MeetingPatches,
    TreeDifference,
    UpstreamDifferences,
    footprint,
)
from tests import repositories

if TYPE_CHECKING:
    from pathlib import Path

_PATHS = st.sampled_from(
    ("a", "a/b", "a/c/d", "a/c/.gitattributes", "e/f", "e/g/h", ".gitattributes")
)
_ENTRIES = st.sampled_from((None, TreeEntry("100644", "1" * 40), TreeEntry("100644", "2" * 40)))
_CHANGES = st.lists(
    st.builds(PathChange, _PATHS, _ENTRIES, _ENTRIES), max_size=3, unique_by=lambda c: c.path
).map(tuple)


@given(
    start=_CHANGES,
    patches=st.lists(_CHANGES, max_size=5),
    made=st.lists(st.tuples(_CHANGES, _CHANGES), max_size=4),
    standing=st.frozensets(st.sampled_from(("a", "a/c", "e", "e/g"))),
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_patch_that_may_meet_no_difference_meets_none(
    start: tuple[PathChange, ...],
    patches: list[tuple[PathChange, ...]],
    made: list[tuple[tuple[PathChange, ...], tuple[PathChange, ...]]],
    standing: frozenset[str],
) -> None:
    """Law: judged by the paths and folders of each patch, after whatever became of both trees."""
    apart = TreeDifference(start, stands=standing.__contains__, meeting=MeetingPatches(patches))
    for became, other in [((), ()), *made]:
        apart.grow(became, other)
        for position, changes in enumerate(patches):
            if not apart.may_meet(position):
                assert apart.leaves(footprint(changes), merged=True)


def test_patches_that_nobody_listed_may_meet_anything() -> None:
    assert TreeDifference().may_meet(0)


_FILE = TreeEntry("100644", "1" * 40)
_ADDS_BESIDE = footprint([PathChange("a/c/new", None, _FILE)])


def test_what_comes_into_a_folder_is_met_by_who_adds_there_unless_the_folder_stands() -> None:
    comes = PathChange("a/other", None, _FILE)
    assert not TreeDifference([comes]).leaves(_ADDS_BESIDE, merged=False)
    assert TreeDifference([comes], stands=_always).leaves(_ADDS_BESIDE, merged=False)


def test_no_folder_stands_for_sure_once_git_merged_whole_trees() -> None:
    """They may follow a rename of the folder, though both replays have the same trees then."""
    apart = TreeDifference(stands=_always)
    taken_over = TreePair("1" * 40, "2" * 40)
    apart.grow(taken_over, taken_over)
    assert apart.is_none
    apart.grow((PathChange("a/other", None, _FILE),), ())
    assert not apart.leaves(_ADDS_BESIDE, merged=False)


@pytest.mark.parametrize(
    ("removed", "shaky"), [((), {"d/e"}), (("c/g",), {"c", "d/e"})], ids=["patches", "decisions"]
)
def test_a_folder_stands_while_it_has_a_file_that_nobody_takes_away(
    tmp_path: Path, removed: tuple[str, ...], shaky: set[str]
) -> None:
    grown = repositories.BASE | {
        f"{folder}/new": (repositories.FILE, b"") for folder in ("a", "c", "d/e")
    }
    case = repositories.Case(repositories.BASE, (grown,), (repositories.BASE,))
    made = repositories.make(case, tmp_path / "repository")
    deletes = tuple(PathChange(path, _FILE, None) for path in ("c/f", "d/e/f", "d/e/g"))
    adds = {
        folder: footprint([PathChange(f"{folder}/own", None, _FILE)])
        for folder in ("a", "c", "d/e")
    }
    with open_quarantine(made.git) as quarantine:
        old, new = quarantine.tree(made.base), quarantine.tree(made.onto)
        differences = UpstreamDifferences(quarantine, old, [deletes], removed)
        apart = differences.between(old, new)
        assert {at for at, meets in adds.items() if not apart.leaves(meets, merged=False)} == shaky


def _always(_: str) -> bool:
    return True

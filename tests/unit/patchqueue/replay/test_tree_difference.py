"""What is known of patches and of what two trees have different, without a look at each patch."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.trees import PathChange
from tensorflow_macos_build.patchqueue.replay.tree_difference import (
    MeetingPatches,
    TreeDifference,
    footprint,
)

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
)
@settings(max_examples=200, derandomize=True, deadline=None)
def test_a_patch_that_may_meet_no_difference_meets_none(
    start: tuple[PathChange, ...],
    patches: list[tuple[PathChange, ...]],
    made: list[tuple[tuple[PathChange, ...], tuple[PathChange, ...]]],
) -> None:
    """Law: judged by the paths and folders of each patch, after whatever became of both trees."""
    apart = TreeDifference(start, meeting=MeetingPatches(patches))
    for became, other in [((), ()), *made]:
        apart.grow(became, other)
        for position, changes in enumerate(patches):
            if not apart.may_meet(position):
                assert apart.leaves(footprint(changes), merged=True)


def test_patches_that_nobody_listed_may_meet_anything() -> None:
    assert TreeDifference().may_meet(0)

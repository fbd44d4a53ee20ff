"""What of an earlier replay, on another tree, comes out the same, and so is taken over."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.merges import MergeResult
from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.steps import OtherStep
    from tensorflow_macos_build.patchqueue.replay.tree_difference import (
        MeetingPatches,
        TreeDifference,
    )

    _Patch = tuple[str, tuple[PathChange, ...]]
    """A commit, and what it does to each path."""


def meets_the_same(step: ReplayStep, position: int, apart: TreeDifference) -> bool:
    """Whether a patch meets here what it met on a tree that is `apart` from this one.

    Then it comes out the same, unless it conflicts and is settled otherwise. `position` is its
    own in the queue.
    """
    if not step.is_by_itself:
        return False
    if step.is_plain and not apart.may_meet(position):  # most end here
        return True
    if apart.is_none:
        return True
    if isinstance(step.merged, MergeResult):
        return False  # anything in the trees may have had a say
    if step.lacks_files and not apart.moves_none:
        return False
    return apart.leaves(step.meets, merged=step.merged is not None)


def meets_the_same_otherwise(
    before: OtherStep, done: ReplayStep, position: int, since: TreeDifference
) -> bool:
    """Whether a patch meets here what it met before; `done` is how it came out otherwise."""
    if isinstance(before.made, ReplayStep):
        return meets_the_same(before.made, position, since)
    return since.moves_none and since.leaves(done.meets, merged=True)


def beside_taken(
    patches: Sequence[_Patch], taken: Sequence[bool], meeting: MeetingPatches
) -> Sequence[_Patch]:
    """Return the patches that are not taken from another replay, and what decides about them.

    That is what the others do to the same paths. The first ones are `taken` or not.
    """
    if not taken:
        return patches
    made = [*itertools.compress(patches, (not same for same in taken)), *patches[len(taken) :]]
    paths = {change.path for _, changes in made for change in changes}
    near = sorted({at for path in paths for at in meeting.at(path) if at < len(patches)})
    on_them = (
        (commit, tuple(change for change in whole if change.path in paths))
        for commit, whole in map(patches.__getitem__, near)
    )
    return [patch for patch in on_them if patch[1]]

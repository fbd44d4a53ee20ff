"""Where the trees of two replays of the same patches differ, and what comes out the same for it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import attributes
from tensorflow_macos_build.git.trees import folders_above
from tensorflow_macos_build.patchqueue.replay.patched_tree import TreePair

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.patched_tree import Became


class Footprint(NamedTuple):
    """What a patch meets in a tree, unless git looks for files that it may have become.

    Attributes:
        paths: its paths, and `shape`.
        shape: the paths that it adds or takes away, and the folders above them.
    """

    paths: frozenset[str]
    shape: frozenset[str]


def footprint(changes: Sequence[PathChange]) -> Footprint:
    """Return what a patch meets that does this."""
    one_sided = {change.path for change in changes if change.old is None or change.new is None}
    shape = one_sided.union(*map(folders_above, one_sided))
    return Footprint(frozenset(shape.union(c.path for c in changes)), frozenset(shape))


class TreeDifference:
    """The paths at which the trees of two replays are different, from patch to patch.

    Args:
        changes: what is different before the first patch, from one tree to the other.
    """

    def __init__(self, changes: Iterable[PathChange] = ()) -> None:
        self._paths: dict[str, bool] = {}
        """Whether there is something at a path in one of the trees only."""
        self._inside: Counter[str] = Counter()
        """In how many paths a folder is otherwise, of those at which one tree has nothing."""
        self._rules: set[str] = set()
        self._anywhere = False
        for change in changes:
            self._differs(change.path, one_sided=None in (change.old, change.new))

    @property
    def is_none(self) -> bool:
        """Whether the trees are the same."""
        return not (self._paths or self._anywhere)

    def leaves(self, meets: Footprint, *, merged: bool) -> bool:
        """Whether a patch meets the same in both trees.

        Args:
            meets: what it meets.
            merged: whether contents were merged for it, as .gitattributes say.
        """
        if self._anywhere or (merged and self._rules):
            return False
        return self._paths.keys().isdisjoint(meets.paths) and self._inside.keys().isdisjoint(
            meets.shape
        )

    def grow(self, became: Became, other: Became) -> None:
        """Take note of what became of the trees by a patch, which may be the same again."""
        if isinstance(became, TreePair) or isinstance(other, TreePair):
            self._anywhere = True  # git may have followed a rename to any path
            return
        made, made_there = ({change.path: change for change in side} for side in (became, other))
        for path in made.keys() | made_there.keys():
            changes = [side[path] for side in (made, made_there) if path in side]
            if len(changes) == 2 and changes[0].new == changes[1].new:
                self._is_same(path)
            else:
                sides = {entry for change in changes for entry in (change.old, change.new)}
                self._differs(path, one_sided=None in sides)

    def _differs(self, path: str, *, one_sided: bool) -> None:
        if one_sided and not self._paths.get(path):
            self._inside.update(folders_above(path))
        self._paths[path] = one_sided or self._paths.get(path, False)
        if path.rpartition("/")[2] == attributes.NAME:
            self._rules.add(path)

    def _is_same(self, path: str) -> None:
        if self._paths.pop(path, False):
            for folder in folders_above(path):
                self._inside[folder] -= 1
                if not self._inside[folder]:
                    del self._inside[folder]
        self._rules.discard(path)

"""Where the trees of two replays of the same patches differ, and what comes out the same for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import attributes, trees
from tensorflow_macos_build.git.trees import folders_above
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup
from tensorflow_macos_build.patchqueue.replay.patched_tree import TreePair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
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


class MeetingPatches:
    """Which patches of a queue meet a path.

    Args:
        patches: what each does to each path, in order.
    """

    def __init__(self, patches: Iterable[Sequence[PathChange]]) -> None:
        self._at: dict[str, list[int]] = {}
        self._inside: dict[str, list[int]] = {}
        for position, changes in enumerate(patches):
            meets = footprint(changes)
            for path in meets.paths:
                self._at.setdefault(path, []).append(position)
            for path in meets.shape:
                self._inside.setdefault(path, []).append(position)

    def at(self, path: str) -> Sequence[int]:
        """Return the positions of the patches that meet what is at a path."""
        return self._at.get(path, ())

    def inside(self, folder: str) -> Sequence[int]:
        """Return those of the patches that meet it when something comes into a folder, or goes."""
        return self._inside.get(folder, ())


def _never(_: str) -> bool:
    return False


class TreeDifference:
    """The paths at which the trees of two replays are different, from patch to patch.

    Args:
        changes: what is different before the first patch, from one tree to the other.
        stays: whether a file is there before each patch, as the queue has it.
        stands: whether a folder has a file in each tree that is there all along, unless git merges
            whole trees: then no patch can tell what else comes into it, or goes.
        meeting: which patches meet a path, where that is known.
    """

    def __init__(
        self,
        changes: Iterable[PathChange] = (),
        stays: Callable[[str], bool] = _never,
        stands: Callable[[str], bool] = _never,
        meeting: MeetingPatches | None = None,
    ) -> None:
        self._stays = stays
        self._stands = stands
        self._meeting = meeting
        self._met: set[int] = set()
        self._paths: dict[str, bool] = {}
        """Whether there is something at a path in one of the trees only."""
        self._inside: Counter[str] = Counter()
        """In how many paths a folder is otherwise, of those at which one tree has nothing; of
        folders that stand nobody has to know."""
        self._rules: set[str] = set()
        self._moving: set[str] = set()
        """The paths at which git may see that a side added a file, or took one away."""
        self._anywhere = False
        for change in changes:
            self._differs(change.path, one_sided=None in (change.old, change.new))

    @property
    def is_none(self) -> bool:
        """Whether the trees are the same."""
        return not (self._paths or self._anywhere)

    @property
    def moves_none(self) -> bool:
        """Whether a patch finds the same files added and gone in both trees, wherever they are.

        What is different are then contents of files that are there in both, and before the patch:
        git takes none of those for renamed.
        """
        return not (self._moving or self._anywhere)

    def may_meet(self, position: int) -> bool:
        """Whether a patch may meet something that is different now, or was so far.

        That costs less than to look at what it meets: most patches meet nothing of it.
        """
        everywhere = self._meeting is None or self._anywhere or self._rules
        return bool(everywhere) or position in self._met

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
        if became is other:  # it was taken over, so that it met nothing that is different
            if isinstance(became, TreePair):  # the trees are the same yet, but may have lost files
                self._stands = _never
            return
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
        folders = self._shaky(path) if one_sided else ()
        if not self._paths.get(path):
            self._inside.update(folders)
        if self._meeting is not None:
            self._met.update(self._meeting.at(path))
            for folder in folders:
                self._met.update(self._meeting.inside(folder))
        self._paths[path] = one_sided or self._paths.get(path, False)
        if self._paths[path] or not self._stays(path):
            self._moving.add(path)
        if path.rpartition("/")[2] == attributes.NAME:
            self._rules.add(path)

    def _is_same(self, path: str) -> None:
        if self._paths.pop(path, False):
            for folder in self._shaky(path):
                self._inside[folder] -= 1
                if not self._inside[folder]:
                    del self._inside[folder]
        self._rules.discard(path)
        self._moving.discard(path)

    def _shaky(self, path: str) -> list[str]:
        """Return the folders above a path that may be gone without it."""
        return [folder for folder in folders_above(path) if not self._stands(folder)]


class UpstreamDifferences:
    """What is different between trees of upstream's that a queue is replayed on.

    Args:
        quarantine: where the objects are.
        base: the tree that the first patch was made for.
        patches: what each patch does to each path. They are a line: each was made for what those
            before it make of the base.
        removed: further paths that a replay may take files away from, for somebody decided so.

    Attributes:
        meeting: which of the patches meet a path.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        base: str,
        patches: Sequence[Sequence[PathChange]],
        removed: Iterable[str] = (),
    ) -> None:
        self.meeting = MeetingPatches(patches)
        # both sides are upstream's: what is in memory yet need not be written for it
        self._git = replace(quarantine.git, publish=None)
        self._objects = quarantine.objects
        self._lookup = TreeLookup(quarantine)
        self._base = base
        self._removed = {c.path for changes in patches for c in changes if c.new is None}
        self._removed.update(removed)
        self._known: tuple[tuple[str, str], tuple[PathChange, ...]] | None = None
        self._stay: dict[str, bool] = {}
        self._standing: dict[tuple[str, str], bool] = {}

    def between(self, old: str, new: str) -> TreeDifference:
        """Return what is different between two trees; the last one that was asked for is kept."""
        if self._known is None or self._known[0] != (old, new):
            (changes,) = trees.between(self._git, [(old, new)])
            self._known = (old, new), changes
        return self._difference(self._known[1], old, new)

    def nowhere(self, tree: str) -> TreeDifference:
        """Return that nothing is different yet, where patches are replayed twice on a tree."""
        return self._difference((), tree)

    def _difference(self, changes: Iterable[PathChange], *on: str) -> TreeDifference:
        def stands(folder: str) -> bool:
            return all(self._stands(tree, folder) for tree in on)

        return TreeDifference(changes, self._stays, stands, self.meeting)

    def _stays(self, path: str) -> bool:
        if path not in self._stay:
            entry = self._lookup.at(self._base, path)
            there = entry is not None and not entry.is_tree
            self._stay[path] = there and path not in self._removed
        return self._stay[path]

    def _stands(self, tree: str, folder: str) -> bool:
        if (tree, folder) not in self._standing:
            entry = self._lookup.at(tree, folder)
            listed = self._objects.tree(entry.oid) if entry and entry.is_tree else {}
            self._standing[tree, folder] = any(
                not below.is_tree and f"{folder}/{name}" not in self._removed
                for name, below in listed.items()
            )
        return self._standing[tree, folder]

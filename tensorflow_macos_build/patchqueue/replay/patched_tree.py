"""The tree of a replay as it stands: patches are put onto it, one after the other.

Where a patch meets nothing, comparing blob ids decides (ours equals the patch's preimage: take the
postimage; ours equals the postimage: nothing to do). Where single files meet that have no part in a
rename, they alone are merged (`git.file_merges`). Only where a path may have been renamed here, its
folder is gone or moved, or it is of another kind, git merges the whole trees.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

from tensorflow_macos_build.git import attributes
from tensorflow_macos_build.git.file_merges import FileMerger, FileVersions
from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome, MergeResult
from tensorflow_macos_build.git.overlay import Overlay, tree_of_paths
from tensorflow_macos_build.git.trees import PathChange

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.git.file_merges import FileMerge
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine


class PatchTrees(Protocol):
    """The trees that a patch is the difference of; they are asked for where ids do not decide."""

    @property
    def before(self) -> str:
        """The id of the tree before it."""

    @property
    def after(self) -> str:
        """The id of the tree after it."""


class TreePair(NamedTuple):
    """The ids of the trees before and after a change."""

    before: str
    after: str


Became = tuple[PathChange, ...] | TreePair
"""What a tree became: path by path; or whole trees, where git merged those."""


class PathEntries(NamedTuple):
    """What a patch puts into a tree.

    Attributes:
        entries: what is then at paths, None where nothing is.
        rules: whether a .gitattributes is among them.
    """

    entries: Mapping[str, TreeEntry | None]
    rules: bool


def path_entries(became: Sequence[PathChange]) -> PathEntries:
    """Return what is different in a tree after it became another one, path by path."""
    entries = {change.path: change.new for change in became if change.new != change.old}
    rules = any(path.rpartition("/")[2] == attributes.NAME for path in entries)
    return PathEntries(entries, rules)


def trees_of(quarantine: Quarantine, became: Became) -> TreePair:
    """Return two trees that differ as a tree before and after; they need not hold what is equal."""
    if isinstance(became, TreePair):
        return became
    before = {change.path: change.old for change in became}
    after = {change.path: change.new for change in became}
    return TreePair(*(tree_of_paths(quarantine, side) for side in (before, after)))


@dataclass(frozen=True)
class MergedFiles(MergeOutcome):
    """The merge of a patch of which single files met others, and ids decided for the rest.

    Attributes:
        changes: what it makes of our side; with conflicts, files hold diff3 markers.
        ruled_by: a tree with the .gitattributes that counted, which are our side's.
    """

    changes: tuple[PathChange, ...]
    ruled_by: str


def became_by(merged: MergedFiles | MergeResult) -> Became:
    """Return what a merge makes of our side; with conflicts, files hold diff3 markers."""
    if isinstance(merged, MergeResult):
        return TreePair(merged.ours, merged.tree)
    return merged.changes


@dataclass(frozen=True)
class MergedPatch:
    """How a patch goes onto the tree.

    Attributes:
        upstream_had: the paths that already are as the patch makes them.
        became: what it does to the tree; with conflicts, files hold diff3 markers.
        merged: the merge, where ids do not decide.
        lacks_files: whether files of it are gone here: what is added had a say, for they may be
            that by now.
    """

    upstream_had: tuple[str, ...]
    became: Became
    merged: MergedFiles | MergeResult | None
    lacks_files: bool


class PatchedTree:
    """A tree in memory, which grows by patches.

    Args:
        quarantine: where new objects go.
        tree: the id of the tree to begin with.
        merger: what merges files; it remembers those of an earlier replay in the quarantine.
    """

    def __init__(self, quarantine: Quarantine, tree: str, merger: FileMerger) -> None:
        self._quarantine = quarantine
        self._objects = quarantine.objects
        self._merger = merger
        self.become(tree)

    def expect(self, patches: Iterable[Sequence[PathChange]]) -> None:
        """Take note of what patches change that may be put onto it."""
        self._merger.expect(change for changes in patches for change in changes)

    def write(self) -> str:
        """Return the id of the tree as it stands."""
        return self._state.write(self._quarantine)

    def become(self, tree: str) -> None:
        """Go on with another tree."""
        self._state = Overlay(self._objects, tree)
        self._ruled_by = tree

    def take(self, became: Became) -> None:
        """Go on with what the tree becomes."""
        if isinstance(became, TreePair):
            self.become(became.after)
        else:
            self.put(path_entries(became))

    def put(self, changed: PathEntries) -> None:
        """Go on with other entries at paths."""
        self._state.change(changed.entries)
        if changed.rules:
            self._ruled_by = self.write()

    def otherwise(self, became: Became, entries: Mapping[str, TreeEntry | None]) -> Became:
        """Return what the tree becomes where some paths are to be otherwise; None: to be gone."""
        if isinstance(became, TreePair):
            state = Overlay(self._objects, became.after)
            state.change(entries)
            return TreePair(became.before, state.write(self._quarantine))
        changes = {change.path: change for change in became}
        for path, entry in entries.items():
            old = changes[path].old if path in changes else self.entry(path)
            changes[path] = PathChange(path, old, entry)
        return tuple(changes.values())

    def entry(self, path: str) -> TreeEntry | None:
        """Return what is at a path."""
        return self._state.entry(path)

    def merge(self, patch: PatchTrees, changes: Sequence[PathChange]) -> MergedPatch:
        """Return how a patch goes onto the tree; `changes` is what it does to each path.

        Raises:
            WorkFailed: git could not merge (a missing object).
        """
        # A patch is decided path by path as a whole or not at all: git looks for renames among all
        # paths that it adds and deletes, and would find others among a part of them.
        meeting: list[FileVersions] = []
        upstream_had: list[str] = []
        pending: list[PathChange] = []
        gone: list[PathChange] = []
        for change in changes:
            ours = self._state.entry(change.path)
            if ours is None and change.old is not None:
                gone.append(change)
            if change.new == ours:
                upstream_had.append(change.path)
            elif change.old == ours:
                pending.append(change)
            elif versions := plain_files(change, ours):
                meeting.append(versions)
            else:
                return self._merge_trees(patch)
        settled = [change for change in gone if change.new is None]
        if (
            _may_rename(changes, meeting)
            or not self._structure_holds(patch, [*pending, *settled])
            or not self._stay_gone(patch, changes, gone)
        ):
            return self._merge_trees(patch)
        if meeting:
            files = self._merger.merge(self._ruled_by, meeting)
            merged = self._merged_files(pending, list(zip(meeting, files, strict=True)))
            return MergedPatch((), became_by(merged), merged, bool(gone))
        return MergedPatch(tuple(upstream_had), tuple(pending), None, bool(gone))

    def meets_beside_files(self, changes: Sequence[PathChange]) -> bool:
        """Whether a patch meets other versions of files, and not only plain files that are here.

        Those would merge by themselves; for others git may have to merge whole trees.
        """
        both = (c for c in changes if c.old and c.new)
        return any(self._state.entry(c.path) not in (c.old, c.new) for c in both) and not all(
            side is not None and side.is_file
            for c in changes
            for side in (c.old, c.new, self._state.entry(c.path))
        )

    def _merged_files(
        self, pending: Sequence[PathChange], files: Sequence[tuple[FileVersions, FileMerge]]
    ) -> MergedFiles:
        # also where git left ours, as of binary files: there the patch's side may be taken yet
        results = (PathChange(file.path, file.ours, merge.entry) for file, merge in files)
        changes = (*pending, *results)
        conflicted = tuple(
            ConflictedPath(*file, merge.entry) for file, merge in files if not merge.clean
        )
        # of a clean merge nothing is said
        messages = tuple(m for _, merge in files for m in merge.messages if conflicted)
        return MergedFiles(conflicted, messages, changes, self._ruled_by)

    def _merge_trees(self, patch: PatchTrees) -> MergedPatch:
        # git reads tree objects, so what is in memory is written out here.
        merged = self._merger.merge_trees(patch.before, self.write(), patch.after)
        return MergedPatch((), became_by(merged), merged, lacks_files=False)

    def whole(self, patch: PatchTrees, merged: MergedFiles | MergeResult) -> MergeResult:
        """Return a patch's merge onto the tree, as it stands yet, as one of whole trees."""
        if isinstance(merged, MergeResult):
            return merged
        ours = self.write()
        result = Overlay(self._objects, ours)
        result.change({change.path: change.new for change in merged.changes})
        sides = patch.before, ours, patch.after
        tree = result.write(self._quarantine)
        return MergeResult(merged.conflicted, merged.messages, *sides, tree)

    def _stay_gone(
        self, patch: PatchTrees, changes: Sequence[PathChange], gone: Sequence[PathChange]
    ) -> bool:
        """Whether files that are gone here were deleted, and not moved by any side.

        Once git looks for renames because of them, it also follows those onto files that a patch
        adds: where there is such a file already, that is git's to judge.
        """
        if not gone:
            return True
        both_add = any(not c.old and self._state.entry(c.path) is not None for c in changes)
        if both_add or not all(map(self._is_deleted_file, gone)):
            return False
        search, ours = self._merger.renames, self.write()
        files = [(c.path, c.old.oid) for c in gone if c.old is not None]
        deleted = [(c.path, c.old.oid) for c in gone if c.old is not None and c.new is None]
        here, missing = search.added(patch.before, ours), search.added(ours, patch.before)
        theirs = {c.new.oid for c in changes if c.old is None and c.new and c.new.is_file}
        return not (
            search.may_be_renamed(files, here, missing)
            or search.may_be_renamed(deleted, theirs, set())
        )

    def _is_deleted_file(self, change: PathChange) -> bool:
        """Whether a change is of a plain file, and no file stands here where its folder was."""
        above = map(self._state.entry, _with_folders_above({change.path.rpartition("/")[0]}))
        return all(side is None or side.is_file for side in (change.old, change.new)) and all(
            folder is None or folder.is_tree for folder in above
        )

    def _structure_holds(self, patch: PatchTrees, changes: Sequence[PathChange]) -> bool:
        """Whether no folder is in the way, gone or moved, so that paths can be taken singly.

        git follows renamed folders: a file that one side adds to a folder that the other side
        renamed moves along (git-config(1), merge.directoryRenames). So a folder that is gone on
        one side and used on the other is git's to judge.
        """
        deleted = {change.path for change in changes if change.new is None}
        added = {change.path.rpartition("/")[0] for change in changes if change.old is None}
        return self._can_add(patch, added) and self._can_delete(patch, deleted)

    def _can_add(self, patch: PatchTrees, folders: set[str]) -> bool:
        """Whether each folder is there now, or was not there before the patch either."""
        gone: set[str] = set()
        for folder in _with_folders_above(folders):
            entry = self._state.entry(folder)
            if entry is None:
                gone.add(folder)
            elif not entry.is_tree:  # a file is where the patch needs a folder
                return False
        if not gone:
            return True
        base = Overlay(self._objects, patch.before)
        return not any(_is_folder(base.entry(folder)) for folder in gone)

    def _can_delete(self, patch: PatchTrees, deleted: set[str]) -> bool:
        """Whether each folder that the deletions leave here stands after the patch, too.

        Where the patch empties a folder that has other files here, it may have renamed it.
        """
        gone = set(deleted)
        left: list[str] = []
        parents = {path.rpartition("/")[0] for path in deleted}
        # The deepest first: a folder is gone when all that it holds is, folders included.
        for folder in sorted(_with_folders_above(parents), key=len, reverse=True):
            names = self._state.names(folder)
            if all(f"{folder}/{name}" in gone for name in names):
                gone.add(folder)
            else:
                left.append(folder)
        if not left:
            return True
        patched = Overlay(self._objects, patch.after)
        return all(_is_folder(patched.entry(folder)) for folder in left)


def plain_files(change: PathChange, ours: TreeEntry | None) -> FileVersions | None:
    """Return a change of a plain file, where now is such a file or nothing."""
    sides = change.old, ours, change.new
    if not all(side is None or side.is_file for side in sides):
        return None
    return FileVersions(change.path, change.old, ours, change.new)


def _may_rename(changes: Sequence[PathChange], meeting: Sequence[FileVersions]) -> bool:
    """Whether a patch may have renamed a file that it meets, for it adds paths and deletes some.

    Where upstream renamed another file onto one that the patch adds, the patch left that other file
    as it was (else it would meet it, gone here), and git merges what both sides have at the path.
    """
    if all(file.base and file.theirs for file in meeting):
        return False
    return any(not change.old for change in changes) and any(not change.new for change in changes)


def _is_folder(entry: TreeEntry | None) -> bool:
    return entry is not None and entry.is_tree


def _with_folders_above(folders: set[str]) -> set[str]:
    """Return the folders and all that are above them, without the root."""
    above: set[str] = set()
    waiting = [*folders]
    while waiting:
        folder = waiting.pop()
        if folder and folder not in above:
            above.add(folder)
            waiting.append(folder.rpartition("/")[0])
    return above

"""The merges that a replay comes to, made before it does: many at once, and not patch by patch.

How a file merges depends on its three versions alone, and `FileMerger` remembers it. The patch's
two are known from the start; our side's is known as soon as those patches are merged that touch the
file before. So the merges of a whole queue come in waves, of which each is one question to git.

Nothing but time depends on what is foreseen: a replay asks for all else when it comes to it. Whole
trees are not foreseen, nor what somebody decided or what upstream holds.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.git.repository import ObjectMissing
from tensorflow_macos_build.git.work_beside import WorkBeside
from tensorflow_macos_build.patchqueue.replay.patched_tree import plain_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.file_merges import FileMerger, FileVersions
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.git.work_beside import Steps

_CONFLICTS_AT_ONCE = 50
"""Conflicts that are reported, or whose files are read, at once: two comparisons of each are one
question (`blob_diffs`)."""


def foresee(
    quarantine: Quarantine,
    merger: FileMerger,
    tree: str,
    patches: Iterable[tuple[str, Sequence[PathChange]]],
    *,
    skips: bool,
    foreseen: Callable[[Sequence[ForeseenConflict]], object],
) -> Steps[int]:
    """Make the merges of files that a replay will come to; return how many patches conflict there.

    Args:
        quarantine: where the objects are.
        merger: makes them.
        tree: the id of the tree that the replay begins with.
        patches: commits, and what each does to each path, in order.
        skips: whether the replay leaves out what conflicts; else it takes the patch's side.
        foreseen: told of the files that conflict, some at a time.
    """
    walk = _Walk(quarantine, merger, tree, patches, skips=skips)
    reported = 0  # of the walk's conflicts
    # What is foreseen wrongly may need an object that is missing, and that no patch meets.
    with contextlib.suppress(ObjectMissing):
        while wave := walk.next_wave():
            asked = WorkBeside(merger.steps(tree, wave))
            if len(walk.conflicts) - reported >= _CONFLICTS_AT_ONCE:  # while git merges
                foreseen(walk.conflicts[reported:])
                reported = len(walk.conflicts)
            yield from asked.rest()
            walk.resolve(wave)
    if reported < len(walk.conflicts):
        foreseen(walk.conflicts[reported:])
    return len({conflict.commit for conflict in walk.conflicts})


def untold(conflicts: Sequence[ForeseenConflict]) -> None:
    """Be told of conflicts where nobody is."""


class ForeseenConflict(NamedTuple):
    """A file at which a patch conflicts, as far as that is known before the replay.

    Attributes:
        commit: the patch, as a commit.
        changes: what it does to each path.
        versions: the file.
    """

    commit: str
    changes: Sequence[PathChange]
    versions: FileVersions


class _After(NamedTuple):
    """What a patch makes of a path, and the versions that conflict there."""

    entry: TreeEntry | None
    conflict: FileVersions | None = None


class _Patch(NamedTuple):
    """What is not foreseen yet of a patch.

    Attributes:
        commit: the patch.
        whole: what all of it does to paths.
        changes: what is not foreseen of that.
        left_out: whether a conflict is foreseen, and so that the tree stays as it is.
    """

    commit: str
    whole: Sequence[PathChange]
    changes: Sequence[PathChange]
    left_out: bool = False


class _Walk:
    """A replay as far as the merges are known that it comes to."""

    def __init__(
        self,
        quarantine: Quarantine,
        merger: FileMerger,
        tree: str,
        patches: Iterable[tuple[str, Sequence[PathChange]]],
        *,
        skips: bool,
    ) -> None:
        self._objects, self._merger, self._ruled_by = quarantine.objects, merger, tree
        self._tree = Overlay(quarantine.objects, tree)
        self._now: dict[str, TreeEntry | None] = {}
        self._waiting = [_Patch(commit, changes, changes) for commit, changes in patches]
        self._skips = skips
        self.conflicts: list[ForeseenConflict] = []
        self._unknown: set[str] = set()
        self._asked: dict[FileVersions, None] = {}

    def next_wave(self) -> list[FileVersions]:
        """Go on as far as merges are known, and return those that are to be known next."""
        self._unknown.clear()
        self._asked.clear()
        take = self._skip_or_take if self._skips else self._take
        self._waiting = [rest for patch in self._waiting if (rest := take(patch)).changes]
        return [*self._asked]

    def resolve(self, files: Sequence[FileVersions]) -> None:
        """Resolve a wave's conflicts where the patch's side is taken; many are read at once."""
        known = [(file, self._merger.known(self._ruled_by, file)) for file in files]
        left = [(file, m.entry) for file, m in known if m and not (m.clean or self._skips)]
        for start in range(0, len(left), _CONFLICTS_AT_ONCE):
            part = left[start : start + _CONFLICTS_AT_ONCE]
            sides = [side for file, entry in part for side in (entry, file.theirs)]
            self._objects.blobs([side.oid for side in sides if side and side.is_file])
            for file, entry in part:
                self._patch_side(file, entry)

    def _take(self, patch: _Patch) -> _Patch:
        """Take what is known of a patch; where it conflicts, its side is taken."""
        left: list[PathChange] = []
        for change in patch.changes:
            after = self._after(change)
            if after is None:
                left.append(change)
                self._unknown.add(change.path)
            else:
                self._now[change.path] = after.entry
                if after.conflict:
                    conflict = ForeseenConflict(patch.commit, patch.whole, after.conflict)
                    self.conflicts.append(conflict)
        return patch._replace(changes=left)

    def _skip_or_take(self, patch: _Patch) -> _Patch:
        """Take a patch when all of it is known to be clean."""
        afters = [self._after(change) for change in patch.changes]
        left = [c for c, after in zip(patch.changes, afters, strict=True) if after is None]
        conflicts = [after.conflict for after in afters if after and after.conflict]
        self.conflicts += (ForeseenConflict(patch.commit, patch.whole, c) for c in conflicts)
        if patch.left_out or conflicts:
            # all that it meets is merged all the same
            return patch._replace(changes=left, left_out=True)
        if left:
            self._unknown.update(change.path for change in patch.changes)
            return patch
        for change, after in zip(patch.changes, afters, strict=True):
            assert after is not None
            self._now[change.path] = after.entry
        return patch._replace(changes=())

    def _after(self, change: PathChange) -> _After | None:
        """Return what a patch makes of a path; None: it is not known yet."""
        if change.path in self._unknown:
            return None
        ours = self._entry(change.path)
        versions = None if ours in (change.old, change.new) else plain_files(change, ours)
        if versions is None:  # ids decide; or git does, by whole trees
            return _After(change.new)
        merge = self._merger.known(self._ruled_by, versions)
        if merge is None:
            self._asked[versions] = None
            return None
        if merge.clean:
            return _After(merge.entry)
        left = merge.entry if self._skips else self._patch_side(versions, merge.entry)
        return _After(left, versions)

    def _entry(self, path: str) -> TreeEntry | None:
        if path not in self._now:
            self._now[path] = self._tree.entry(path)
        return self._now[path]

    def _patch_side(self, versions: FileVersions, left: TreeEntry) -> TreeEntry | None:
        conflict = ConflictedPath(*versions, left)
        return self._merger.sides.of(MergeOutcome((conflict,), ())).get(versions.path, left)

"""The merges that a replay comes to, made before it does: many at once, and not patch by patch.

How a file merges depends on its three versions alone, and `FileMerger` remembers it. The patch's
two are known from the start; our side's is known as soon as those patches are merged that touch the
file before. So the merges of a path are a chain, and the chains of a whole queue are made side by
side, each as far as it is known.

Nothing but time depends on what is foreseen: a replay asks for all else when it comes to it. Whole
trees are not foreseen, nor what somebody decided or what upstream holds.
"""

from __future__ import annotations

import functools
import itertools
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git.merge_queue import Urgency
from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.patchqueue.replay.patched_tree import plain_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.file_merges import FileMerge, FileMerger, FileVersions
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange

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
) -> int:
    """Make the merges of files that a replay will come to; return how many patches conflict there.

    Args:
        quarantine: where the objects are.
        merger: makes them.
        tree: the id of the tree that the replay begins with.
        patches: commits, and what each does to each path, in order.
        skips: whether the replay leaves out what conflicts; else it takes the patch's side.
        foreseen: told of the files that conflict, some at a time.
    """
    walk = _Walk(quarantine, merger, tree, patches, skips=skips, rank=1)
    reported = 0  # of the walk's conflicts
    while walk.waits and merger.receive():
        if len(walk.conflicts) - reported >= _CONFLICTS_AT_ONCE:
            merger.go_on()  # git merges meanwhile
            foreseen(walk.conflicts[reported:])
            reported = len(walk.conflicts)
    if reported < len(walk.conflicts):
        foreseen(walk.conflicts[reported:])
    return len({conflict.commit for conflict in walk.conflicts})


def foresee_beside(
    quarantine: Quarantine,
    merger: FileMerger,
    tree: str,
    patches: Iterable[tuple[str, Sequence[PathChange]]],
    *,
    skips: bool,
) -> None:
    """Begin to make what `foresee` makes, whenever the merger has nothing else to do."""
    _Walk(quarantine, merger, tree, patches, skips=skips, rank=2)


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


@dataclass(eq=False)
class _Patch:
    """A patch that is foreseen.

    Attributes:
        commit: the patch.
        changes: what it does to each path.
        met: the paths at which it is the next one to be taken.
        after: what it makes of those at which that is known.
        left_out: whether a conflict is foreseen, and so that the tree stays as it is.
    """

    commit: str
    changes: Sequence[PathChange]
    met: list[str] = field(default_factory=list)
    after: dict[str, TreeEntry | None] = field(default_factory=dict)
    left_out: bool = False


class _Walk:
    """A replay as far as the merges are known that it comes to; it goes on as they become known.

    Attributes:
        conflicts: what conflicts so far.
        waits: for how many merges it waits.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        merger: FileMerger,
        tree: str,
        patches: Iterable[tuple[str, Sequence[PathChange]]],
        *,
        skips: bool,
        rank: int,
    ) -> None:
        self._merger, self._ruled_by = merger, tree
        self._tree = Overlay(quarantine.objects, tree)
        self._now: dict[str, TreeEntry | None] = {}
        self._skips, self._rank = skips, rank
        self.conflicts: list[ForeseenConflict] = []
        self.waits = 0
        self._lines: dict[str, deque[tuple[_Patch, PathChange]]] = {}
        for patch in itertools.starmap(_Patch, patches):
            for change in patch.changes:
                self._lines.setdefault(change.path, deque()).append((patch, change))
        self._open = [*self._lines]
        self._go_on()

    def _go_on(self) -> None:
        """Meet all changes whose path is as it will be then."""
        while self._open:
            if line := self._lines[self._open.pop()]:
                self._meet(*line[0], len(line))

    def _meet(self, patch: _Patch, change: PathChange, chain: int) -> None:
        if patch.left_out:  # all that it meets is merged all the same
            self._pass(change.path)
        else:
            patch.met.append(change.path)
        ours = self._entry(change.path)
        versions = None if ours in (change.old, change.new) else plain_files(change, ours)
        if versions is None:  # ids decide; or git does, by whole trees
            self._take(patch, change.path, change.new)
        elif merge := self._merger.known(self._ruled_by, versions):
            self._merged(patch, versions, merge)
        else:
            self.waits += 1
            then = functools.partial(self._learn, patch, versions)
            urgency = Urgency(self._rank, chain)
            self._merger.expect_merge(self._ruled_by, versions, then, urgency)

    def _learn(self, patch: _Patch, versions: FileVersions, merge: FileMerge) -> None:
        self.waits -= 1
        self._merged(patch, versions, merge)
        self._go_on()

    def _merged(self, patch: _Patch, versions: FileVersions, merge: FileMerge) -> None:
        if merge.clean:
            self._take(patch, versions.path, merge.entry)
            return
        self.conflicts.append(ForeseenConflict(patch.commit, patch.changes, versions))
        if self._skips:
            self._leave_out(patch)
        else:
            self._take(patch, versions.path, self._patch_side(versions, merge.entry))

    def _take(self, patch: _Patch, path: str, entry: TreeEntry | None) -> None:
        """Take what a patch makes of a path; where conflicts leave it out, when all is known."""
        if patch.left_out:
            return
        patch.after[path] = entry
        if not self._skips:
            self._now[path] = entry
            self._pass(path)
        elif len(patch.after) == len(patch.changes):
            self._now |= patch.after
            for met in patch.met:
                self._pass(met)

    def _leave_out(self, patch: _Patch) -> None:
        if not patch.left_out:
            patch.left_out = True
            for path in patch.met:
                self._pass(path)

    def _pass(self, path: str) -> None:
        """Go on behind a patch at a path."""
        self._lines[path].popleft()
        self._open.append(path)

    def _entry(self, path: str) -> TreeEntry | None:
        if path not in self._now:
            self._now[path] = self._tree.entry(path)
        return self._now[path]

    def _patch_side(self, versions: FileVersions, left: TreeEntry) -> TreeEntry | None:
        conflict = ConflictedPath(*versions, left)
        return self._merger.sides.of(MergeOutcome((conflict,), ())).get(versions.path, left)

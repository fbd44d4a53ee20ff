"""The in-memory replay: a list of patches (commits) on another tree, without a work tree.

Where a patch meets nothing, comparing blob ids decides (ours equals the patch's preimage: take the
postimage; ours equals the postimage: nothing to do). Only where contents truly meet, or where a
path or its folder is gone, moved or of another kind, git merges the trees. The result is the one
that `git rebase` gives, tree id for tree id (docs/adr/0001-replay-in-memory.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import merges, trees
from tensorflow_macos_build.git.file_merges import FileMerger, FileVersions
from tensorflow_macos_build.git.merges import ConflictedPath, MergeResult
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.git.trees import PathChange

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.objects import ObjectReader, TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine


class OnConflict(Enum):
    """What the replay does at a conflict."""

    PROVISIONAL = "provisional"
    """It goes on with the patch's side of what conflicts, so that later patches find what they
    stand on: a patch that conflicts then does so by itself."""
    SKIP = "skip"
    """It leaves the patch out, as `git rebase --skip` does."""
    STOP = "stop"


class StepOutcome(Enum):
    """How one patch came out."""

    TAKEN = "taken"
    """Blob ids decided."""
    MERGED = "merged"
    """git merged its contents, cleanly."""
    EMPTY = "empty"
    """Nothing of it is left to do."""
    CONFLICT = "conflict"
    RESOLVED = "resolved"
    """It conflicts, and a recorded resolution was replayed."""
    LANDED = "landed"
    """Upstream holds it already, and it is left out: it conflicts, or it is upstream's own."""
    LEFT_OUT = "left out"
    """It conflicts, and somebody decided to leave it out."""
    NOT_REACHED = "not reached"
    """The replay stopped before it."""


@dataclass(frozen=True)
class ReplayStep:
    """One patch's part of a replay.

    Attributes:
        commit: the patch, as a commit.
        outcome: how it came out.
        changes: what it does to each path.
        upstream_had: the paths that already were as the patch makes them.
        merged: git's merge, where blob ids did not decide.
        result: the tree that the replay goes on with, where git merged. "" where blob ids decided.
        after: the tree after it, where trees were asked for; else "".
    """

    commit: str
    outcome: StepOutcome
    changes: tuple[PathChange, ...]
    upstream_had: tuple[str, ...] = ()
    merged: MergeResult | None = None
    result: str = ""
    after: str = ""


@dataclass(frozen=True)
class Resolved:
    """How a conflict is settled without anybody: as what, and by which tree."""

    outcome: StepOutcome
    tree: str


class Resolver(Protocol):
    """Decides what need not be merged, and what somebody would have to settle."""

    def __call__(
        self, commit: str, changes: tuple[PathChange, ...], merged: MergeResult
    ) -> Resolved | None:
        """Return how a conflict is settled; None: it is not."""

    def has_landed(self, commit: str) -> bool:
        """Whether what a commit is made from is upstream's own by now, so that nothing is to do."""


@dataclass(frozen=True)
class Replay:
    """A whole replay: the final tree, and each patch's step, in order."""

    tree: str
    steps: tuple[ReplayStep, ...]


def replay(
    quarantine: Quarantine,
    onto: str,
    commits: Sequence[str],
    on_conflict: OnConflict = OnConflict.PROVISIONAL,
    *,
    resolver: Resolver | None = None,
    write_trees: bool = False,
    merger: FileMerger | None = None,
    ticker: Ticker = silent,
) -> Replay:
    """Replay patches, in order, on a tree.

    Args:
        quarantine: where new objects go.
        onto: the id of the tree (or a commit's id) to begin with.
        commits: full ids of the patches; each has one parent, or none.
        on_conflict: go on with the patch's side, leave the patch out, or stop.
        resolver: asked at each conflict (the patch, its changes, the merge) how to settle it.
        write_trees: write the tree after each patch; without it, only those that git merges.
        merger: what merges files; it remembers those of an earlier replay in the quarantine.
        ticker: told how many patches are done.
    """
    objects = quarantine.objects
    state = Overlay(objects, tree_of(objects, onto))
    merger = merger or FileMerger(quarantine)
    replayer = _Replayer(quarantine, state, merger, on_conflict, resolver)
    steps: list[ReplayStep] = []
    stopped = False
    for commit, changes in trees.by_commit(quarantine.git, commits):
        if stopped:
            # a step of its own all the same: steps and patches are walked through side by side
            steps.append(ReplayStep(commit, StepOutcome.NOT_REACHED, changes))
            continue
        step = replayer.step(commit, changes)
        if write_trees:
            step = replace(step, after=replayer.state.write(quarantine))
        steps.append(step)
        stopped = steps[-1].outcome is StepOutcome.CONFLICT and on_conflict is OnConflict.STOP
        ticker(len(steps), len(commits), unit="patches")
    return Replay(replayer.state.write(quarantine), tuple(steps))


def tree_of(objects: ObjectReader, name: str) -> str:
    """Return the id of the tree that the id of a commit, or its own, stands for."""
    kind, _ = objects.read(name)
    return objects.commit(name).tree if kind == "commit" else name


class _Replayer:
    """The state of a replay: the tree so far."""

    def __init__(
        self,
        quarantine: Quarantine,
        state: Overlay,
        merger: FileMerger,
        on_conflict: OnConflict,
        resolver: Resolver | None,
    ) -> None:
        self.state = state
        self._quarantine = quarantine
        self._objects = quarantine.objects
        self._merger = merger
        self._on_conflict = on_conflict
        self._resolver = resolver

    def step(self, commit: str, changes: tuple[PathChange, ...]) -> ReplayStep:
        if self._resolver is not None and self._resolver.has_landed(commit):
            return ReplayStep(commit, StepOutcome.LANDED, changes)
        meeting: list[FileVersions] = []
        upstream_had: list[str] = []
        pending: list[PathChange] = []
        for change in changes:
            ours = self.state.entry(change.path)
            # A file that both sides deleted may have been moved by one of them: git's to judge.
            if change.new == ours and ours is not None:
                upstream_had.append(change.path)
            elif change.old == ours:
                pending.append(change)
            elif versions := _plain_files(change, ours):
                meeting.append(versions)
            else:
                return self._merge_trees(commit, changes)
        if not self._structure_holds(commit, pending):
            return self._merge_trees(commit, changes)
        if meeting:
            return self._merge_files(commit, changes, pending, meeting)
        self._apply(pending)
        # A patch that was empty from the start is what it was; upstream took nothing of it.
        outcome = StepOutcome.TAKEN if pending or not changes else StepOutcome.EMPTY
        return ReplayStep(commit, outcome, changes, tuple(upstream_had))

    def _apply(self, changes: Sequence[PathChange]) -> None:
        """Make the changes; deletions first, so that a file can become a folder."""
        for change in changes:
            if change.new is None:
                self.state.remove(change.path)
        for change in changes:
            if change.new is not None:
                self.state.put(change.path, change.new)

    def _structure_holds(self, commit: str, changes: Sequence[PathChange]) -> bool:
        """Whether no folder is in the way, gone or moved, so that paths can be taken singly.

        git follows renamed folders: a file that one side adds to a folder that the other side
        renamed moves along (git-config(1), merge.directoryRenames). So a folder that is gone on
        one side and used on the other is git's to judge.
        """
        deleted = {change.path for change in changes if change.new is None}
        added = {change.path.rpartition("/")[0] for change in changes if change.old is None}
        return self._can_add(commit, added) and self._can_delete(commit, deleted)

    def _can_add(self, commit: str, folders: set[str]) -> bool:
        """Whether each folder is there now, or was not there before the patch either."""
        gone: set[str] = set()
        for folder in _with_folders_above(folders):
            entry = self.state.entry(folder)
            if entry is None:
                gone.add(folder)
            elif not entry.is_tree:  # a file is where the patch needs a folder
                return False
        if not gone:
            return True
        base = Overlay(self._objects, self._quarantine.parent_tree(commit))
        return not any(_is_folder(base.entry(folder)) for folder in gone)

    def _can_delete(self, commit: str, deleted: set[str]) -> bool:
        """Whether each folder that the deletions leave here stands after the patch, too.

        Where the patch empties a folder that has other files here, it may have renamed it.
        """
        gone = set(deleted)
        left: list[str] = []
        parents = {path.rpartition("/")[0] for path in deleted}
        # The deepest first: a folder is gone when all that it holds is, folders included.
        for folder in sorted(_with_folders_above(parents), key=len, reverse=True):
            names = self.state.names(folder)
            if all(f"{folder}/{name}" in gone for name in names):
                gone.add(folder)
            else:
                left.append(folder)
        if not left:
            return True
        patched = Overlay(self._objects, self._quarantine.tree(commit))
        return all(_is_folder(patched.entry(folder)) for folder in left)

    def _merge_files(
        self,
        commit: str,
        changes: tuple[PathChange, ...],
        pending: Sequence[PathChange],
        meeting: Sequence[FileVersions],
    ) -> ReplayStep:
        """Merge a patch of which single files meet others, and the rest is decided by ids."""
        ours = self.state.write(self._quarantine)
        files = self._merger.merge(ours, meeting)
        became = [
            PathChange(file.path, file.ours, merge.entry)
            for file, merge in zip(meeting, files, strict=True)
        ]
        self._apply([*pending, *became])
        conflicted = [
            ConflictedPath(*file) for file, merge in zip(meeting, files, strict=True)
            if not merge.clean
        ]  # fmt: skip
        messages = [message for merge in files for message in merge.messages]
        merged = MergeResult(
            self._quarantine.parent_tree(commit),
            ours,
            self._quarantine.tree(commit),
            self.state.write(self._quarantine),
            tuple(conflicted),
            tuple(messages if conflicted else ()),
        )
        return self._merged(commit, changes, merged)

    def _merge_trees(self, commit: str, changes: tuple[PathChange, ...]) -> ReplayStep:
        # Only here is the overlay written as tree objects, which git needs.
        ours = self.state.write(self._quarantine)
        base, theirs = self._quarantine.parent_tree(commit), self._quarantine.tree(commit)
        merged = merges.merge(self._quarantine, base, ours, theirs)
        self.state = Overlay(self._objects, merged.tree)
        return self._merged(commit, changes, merged)

    def _merged(
        self, commit: str, changes: tuple[PathChange, ...], merged: MergeResult
    ) -> ReplayStep:
        """Return the step of a patch whose merge's tree is the state, and go on as is right."""
        if merged.clean:
            # git drops a patch whose merge changes nothing, too (git-rebase(1), --empty).
            outcome = StepOutcome.EMPTY if merged.tree == merged.ours else StepOutcome.MERGED
            return ReplayStep(commit, outcome, changes, (), merged, merged.tree)
        if self._resolver and (resolved := self._resolver(commit, changes, merged)):
            self.state = Overlay(self._objects, resolved.tree)
            return ReplayStep(commit, resolved.outcome, changes, (), merged, resolved.tree)
        if self._on_conflict is OnConflict.PROVISIONAL:
            merges.resolve(self._quarantine, merged, self.state)
        else:  # of a patch that is skipped, or stopped at, nothing is taken
            self.state = Overlay(self._objects, merged.ours)
        result = self.state.write(self._quarantine)
        return ReplayStep(commit, StepOutcome.CONFLICT, changes, (), merged, result)


def _plain_files(change: PathChange, ours: TreeEntry | None) -> FileVersions | None:
    """Return a change of a plain file to another one, where such a file is now, too."""
    if change.old is None or change.new is None or ours is None:
        return None
    if not (change.old.is_file and change.new.is_file and ours.is_file):
        return None
    return FileVersions(change.path, change.old, ours, change.new)


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

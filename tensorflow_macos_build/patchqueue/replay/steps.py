"""What is said of a replay: how each patch came out, and who decides at conflicts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from tensorflow_macos_build.git.merges import MergeResult
from tensorflow_macos_build.patchqueue.replay import patched_tree, tree_difference
from tensorflow_macos_build.patchqueue.replay.patched_tree import TreePair

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.patched_tree import (
        Became,
        MergedFiles,
        PatchedTree,
        PathEntries,
    )
    from tensorflow_macos_build.patchqueue.replay.tree_difference import (
        Footprint,
        TreeDifference,
        UpstreamDifferences,
    )
    from tensorflow_macos_build.patchqueue.replay.unmade_merges import UnmadeMerge


_Replay = TypeVar("_Replay", "Replay", "OtherReplay")


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


_BY_ITSELF = (StepOutcome.TAKEN, StepOutcome.MERGED, StepOutcome.EMPTY)
"""How patches come out of which nobody decides."""


@dataclass(frozen=True)
class ReplayStep:
    """One patch's part of a replay.

    Attributes:
        commit: the patch, as a commit.
        outcome: how it came out.
        changes: what it does to each path.
        upstream_had: the paths that already were as the patch makes them.
        merged: git's merge, where blob ids did not decide.
        after: the tree after it, where trees were asked for; else "".
        became: what the replay did to the tree for it.
        lacks_files: as in a `MergedPatch`.
    """

    commit: str
    outcome: StepOutcome
    changes: tuple[PathChange, ...]
    upstream_had: tuple[str, ...] = ()
    merged: MergedFiles | MergeResult | None = None
    after: str = ""
    became: Became = ()
    lacks_files: bool = False

    @functools.cached_property
    def meets(self) -> Footprint:
        """What it meets in a tree."""
        return tree_difference.footprint(self.changes)

    @functools.cached_property
    def puts(self) -> PathEntries | None:
        """What the replay put into the tree for it; None: git made another tree."""
        if isinstance(self.became, TreePair):
            return None
        return patched_tree.path_entries(self.became)

    @functools.cached_property
    def is_settled(self) -> bool:
        """Whether it conflicts, however it goes on then."""
        return self.merged is not None and not self.merged.clean

    @functools.cached_property
    def is_by_itself(self) -> bool:
        """Whether nobody decided about it, unless it conflicts."""
        return self.is_settled or self.outcome in _BY_ITSELF

    @functools.cached_property
    def is_plain(self) -> bool:
        """Whether it is clean, and what it meets decided alone, wherever other files are."""
        has_trees = isinstance(self.merged, MergeResult)
        return self.is_by_itself and not (self.is_settled or has_trees or self.lacks_files)

    @functools.cached_property
    def is_in_tree(self) -> bool:
        """Whether the replay changed the tree for it."""
        return changes_tree(self.became)


@dataclass(frozen=True)
class Resolved:
    """How a conflict is settled without anybody.

    Attributes:
        outcome: as what.
        entries: what is to be at paths instead of what git left, None where nothing shall be. None
            altogether: nothing of the patch is taken.
    """

    outcome: StepOutcome
    entries: Mapping[str, TreeEntry | None] | None = None


class Resolver(Protocol):
    """Decides what need not be merged, and what somebody would have to settle."""

    def __call__(
        self,
        commit: str,
        changes: tuple[PathChange, ...],
        merged: MergeOutcome,
        ours: PatchedTree,
    ) -> Resolved | None:
        """Return how a conflict with `ours`, the tree before it, is settled; None: it is not."""

    def may_settle(self, commit: str, changes: tuple[PathChange, ...]) -> bool:
        """Whether there is a conflict of a patch that would be settled."""

    def has_landed(self, commit: str) -> bool:
        """Whether what a commit is made from is upstream's own by now, so that nothing is to do."""


@dataclass(frozen=True)
class OtherStep:
    """One patch's part of a replay with conflicts treated otherwise.

    Attributes:
        commit: the patch, as a commit.
        made: how it came out; or the merge, where it was enough to know that it conflicts.
    """

    commit: str
    made: ReplayStep | UnmadeMerge

    @property
    def outcome(self) -> StepOutcome:
        """How it came out."""
        return self.made.outcome if isinstance(self.made, ReplayStep) else StepOutcome.CONFLICT

    @property
    def conflicts(self) -> tuple[str, ...] | UnmadeMerge:
        """The paths in conflict; or the merge that says them."""
        if not isinstance(self.made, ReplayStep):
            return self.made
        merged = self.made.merged
        return tuple(file.path for file in merged.conflicted) if merged else ()

    @property
    def became(self) -> Became:
        """What the replay did to the tree for it."""
        return self.made.became if isinstance(self.made, ReplayStep) else ()


@dataclass(frozen=True)
class OtherReplay:
    """A whole replay with conflicts treated otherwise.

    Attributes:
        onto: the tree that it began with.
        steps: each patch's, in order.
    """

    onto: str
    steps: tuple[OtherStep, ...]


@dataclass(frozen=True)
class Replay:
    """A whole replay.

    Attributes:
        onto: the tree that it began with.
        tree: the final tree; "" where it was not asked for.
        steps: each patch's, in order.
    """

    onto: str
    tree: str
    steps: tuple[ReplayStep, ...]


@dataclass(frozen=True)
class Earlier(Generic[_Replay]):
    """A replay on another tree of upstream's, from which is taken what comes out the same.

    Attributes:
        replay: the replay, of the same patches, of the first ones, or of more after them.
        differences: those between upstream's trees.
    """

    replay: _Replay
    differences: UpstreamDifferences

    def apart(self, tree: str) -> TreeDifference:
        """Return what is different in a tree that patches are replayed on now."""
        return self.differences.between(self.replay.onto, tree)


def changes_tree(became: Became) -> bool:
    """Whether a tree is another one after what a patch did to it."""
    if isinstance(became, TreePair):
        return became.before != became.after
    return any(change.old != change.new for change in became)

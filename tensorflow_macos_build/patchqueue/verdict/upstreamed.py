"""Whether upstream holds a patch that conflicts, or something that may have to do with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.replay.steps import Resolved, StepOutcome
from tensorflow_macos_build.patchqueue.verdict import origins
from tensorflow_macos_build.patchqueue.verdict.status import Evidence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

_SHOWN = 5
"""How many commits are shown at most that may have to do with a conflicting patch."""


class UpstreamedResolver:
    """Leaves a conflicting patch out where upstream holds it; a `Resolver` of the replay."""

    def __init__(
        self, quarantine: Quarantine, git_history: UpstreamHistory, patches: Sequence[QueueCommit]
    ) -> None:
        self._quarantine = quarantine
        self._history = git_history
        self._patches = {patch.commit: patch for patch in patches}
        messages = (origins.named_in(patch.message) for patch in patches)
        git_history.foresee(oid for named in messages for oid in (*named.heads, *named.commits))

    def __call__(
        self,
        commit: str,
        changes: tuple[PathChange, ...],
        merged: MergeOutcome,
        ours: PatchedTree,
    ) -> Resolved | None:
        """Leave a patch out when upstream made it, and the tree holds its effect.

        A commit that made its very changes, or all those that its message names, say that upstream
        made it; only the tree says that this still stands.
        """
        # The tree is asked first: of most conflicts the lines alone say that it does not hold them.
        landed = self._holds(changes, merged, ours) and self.may_settle(commit, changes)
        return Resolved(StepOutcome.LANDED) if landed else None

    def _holds(
        self, changes: Sequence[PathChange], merged: MergeOutcome, ours: PatchedTree
    ) -> bool:
        return self._history.lines(self._quarantine).effects.hold(changes, merged, ours)

    def may_settle(self, commit: str, changes: Sequence[PathChange]) -> bool:
        """Whether upstream made a patch: whether it still stands only the tree says."""
        patch = self._patches[commit]
        # Messages are read anyway; differences are git's to make, and come second.
        if self._history.recorded(patch.message).complete:
            return True
        return bool(self._identical(patch, changes))

    def _identical(self, patch: QueueCommit, changes: Sequence[PathChange]) -> list[str]:
        """Return the commits that make exactly the changes of a patch."""
        return self._history.identical(patch.commit, changes)

    def evidence(self, patch: QueueCommit, changes: Sequence[PathChange]) -> tuple[list[str], str]:
        """Return the commits that are a patch of which nothing is left, and how they were found."""
        if identical := self._identical(patch, changes):
            return identical, "same changes"
        recorded = self._history.recorded(patch.message)
        if recorded.complete:
            return recorded.commits, "recorded" if recorded.commits else ""
        return [], ""

    def related(self, patch: QueueCommit, changes: Sequence[PathChange]) -> Evidence:
        """Return the commits that may have to do with a conflicting patch, and their reverts."""
        commits, found_by = self._related(patch, changes)
        shown = commits[:_SHOWN]
        return Evidence(
            self._history.describe(shown),
            found_by if shown else "",
            reverted_by=self._history.describe(self._history.reverts(shown)),
        )

    def _related(self, patch: QueueCommit, changes: Sequence[PathChange]) -> tuple[list[str], str]:
        # The strongest evidence first: changes prove more than a record, and that more than words.
        if identical := self._identical(patch, changes):
            return identical, "same changes"
        if recorded := self._history.recorded(patch.message).commits:
            return recorded, "recorded"
        if of_subject := self._history.of_subject(patch.subject):
            return of_subject, "same subject"
        return self._history.mentioned(patch.message), "mention"

"""How a rebase settles a conflict without anybody: by a decision of before, or by upstream."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.steps import Resolved, StepOutcome
from tensorflow_macos_build.patchqueue.verdict.upstreamed import UpstreamedResolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree
    from tensorflow_macos_build.patchqueue.replay.resolutions import (
        KeptResolution,
        RecordedResolution,
    )
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


@dataclass(frozen=True)
class Decisions:
    """What people decided about conflicts.

    Attributes:
        resolutions: how conflicts were settled.
        left_out: the names of the patches to leave out where they conflict.
        kept: how conflicts were settled in the rebase itself; they count where both do.
    """

    resolutions: tuple[RecordedResolution, ...] = ()
    left_out: frozenset[str] = frozenset()
    kept: tuple[KeptResolution, ...] = ()

    @property
    def removed(self) -> Iterator[str]:
        """The paths at which nothing is to be, where some conflict is settled."""
        results = (result for made in self.resolutions for result in made.results)
        return (result.path for result in results if result.content is None)


class ConflictResolver:
    """Settles a conflict by what was decided, or because upstream holds the patch.

    It is the `Resolver` of a rebase's replay; what people decided comes first.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        history: UpstreamHistory,
        patches: Sequence[QueueCommit],
        decisions: Decisions,
    ) -> None:
        self._names = {patch.commit: patch.name for patch in patches}
        self._recorded = resolutions.RecordedResolver(
            quarantine, self._names, decisions.resolutions, decisions.kept
        )
        self._left_out = decisions.left_out
        self._upstreamed = UpstreamedResolver(quarantine, history, patches)
        self._history = history
        self._picks = {patch.commit: patch for patch in patches if patch.pick}
        self._landed: dict[str, bool] = {}
        history.foresee(patch.pick for patch in self._picks.values())

    def __call__(
        self,
        commit: str,
        changes: tuple[PathChange, ...],
        merged: MergeOutcome,
        ours: PatchedTree,
    ) -> Resolved | None:
        if self._names[commit] in self._left_out:
            # Of what is left out not even the clean files are taken.
            return Resolved(StepOutcome.LEFT_OUT)
        # What somebody decided comes before what upstream seems to have: they saw both.
        recorded = self._recorded(commit, merged)
        return recorded or self._upstreamed(commit, changes, merged, ours)

    def may_settle(self, commit: str, changes: tuple[PathChange, ...]) -> bool:
        """Whether there is a conflict of a patch that would be settled."""
        return (
            self._names[commit] in self._left_out
            or self._recorded.may_settle(commit)
            or self._upstreamed.may_settle(commit, changes)
        )

    def has_landed(self, commit: str) -> bool:
        """Whether a commit is a pick that upstream has in its history by now.

        What upstream made of its lines since is upstream's: where they stand otherwise, or are
        gone, nothing of the pick is missing.
        """
        patch = self._picks.get(commit)
        if patch is None:
            return False
        if commit not in self._landed:
            self._landed[commit] = self._history.holds(patch.pick)
        return self._landed[commit]

    def with_refusals(self, status: PatchStatus) -> PatchStatus:
        """Return a conflicting patch's status with its resolutions that are for another context."""
        # Elsewhere nobody has to look for a resolution that would fit.
        if not status.status.is_blocking:
            return status
        refused = self._recorded.refused(status.commit)
        return replace(status, evidence=replace(status.evidence, refused=refused))

"""Whether patches break on commits of upstream: small replays, of what decides about a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.rebase.resolver import ConflictResolver
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict, StepOutcome, replay
from tensorflow_macos_build.patchqueue.verdict import line_writers
from tensorflow_macos_build.patchqueue.verdict.classify import StatusClassifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.file_merges import FileMerger
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.forecast.dependencies import PatchDependencies
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.replay.replay import Replay
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory


class Prober:
    """Whether patches break on commits; each pair is tried once.

    Args:
        quarantine: the quarantine that holds the patches.
        base: the full id of the commit that the queue is made for.
        patches: the queue.
        decisions: what people decided about conflicts.
        merger: what merges files: between commits most of them meet the same.
        dependencies: which patches decide about a patch.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        base: str,
        patches: Sequence[QueueCommit],
        decisions: Decisions,
        *,
        merger: FileMerger,
        dependencies: PatchDependencies,
    ) -> None:
        self._quarantine = quarantine
        self._merger = merger
        self._patches = patches
        self._decisions = decisions
        self._dependencies = dependencies
        self._writers = line_writers.of_queue(quarantine, base, patches)
        self._known: dict[tuple[int, str], bool] = {}
        self._by_trees: set[tuple[int, str]] = set()
        self._commits: set[str] = set()

    @property
    def commits(self) -> int:
        """The number of commits that patches were replayed on."""
        return len(self._commits)

    def breaks(self, position: int, history: UpstreamHistory) -> bool:
        """Whether the patch at `position` conflicts, itself and not by a knock-on.

        It is put onto the commit that `history` ends with, after those earlier ones that decide
        about it; those that conflict are resolved their own way.
        """
        key = position, history.new
        if key not in self._known:
            self._commits.add(history.new)
            needed = self._dependencies.of(position)
            breaks, alone = self._try(needed, history)
            if not alone:
                self._by_trees.add(key)
                # git compared whole trees, and all that is before the patch is in them.
                if len(needed) <= position:
                    breaks, _ = self._try(range(position + 1), history)
            self._known[key] = breaks
        return self._known[key]

    def is_alone(self, position: int, commit: str) -> bool:
        """Whether nothing but the files of patches decided at a commit that was tried."""
        return (position, commit) not in self._by_trees

    def _try(self, positions: Sequence[int], history: UpstreamHistory) -> tuple[bool, bool]:
        """Return whether the last of some patches breaks, and whether files merged singly."""
        patches = [self._patches[position] for position in positions]
        # All patches: a resolution of one that is left out here is not another's.
        resolver = ConflictResolver(self._quarantine, history, self._patches, self._decisions)
        replayed = replay(
            self._quarantine,
            history.new,
            [patch.commit for patch in patches],
            resolver=resolver,
            merger=self._merger,
        )
        # PROVISIONAL is what `replay` does unless it is told otherwise, and so it was done here.
        classifier = StatusClassifier(
            self._quarantine,
            history,
            patches,
            OnConflict.PROVISIONAL,
            resolver,
            merger=self._merger,
            writers=self._writers,
        )
        return classifier.is_first_cause(replayed, len(patches) - 1), _merged_singly(replayed)


def _merged_singly(replayed: Replay) -> bool:
    """Whether git merged files alone, and no whole trees."""
    return not any(
        step.became is None or (step.merged and step.outcome is StepOutcome.LANDED)
        for step in replayed.steps
    )

"""Replays of some patches of a queue, which decide about nothing but each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.merges import MergeResult
from tensorflow_macos_build.patchqueue.forecast.dependencies import PatchDependencies
from tensorflow_macos_build.patchqueue.rebase.resolver import ConflictResolver
from tensorflow_macos_build.patchqueue.replay.replay import replay
from tensorflow_macos_build.patchqueue.replay.steps import Earlier, OnConflict
from tensorflow_macos_build.patchqueue.replay.tree_difference import UpstreamDifferences
from tensorflow_macos_build.patchqueue.verdict import line_writers
from tensorflow_macos_build.patchqueue.verdict.carried_texts import ComparedTrees
from tensorflow_macos_build.patchqueue.verdict.classify import StatusClassifier
from tensorflow_macos_build.patchqueue.verdict.counterfactual import OtherReplays

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.file_merges import FileMerger
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.replay.steps import Replay
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


@dataclass(frozen=True)
class PartialReplay:
    """A replay of some patches.

    Attributes:
        replay: the replay.
        classifier: what gives the patches their statuses.
        resolver: what settled conflicts.
    """

    replay: Replay
    classifier: StatusClassifier
    resolver: ConflictResolver

    def is_by_files(self, at: Iterable[int]) -> bool:
        """Whether the files of some patches alone decided about them, and nothing else in trees."""
        steps = (self.replay.steps[number] for number in at)
        return not any(s.lacks_files or isinstance(s.merged, MergeResult) for s in steps)

    def is_first_cause(self, at: int) -> bool:
        """Whether a patch conflicts, itself and not by a knock-on."""
        return self.classifier.is_first_cause(self.replay, at)

    def statuses(self, ticker: Ticker = silent) -> tuple[PatchStatus, ...]:
        """Return what became of each patch; the ticker is told how many are classified."""
        classified = self.classifier.classify(self.replay, ticker)
        return tuple(map(self.resolver.with_refusals, classified))


class PartialReplays:
    """Replays parts of a queue.

    Args:
        quarantine: the quarantine that holds the patches.
        base: the full id of the commit that the queue is made for.
        patches: the queue.
        decisions: what people decided about conflicts.
        merger: what merges files: from commit to commit most of them meet the same.

    Attributes:
        dependencies: which patches decide about a patch.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        base: str,
        patches: Sequence[QueueCommit],
        decisions: Decisions,
        merger: FileMerger,
    ) -> None:
        self._quarantine = quarantine
        self._merger = merger
        self._patches = patches
        self._decisions = decisions
        self._compared = ComparedTrees(quarantine)
        self._writers = line_writers.of_queue(quarantine, base, patches)
        changes = trees.by_commit(quarantine.git, [patch.commit for patch in patches])
        self.dependencies = PatchDependencies([of_patch for _, of_patch in changes])
        self._differences = UpstreamDifferences(
            quarantine, quarantine.tree(base), self.dependencies.changes, decisions.removed
        )
        self._latest: Replay | None = None
        self._others = OtherReplays(quarantine, merger, self._differences)

    def of(
        self,
        positions: Sequence[int],
        history: UpstreamHistory,
        ticker: Ticker = silent,
        *,
        written: bool = False,
    ) -> PartialReplay:
        """Replay patches on the commit that a history ends with; conflicts go the patch's way.

        The resulting tree is `written` where it is asked for.
        """
        patches = [self._patches[position] for position in positions]
        # All patches: a resolution of one that is left out here is not another's.
        resolver = ConflictResolver(self._quarantine, history, self._patches, self._decisions)
        is_whole = [*positions] == [*range(len(positions))]
        replayed = replay(
            self._quarantine,
            history.new,
            [patch.commit for patch in patches],
            resolver=resolver,
            write_last=written,
            merger=self._merger,
            changes=[self.dependencies.changes[position] for position in positions],
            earlier=Earlier(self._latest, self._differences) if is_whole and self._latest else None,
            ticker=ticker,
        )
        if is_whole:
            self._latest = replayed
        # PROVISIONAL is what `replay` does unless it is told otherwise, and so it was done here.
        classifier = StatusClassifier(
            self._quarantine,
            history,
            patches,
            OnConflict.PROVISIONAL,
            resolver,
            others=self._others if is_whole else OtherReplays(self._quarantine, self._merger),
            writers=self._writers,
            compared=self._compared,
        )
        return PartialReplay(replayed, classifier, resolver)

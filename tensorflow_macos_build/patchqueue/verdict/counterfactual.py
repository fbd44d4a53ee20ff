"""The same replay with its conflicts treated the other way: what tells a knock-on from a cause."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.patchqueue.replay.replay import replay_otherwise
from tensorflow_macos_build.patchqueue.replay.steps import Earlier, OnConflict, StepOutcome
from tensorflow_macos_build.patchqueue.replay.unmade_merges import UnmadeMerge

if TYPE_CHECKING:
    from tensorflow_macos_build.git.file_merges import FileMerger
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.steps import (
        OtherReplay,
        OtherStep,
        Replay,
        ReplayStep,
        Resolver,
    )
    from tensorflow_macos_build.patchqueue.replay.tree_difference import UpstreamDifferences
    from tensorflow_macos_build.patchqueue.verdict.patches_by_path import PatchesByPath


class OtherReplays:
    """Replays of a queue done the other way, on tree after tree: each takes from the one before.

    Args:
        quarantine: where they are made.
        merger: what merges files.
        differences: those between upstream's trees; without, nothing is taken.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        merger: FileMerger | None = None,
        differences: UpstreamDifferences | None = None,
    ) -> None:
        self._quarantine = quarantine
        self._differences = differences
        self._merger = merger
        self._latest: OtherReplay | None = None

    def of(self, done: Replay, on_conflict: OnConflict, resolver: Resolver) -> OtherReplay:
        """Replay again what was replayed with conflicts treated otherwise."""
        known = self._latest and self._differences and Earlier(self._latest, self._differences)
        self._latest = replay_otherwise(
            self._quarantine,
            done,
            on_conflict,
            resolver=resolver,
            merger=self._merger,
            earlier=known or None,
        )
        return self._latest


class CounterfactualReplay:
    """A replay done the other way from its first conflict on; made when first needed.

    Where the replay left conflicting patches out, the other way is to resolve them the patch's
    way, and the reverse: a patch that conflicts in one of the two only is a knock-on.
    """

    def __init__(
        self,
        done: Replay,
        on_conflict: OnConflict,
        resolver: Resolver,
        others: OtherReplays,
    ) -> None:
        self._done = done
        self._others = others
        self._on_conflict = on_conflict
        self._resolver = resolver
        conflicts = (step.outcome is StepOutcome.CONFLICT for step in done.steps)
        first = next(itertools.compress(itertools.count(), conflicts), len(done.steps))
        self._steps = done.steps[first:]

    def waits(self, step: ReplayStep) -> bool:
        """Whether a patch is clean where the conflicts before it are resolved, and else is not."""
        match self._on_conflict:
            case OnConflict.PROVISIONAL:
                # What somebody decided about it, or what upstream has of it, says more.
                is_clean = step.outcome in (StepOutcome.TAKEN, StepOutcome.MERGED)
                return is_clean and self._outcome(step) is StepOutcome.CONFLICT
            case OnConflict.SKIP:
                return step.outcome is StepOutcome.CONFLICT and self.differs(step)
            case OnConflict.STOP:  # then there is no patch after the first
                return False
            case _:
                assert_never(self._on_conflict)

    def differs(self, step: ReplayStep) -> bool:
        """Whether a patch conflicts in one of the two replays only."""
        stopped = self._on_conflict is OnConflict.STOP
        return not stopped and self._outcome(step) is not step.outcome

    def waited_for(self, step: ReplayStep, causes: PatchesByPath) -> tuple[QueueCommit, ...]:
        """Return the patches that a patch waits for: they touch the paths that it conflicts at.

        Where none of them does, git followed a renamed folder: then it may be any of them.
        """
        return self._on_conflicts(step, causes) or causes.all

    def _on_conflicts(self, step: ReplayStep, causes: PatchesByPath) -> tuple[QueueCommit, ...]:
        if self._on_conflict is OnConflict.SKIP:
            assert step.merged is not None, "conflicts are git's to find"
            return causes.on(file.path for file in step.merged.conflicted)
        conflicts = self._other[step.commit].conflicts
        if isinstance(conflicts, UnmadeMerge):
            return _on_unmade(conflicts, causes)
        return causes.on(conflicts)

    def _outcome(self, step: ReplayStep) -> StepOutcome:
        other = self._other.get(step.commit)
        return step.outcome if other is None else other.outcome

    @functools.cached_property
    def _other(self) -> dict[str, OtherStep]:
        if len(self._steps) < 2:  # nothing comes after the first conflict, or there is none
            return {}
        skipping = self._on_conflict is OnConflict.SKIP
        otherwise = OnConflict.PROVISIONAL if skipping else OnConflict.SKIP
        other = self._others.of(self._done, otherwise, self._resolver)
        return {step.commit: step for step in other.steps}


def _on_unmade(merge: UnmadeMerge, causes: PatchesByPath) -> tuple[QueueCommit, ...]:
    """Return the patches that touch the paths in conflict, of which a few may say it all."""
    most = causes.on(merge.possible)
    if not any(map(merge.may_move_to, causes.paths_of_others(most))):
        found: list[str] = []
        for path in merge.certain():
            found.append(path)
            if causes.on(found) == most:
                return most
    return causes.on(merge.conflicted)

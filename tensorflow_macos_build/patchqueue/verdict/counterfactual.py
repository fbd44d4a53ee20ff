"""The same replay with its conflicts treated the other way: what tells a knock-on from a cause."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.replay.replay import OnConflict, StepOutcome, replay

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.replay.replay import Replay, ReplayStep, Resolver


class CounterfactualReplay:
    """A replay done the other way from its first conflict on; made when first needed.

    Where the replay left conflicting patches out, the other way is to resolve them the patch's
    way, and the reverse: a patch that conflicts in one of the two only is a knock-on.
    """

    def __init__(
        self, quarantine: Quarantine, done: Replay, on_conflict: OnConflict, resolver: Resolver
    ) -> None:
        self._quarantine = quarantine
        self._on_conflict = on_conflict
        self._resolver = resolver
        conflicts = (step.outcome is StepOutcome.CONFLICT for step in done.steps)
        first = next(itertools.compress(itertools.count(), conflicts), len(done.steps))
        self._steps = done.steps[first:]

    def conflicts(self, step: ReplayStep) -> bool:
        """Whether a patch that does not conflict here does so where others are left out."""
        provisional = self._on_conflict is OnConflict.PROVISIONAL
        # Provisional text can hide a conflict: the patch stands on lines that upstream never had.
        return provisional and self._outcome(step) is StepOutcome.CONFLICT

    def differs(self, step: ReplayStep) -> bool:
        """Whether a patch conflicts in one of the two replays only."""
        stopped = self._on_conflict is OnConflict.STOP  # then there is no patch after the first
        return not stopped and self._outcome(step) is not step.outcome

    def step(self, step: ReplayStep) -> ReplayStep:
        """Return a patch's step the other way."""
        return self._other[step.commit]

    def _outcome(self, step: ReplayStep) -> StepOutcome:
        other = self._other.get(step.commit)
        return step.outcome if other is None else other.outcome

    @functools.cached_property
    def _other(self) -> dict[str, ReplayStep]:
        if len(self._steps) < 2:  # nothing comes after the first conflict, or there is none
            return {}
        skipping = self._on_conflict is OnConflict.SKIP
        start = self._steps[0].merged
        assert start is not None
        other = replay(
            self._quarantine,
            start.ours,
            [step.commit for step in self._steps],
            OnConflict.PROVISIONAL if skipping else OnConflict.SKIP,
            resolver=self._resolver,
        )
        return {step.commit: step for step in other.steps}

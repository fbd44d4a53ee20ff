"""What comes after a round of a staged build, decided from what the round left.

A round is a run of a release's workflow. Its title says which one it is, and its artifacts say how
far each part came: `state-PART` was saved, `wheel-PART` is done. Nothing else is kept anywhere, so
nothing can contradict it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tensorflow_macos_build.release.workflows import RoundLimits

BUILD_STEP = "Build"
"""The step of a job that fails for good: others fail where the machine or the network did."""

_TITLE = re.compile(
    r"release ([\w.-]{1,100}) round ([0-9]{1,4}) failures ([0-9]{1,4}) since ([0-9]{1,20})"
    r" tag ([\w.+-]{1,100})"
)


@dataclass(frozen=True)
class RoundTitle:
    """What the title of a round's run says.

    Attributes:
        config: the release.
        number: of the round, from 1.
        failures: how many rounds right before it were lost.
        since: the run from which on saved states count; 0: all do.
        tag: what the release is to be published under; "-": it is not.
    """

    config: str
    number: int
    failures: int
    since: int
    tag: str = "-"

    @classmethod
    def parse(cls, text: str) -> RoundTitle | None:
        """Return what a run's title says; None where it is that of no round."""
        match = _TITLE.fullmatch(text)
        if match is None:
            return None
        return cls(match[1], int(match[2]), int(match[3]), int(match[4]), match[5])

    def __str__(self) -> str:
        """Return the title, as the workflow's `run-name` has it."""
        counts = f"round {self.number} failures {self.failures} since {self.since}"
        return f"release {self.config} {counts} tag {self.tag}"


@dataclass(frozen=True)
class RoundRun:
    """A round that has ended, but for the job that asks what comes next.

    Attributes:
        title: what its title says.
        failed_steps: of each part, the steps that failed.
        artifacts: the names of its artifacts.
        has_successor: whether a later round is under way, or was.
    """

    title: RoundTitle
    failed_steps: Mapping[str, Collection[str]]
    artifacts: Collection[str]
    has_successor: bool = False


class PartOutcome(Enum):
    """How far a round brought an architecture and a Python."""

    DONE = "done"
    PAUSED = "paused"
    FAILED = "failed"
    LOST = "lost"


class NextStep(Enum):
    """What comes after a round."""

    DISPATCH = "dispatch"
    FINISH = "finish"
    STOP = "stop"
    NOTHING = "nothing"


@dataclass(frozen=True)
class RoundDecision:
    """What comes after a round, and why.

    Attributes:
        step: what is done.
        reason: why, for people.
        parts: how far each part is.
        following: the title of the round to dispatch.
    """

    step: NextStep
    reason: str
    parts: Mapping[str, PartOutcome]
    following: RoundTitle | None = None


def decide(run: RoundRun, parts: Collection[str], limits: RoundLimits) -> RoundDecision:
    """Return what comes after a round.

    Args:
        run: the round.
        parts: what is to be built: each architecture with each Python, such as `arm64-3.12`.
        limits: when to give up.
    """
    outcomes = {part: _outcome(part, run) for part in parts}
    named = {
        outcome: [part for part in parts if outcomes[part] is outcome] for outcome in PartOutcome
    }
    if run.has_successor:
        return RoundDecision(NextStep.NOTHING, "a later round is there already", outcomes)
    if failed := named[PartOutcome.FAILED]:
        return RoundDecision(NextStep.STOP, f"the build failed: {', '.join(failed)}", outcomes)
    if len(named[PartOutcome.DONE]) == len(outcomes):
        return RoundDecision(NextStep.FINISH, "all parts are built", outcomes)
    lost = named[PartOutcome.LOST]
    following = replace(
        run.title,
        number=run.title.number + 1,
        failures=run.title.failures + 1 if lost else 0,
    )
    if following.failures > limits.failures:
        reason = f"{following.failures} rounds in a row lost their work: {', '.join(lost)}"
        return RoundDecision(NextStep.STOP, reason, outcomes)
    if following.number > limits.rounds:
        reason = f"{limits.rounds} rounds did not suffice"
        return RoundDecision(NextStep.STOP, reason, outcomes)
    reason = f"not done yet: {', '.join([*named[PartOutcome.PAUSED], *lost])}"
    return RoundDecision(NextStep.DISPATCH, reason, outcomes, following)


def _outcome(part: str, run: RoundRun) -> PartOutcome:
    if BUILD_STEP in run.failed_steps.get(part, ()):
        return PartOutcome.FAILED
    if f"wheel-{part}" in run.artifacts:
        return PartOutcome.DONE
    if f"state-{part}" in run.artifacts:
        return PartOutcome.PAUSED
    return PartOutcome.LOST

"""What a benchmark has measured, and what follows from it."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.smoke.bench.design import BenchDesign, PlannedRun
    from tensorflow_macos_build.smoke.bench.intervals import RatioInterval


@dataclass(frozen=True)
class Measurement:
    """What one process measured.

    Attributes:
        run: which of the planned processes it was.
        why: why it measured nothing; empty where it did.
        first_step_s: seconds of the first step, in which graphs are traced and kernels compiled.
        steps_s: seconds of each step that counts, until its loss was read on the host.
        losses: the losses from the first step on.
        started: when it was started, in seconds since 1970.
        seconds: how long the process took.
        facts: what else the process said: versions, device, memory, and the machine's load.
    """

    run: PlannedRun
    why: str = ""
    first_step_s: float = 0.0
    steps_s: tuple[float, ...] = ()
    losses: tuple[float, ...] = ()
    started: float = 0.0
    seconds: float = 0.0
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def step_s(self) -> float:
        """The median of the steps that count, in seconds."""
        return statistics.median(self.steps_s)


class BenchVerdict(Enum):
    """What the times of two arms prove."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference shown"
    NOISY = "the machine is too noisy"
    """The baseline differs from its own second copy."""

    TOO_FEW_SESSIONS = "too few sessions"
    OTHER_LOSSES = "the losses differ"
    """The arms do not compute the same: a time says nothing."""

    NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class BenchRow:
    """One workload on one arm, compared with the baseline.

    Attributes:
        workload: its name.
        arm: the arm's name; the baseline's second copy in the row A/A.
        is_control: whether it is the row A/A.
        verdict: what is proven.
        why: what it rests on, for people.
        interval: how many times as fast it is as the baseline; None where that is not known.
        against_twin: the same against the baseline's second copy.
        step_s: the median over processes of a step's seconds: baseline's and arm's; empty: none.
        first_step_s: likewise of the first step's.
    """

    workload: str
    arm: str
    is_control: bool
    verdict: BenchVerdict
    why: str = ""
    interval: RatioInterval | None = None
    against_twin: RatioInterval | None = None
    step_s: tuple[float, ...] = ()
    first_step_s: tuple[float, ...] = ()


@dataclass(frozen=True)
class BenchResult:
    """A benchmark's design, what was measured, and the rows of its report.

    Attributes:
        design: what was planned.
        machine: what it ran on: system, processor, memory.
        measurements: in the order in which they were planned.
        rows: for each workload the row A/A, then one for each arm.
    """

    design: BenchDesign
    machine: Mapping[str, Any]
    measurements: tuple[Measurement, ...]
    rows: tuple[BenchRow, ...]

    @property
    def failed(self) -> tuple[Measurement, ...]:
        """The processes that measured nothing."""
        return tuple(measurement for measurement in self.measurements if measurement.why)

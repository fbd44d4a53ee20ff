"""Measurements of a benchmark as they might be, with a truth that is known."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.bench import Arm, BenchDesign, BenchResult, Measurement
from tensorflow_macos_build.smoke.bench.verdicts import rows

if TYPE_CHECKING:
    from collections.abc import Mapping

STOCK, FORK = Arm("stock", "envs/stock", "CPU:0"), Arm("fork", "envs/fork", "GPU:0")
LOSSES = (2.3, 2.2, 2.1)


def design(*arms: Arm, sessions: int = 8, rounds: int = 1, workloads: str = "lstm") -> BenchDesign:
    """Return a design of arms, by default of `STOCK` and `FORK`."""
    return BenchDesign(arms or (STOCK, FORK), tuple(workloads.split(",")), "tiny", sessions, rounds)


def simulated(
    planned: BenchDesign,
    speeds: Mapping[str, float],
    *,
    between: float = 0.05,
    within: float = 0.02,
    seed: int = 0,
) -> list[Measurement]:
    """Return what processes would measure whose arms have these speeds.

    Of an arm in a session the time deviates by `between` (of the logarithm), and of its steps by
    `within` from that. The baseline's speed is 1.
    """
    chance = random.Random(seed)
    deviations: dict[tuple[str, int], float] = {}
    measurements = []
    for run in sorted(planned.runs(), key=lambda run: (run.session, run.round, run.arm)):
        shared = deviations.setdefault((run.arm, run.session), chance.gauss(0, between))
        usual = 0.1 / speeds.get(run.arm, 1.0)
        steps = tuple(usual * math.exp(shared + chance.gauss(0, within)) for _ in range(10))
        measurements.append(Measurement(run, "", 1.5, steps, LOSSES, 1.0, 2.0))
    return measurements


def result() -> BenchResult:
    """Return a result in which one arm is faster, and one crashed once."""
    planned = design(sessions=6)
    made = simulated(planned, {"fork": 3.0})
    made.append(Measurement(made[0].run, "it was ended by SIGSEGV"))
    return BenchResult(planned, {"processor": "Apple M1"}, tuple(made), rows(planned, made))

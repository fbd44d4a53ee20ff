"""Which processes a benchmark starts, in which order.

The order is random, so that nothing which changes while it runs (heat, other programs) favours an
arm, and follows from the seed alone: a benchmark that goes on where it was left, or gets more
sessions, keeps the order of those that were planned before.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.smoke.bench.arms import Arm

AGAIN = " (again)"
"""How the baseline's second copy is called, behind its name."""

MOST_SESSIONS = 100


@dataclass(frozen=True)
class Pace:
    """How long a process measures.

    Attributes:
        warmup: steps behind the first that do not count: kernels are still chosen and compiled.
        steps: steps that count.
        seconds: after how many a slow workload's steps end.
        timeout: seconds after which a process is stopped.
    """

    warmup: int
    steps: int
    seconds: float
    timeout: float


PACES = {
    "tiny": Pace(warmup=3, steps=12, seconds=30, timeout=600),
    "small": Pace(warmup=5, steps=20, seconds=120, timeout=1800),
    "full": Pace(warmup=10, steps=30, seconds=600, timeout=7200),
}


@dataclass(frozen=True)
class PlannedRun:
    """One process: a workload, measured on an arm.

    Attributes:
        session: counted from 1.
        round: within the session, counted from 1.
        workload: its name (`smoke/inside/bench/sizes.py`).
        arm: the arm's name.
    """

    session: int
    round: int
    workload: str
    arm: str


@dataclass(frozen=True)
class BenchDesign:
    """What is measured, and how often.

    Attributes:
        arms: what is compared; the first is the baseline.
        workloads: names of workloads.
        size: `tiny`, `small` or `full`.
        sessions: how many; what a verdict rests on.
        rounds: processes of each arm and workload in a session.
        seed: what the order follows from.
        module: the module that is imported.

    Raises:
        UsageError: nothing can be measured so.
    """

    arms: tuple[Arm, ...]
    workloads: tuple[str, ...]
    size: str = "full"
    sessions: int = 8
    rounds: int = 1
    seed: int = 1
    module: str = "tensorflow"

    def __post_init__(self) -> None:
        """Refuse what no benchmark can be made of."""
        if not self.arms:
            example = checkout.command("bench", "--arm", "stock=tensorflow==2.16.2")
            raise UsageError("a benchmark needs an arm", hint=f"for example {example}")
        names = [arm.name for arm in self.participants]
        if len(set(names)) < len(names):
            raise UsageError(f"two arms have one name: {', '.join(names)}")
        if self.size not in PACES:
            raise UsageError(f"`--size` takes {', '.join(PACES)}, not `{self.size}`")
        if not (1 <= self.sessions <= MOST_SESSIONS and 1 <= self.rounds <= MOST_SESSIONS):
            raise UsageError(f"`--sessions` and `--rounds` take 1 to {MOST_SESSIONS}")

    @property
    def pace(self) -> Pace:
        """How long each process measures."""
        return PACES[self.size]

    @property
    def twin(self) -> Arm:
        """The baseline's second copy, which nothing but chance tells from the first."""
        return replace(self.arms[0], name=f"{self.arms[0].name}{AGAIN}")

    @property
    def participants(self) -> tuple[Arm, ...]:
        """The arms, and behind the baseline its second copy."""
        return (self.arms[0], self.twin, *self.arms[1:])

    def runs(self) -> Iterator[PlannedRun]:
        """Yield the processes in the order in which they are started."""
        names = [arm.name for arm in self.participants]
        for session in range(1, self.sessions + 1):
            for number in range(1, self.rounds + 1):
                # An order is an order, not a secret.
                chance = random.Random(f"{self.seed}:{session}:{number}")  # noqa: S311
                for workload in chance.sample(self.workloads, len(self.workloads)):
                    for arm in chance.sample(names, len(names)):
                        yield PlannedRun(session, number, workload, arm)

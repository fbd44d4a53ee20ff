"""What a sweep saw: an outcome for each (op, type), and what was not called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.smoke.sweep.exclusions import Exclusion
from tensorflow_macos_build.smoke.sweep.planning import MISSING, ExcludedOp

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tensorflow_macos_build.smoke.sweep.planning import (
        RegistrationFault,
        SweepCase,
        SweepPlan,
    )


class SweepOutcome(Enum):
    """How a case came out; the failures are those of the device alone."""

    EQUAL = "equal"
    DIFFER = "differ"
    RAISE = "raise"
    DIE = "die"
    """It ended its process: a crash, an abort, or a hang that had to be killed."""
    UNACCOUNTED = "unaccounted"
    """Nothing is known of it: no inputs that the reference takes, or the sweep ended before."""

    @property
    def failed(self) -> bool:
        """Whether it speaks against the device."""
        return self in (SweepOutcome.DIFFER, SweepOutcome.RAISE, SweepOutcome.DIE)


_REFUSED = "refused"
"""What the environment's program says of a case that the reference did not take."""

_NOT_CALLED = {"unimplemented": Exclusion.REMOVED, "unprepared": Exclusion.PREPARATION}
"""What it says of a case that cannot be called, and the reason that this is."""


@dataclass(frozen=True)
class SweepResult:
    """One case's outcome.

    Attributes:
        case: what was called.
        outcome: how it came out.
        why: what was seen, where it is not equal.
        law: what had to hold: `value`, `sample`, `shape`; `repeat` where there is no reference.
        error: the largest error in units of the dtype's epsilon; None where no float was compared.
        limit: units that were allowed.
        seconds: what its four calls took.
    """

    case: SweepCase
    outcome: SweepOutcome
    why: str = ""
    law: str = ""
    error: float | None = None
    limit: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True)
class OpSummary:
    """All cases of one op.

    Attributes:
        op: its name.
        outcomes: how many cases came out how.
        error: the largest error of them, in units of epsilon; None where there is none.
        limit: units that were allowed.
        why: what was seen of the first case that is not equal.
    """

    op: str
    outcomes: Counter[SweepOutcome]
    error: float | None
    limit: float
    why: str


@dataclass(frozen=True)
class SweepReport:
    """What a sweep of one device saw.

    Attributes:
        subject: what was tried: a wheel, a requirement, an interpreter.
        target: the processor that it was tried as.
        tensorflow: the version that it says of itself.
        device: the device.
        reference: the device that it was compared with.
        results: the cases that were to be called, in order.
        excluded: what was not, and why.
        faults: registrations that are wrong.
        seconds: how long it took.
        ended: why the program in the environment ended early; empty when it did not.
    """

    subject: str
    target: str
    tensorflow: str
    device: str
    reference: str
    results: tuple[SweepResult, ...]
    excluded: tuple[ExcludedOp, ...]
    faults: tuple[RegistrationFault, ...]
    seconds: float = 0.0
    ended: str = ""

    @property
    def counts(self) -> Counter[SweepOutcome]:
        """How many cases came out how."""
        return Counter(result.outcome for result in self.results)

    @property
    def exclusions(self) -> Counter[Exclusion]:
        """How many (op, type) were not called for which reason."""
        total: Counter[Exclusion] = Counter()
        for excluded in self.excluded:
            total[excluded.reason] += excluded.count
        return total

    @property
    def called_ops(self) -> frozenset[str]:
        """The ops of which at least one call returned on both sides."""
        known = (SweepOutcome.EQUAL, SweepOutcome.DIFFER)
        return frozenset(result.case.op for result in self.results if result.outcome in known)

    @property
    def passed(self) -> bool:
        """Whether something was called, and nothing speaks against the device."""
        counts = self.counts
        sound = not any(outcome.failed for outcome in counts)
        # Only what was named can be missing: what a device leaves out is its own affair.
        missing = any(fault.kind == MISSING for fault in self.faults)
        return counts[SweepOutcome.EQUAL] > 0 and sound and not missing

    def ops(self) -> list[OpSummary]:
        """Return a summary of each op that was to be called, by name."""
        grouped: dict[str, list[SweepResult]] = {}
        for result in self.results:
            grouped.setdefault(result.case.op, []).append(result)
        return [_summary(op, results) for op, results in sorted(grouped.items())]


def _summary(op: str, results: list[SweepResult]) -> OpSummary:
    errors = [result.error for result in results if result.error is not None]
    unequal = [result for result in results if result.outcome is not SweepOutcome.EQUAL]
    types = ", ".join(dtype for _, dtype in unequal[0].case.types) if unequal else ""
    return OpSummary(
        op,
        Counter(result.outcome for result in results),
        max(errors, default=None),
        max(result.limit for result in results),
        f"{types}: {unequal[0].why}".removeprefix(": ") if unequal else "",
    )


def collect(
    plan: SweepPlan, rows: Iterable[Mapping[str, Any]]
) -> tuple[tuple[SweepResult, ...], tuple[ExcludedOp, ...]]:
    """Return an outcome for each case of a plan, and what was excluded, from the program's rows.

    A case of which no row tells is unaccounted. One that the reference says it does not implement,
    or that the device cannot be prepared for, is excluded.

    Raises:
        KeyError, TypeError, ValueError: the rows are not of that program's making.
    """
    by_case = {int(row["case"]): row for row in rows}
    results: list[SweepResult] = []
    not_called: Counter[tuple[str, Exclusion]] = Counter()
    for number, case in enumerate(plan.cases):
        row = by_case.get(number, {"outcome": _REFUSED, "why": "the sweep ended before it"})
        if row["outcome"] in _NOT_CALLED:
            not_called[case.op, _NOT_CALLED[row["outcome"]]] += 1
        else:
            results.append(_result(case, row))
    excluded = [ExcludedOp(op, reason, n) for (op, reason), n in not_called.items()]
    return tuple(results), tuple(
        sorted((*plan.excluded, *excluded), key=lambda e: (e.op, e.reason.name))
    )


def _result(case: SweepCase, row: Mapping[str, Any]) -> SweepResult:
    unknown = row["outcome"] == _REFUSED
    outcome = SweepOutcome.UNACCOUNTED if unknown else SweepOutcome(row["outcome"])
    error = row.get("error")
    return SweepResult(
        case,
        outcome,
        str(row["why"]),
        str(row.get("law", "")),
        None if error is None else float(error),
        float(row.get("limit", 0.0)),
        float(row.get("seconds", 0.0)),
    )

"""What follows from a benchmark's measurements."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.bench.intervals import FEWEST_SESSIONS, interval
from tensorflow_macos_build.smoke.bench.model import BenchRow, BenchVerdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import TypeAlias

    from tensorflow_macos_build.smoke.bench.design import BenchDesign
    from tensorflow_macos_build.smoke.bench.intervals import RatioInterval
    from tensorflow_macos_build.smoke.bench.model import Measurement

    Turns: TypeAlias = "Mapping[tuple[int, int], Measurement]"
    """An arm's measurements of a workload, by session and round."""

LOSS_TOLERANCE = (0.01, 0.05)
"""How far the first loss and the second may be apart, of the larger. Both are of the same weights
and batches; the second sees the first step's gradients, which Adam scales to their signs."""


def rows(design: BenchDesign, measurements: Sequence[Measurement]) -> tuple[BenchRow, ...]:
    """Return for each workload the row of the baseline's second copy, then one for each arm."""
    failures: dict[tuple[str, str], str] = {}
    turns: dict[tuple[str, str], dict[tuple[int, int], Measurement]] = defaultdict(dict)
    for measurement in measurements:
        run = measurement.run
        if measurement.why:
            failures.setdefault((run.workload, run.arm), measurement.why)
        else:
            turns[run.workload, run.arm][run.session, run.round] = measurement
    return tuple(
        row
        for workload in design.workloads
        for row in _of_workload(
            design,
            workload,
            {arm.name: turns[workload, arm.name] for arm in design.participants},
            {arm.name: failures.get((workload, arm.name), "") for arm in design.participants},
        )
    )


def _of_workload(
    design: BenchDesign, workload: str, turns: Mapping[str, Turns], failures: Mapping[str, str]
) -> Iterator[BenchRow]:
    name, twin = design.arms[0].name, design.twin.name
    base = turns[name]
    control = compared(base, turns[twin])
    for arm in design.participants[1:]:
        own, times = turns[arm.name], _times(base, turns[arm.name])
        to_base, to_twin = compared(base, own), compared(turns[twin], own)
        if not times[0]:
            verdict = BenchVerdict.NOT_MEASURED
            why = failures[arm.name] or failures[name]
        elif arm.name == twin:
            verdict, why, to_twin = *control_verdict(control), None
        else:
            verdict, why = judged(to_base, to_twin, control, losses_differ(base, own))
        yield BenchRow(workload, arm.name, arm.name == twin, verdict, why, to_base, to_twin, *times)


def _times(base: Turns, own: Turns) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the medians of the steps and of the first steps, of both sides; empty: none."""
    shared = base.keys() & own.keys()
    if not shared:
        return (), ()
    sides = (base, own)
    return (
        tuple(statistics.median(side[turn].step_s for turn in shared) for side in sides),
        tuple(statistics.median(side[turn].first_step_s for turn in shared) for side in sides),
    )


def compared(base: Turns, own: Turns) -> RatioInterval | None:
    """Return how many times as fast one is as the other, paired by session and round."""
    sessions: dict[int, list[float]] = defaultdict(list)
    for turn in sorted(base.keys() & own.keys()):
        sessions[turn[0]].append(base[turn].step_s / own[turn].step_s)
    return interval(list(sessions.values()))


def control_verdict(control: RatioInterval | None) -> tuple[BenchVerdict, str]:
    """Return what the baseline and its second copy show: at best no difference."""
    if control is None or control.sessions < FEWEST_SESSIONS:
        return BenchVerdict.TOO_FEW_SESSIONS, ""
    if control.side:
        return BenchVerdict.NOISY, "the same program differs from itself"
    return BenchVerdict.NO_DIFFERENCE, ""


def judged(
    to_base: RatioInterval | None,
    to_twin: RatioInterval | None,
    control: RatioInterval | None,
    differing: str,
) -> tuple[BenchVerdict, str]:
    """Return what is proven of an arm, and why.

    It is faster or slower where the row A/A holds, the intervals against both copies of the
    baseline are on the same side of 1, and both ratios are farther from 1 than any end of the
    interval of A/A. The first interval alone would be wrong in one comparison of twenty.

    Args:
        to_base: how many times as fast it is as the baseline.
        to_twin: the same of the baseline's second copy.
        control: how many times as fast the second copy is as the baseline.
        differing: how the losses differ; empty where they agree.
    """
    if differing:
        return BenchVerdict.OTHER_LOSSES, differing
    too_few = BenchVerdict.TOO_FEW_SESSIONS, f"a verdict needs {FEWEST_SESSIONS}"
    if to_base is None or to_twin is None or control is None:
        return too_few
    if min(to_base.sessions, to_twin.sessions, control.sessions) < FEWEST_SESSIONS:
        return too_few
    if control.side:
        return BenchVerdict.NOISY, "the row A/A does not hold"
    return _shown(to_base, to_twin, control), ""


def _shown(to_base: RatioInterval, to_twin: RatioInterval, control: RatioInterval) -> BenchVerdict:
    nearer = min(abs(math.log(to_base.ratio)), abs(math.log(to_twin.ratio)))
    if to_base.side != to_twin.side or nearer <= math.log(control.reach):
        return BenchVerdict.NO_DIFFERENCE
    if to_base.side == 0:
        return BenchVerdict.NO_DIFFERENCE
    return BenchVerdict.FASTER if to_base.side > 0 else BenchVerdict.SLOWER


def losses_differ(base: Turns, own: Turns) -> str:
    """Return how the losses of two arms are apart; "" where they agree.

    What computes nothing, or something else, may be fast.
    """
    for turn in sorted(base.keys() & own.keys()):
        pairs = zip(base[turn].losses, own[turn].losses, LOSS_TOLERANCE, strict=False)
        for step, (first, second, tolerance) in enumerate(pairs, 1):
            # `not <=`, for what is no number is within no tolerance.
            if not abs(first - second) <= tolerance * max(abs(first), abs(second)):
                return f"at step {step} the losses are {first:.5g} and {second:.5g}"
    return ""

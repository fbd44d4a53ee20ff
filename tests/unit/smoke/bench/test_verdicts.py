"""A verdict is spoken only where everything that it rests on holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tensorflow_macos_build.smoke.bench import BenchRow, BenchVerdict, Measurement
from tensorflow_macos_build.smoke.bench.verdicts import rows
from tests.bench_times import LOSSES, design, simulated


def _arm_row(made: list[Measurement], sessions: int = 8) -> BenchRow:
    (control, row) = rows(design(sessions=sessions), made)
    assert control.is_control
    return row


@pytest.mark.parametrize(
    ("speed", "verdict"),
    [
        (3.0, BenchVerdict.FASTER),
        (0.4, BenchVerdict.SLOWER),
        (1.01, BenchVerdict.NO_DIFFERENCE),
    ],
)
def test_what_is_proven_is_said(speed: float, verdict: BenchVerdict) -> None:
    row = _arm_row(simulated(design(), {"fork": speed}))
    assert row.verdict is verdict
    assert row.interval is not None
    assert row.interval.ratio == pytest.approx(speed, rel=0.1)
    assert row.step_s[0] / row.step_s[1] == pytest.approx(speed, rel=0.15)


def test_a_baseline_that_differs_from_itself_takes_every_verdict_back() -> None:
    made = simulated(design(), {"fork": 9.0, "stock (again)": 1.5})
    control, row = rows(design(), made)
    assert control.verdict is row.verdict is BenchVerdict.NOISY


def test_what_is_nearer_than_the_baselines_copies_are_apart_is_no_difference() -> None:
    made = simulated(design(), {"fork": 1.06}, between=0.001, within=0.001)
    assert _arm_row(made).verdict is BenchVerdict.FASTER
    # One session of the second copy is off: A/A still holds, and reaches farther than the arm.
    noisy = [
        replace(item, steps_s=tuple(step * 1.3 for step in item.steps_s))
        if item.run.arm == "stock (again)" and item.run.session in (2, 3)
        else item
        for item in made
    ]
    assert _arm_row(noisy).verdict is BenchVerdict.NO_DIFFERENCE


@pytest.mark.parametrize("sessions", [1, 5])
def test_five_sessions_are_too_few(sessions: int) -> None:
    planned = design(sessions=sessions)
    made = simulated(planned, {"fork": 9.0, "stock (again)": 2.0})
    assert [row.verdict for row in rows(planned, made)] == [BenchVerdict.TOO_FEW_SESSIONS] * 2


@pytest.mark.parametrize("losses", [(2.2, 2.2), (2.3, 1.9), (float("nan"), 2.2)])
def test_an_arm_that_computes_something_else_wins_nothing(losses: tuple[float, ...]) -> None:
    made = [
        replace(item, losses=losses) if item.run.arm == "fork" else item
        for item in simulated(design(), {"fork": 9.0})
    ]
    assert _arm_row(made).verdict is BenchVerdict.OTHER_LOSSES
    nearly = tuple(loss * 1.001 for loss in LOSSES)
    made = [replace(item, losses=nearly) if item.losses == losses else item for item in made]
    assert (_arm_row(made).verdict is BenchVerdict.FASTER) == (losses == losses)  # noqa: PLR0124


def test_an_arm_that_crashes_is_not_measured_and_says_why() -> None:
    made = [
        replace(item, why="it was ended by SIGSEGV", steps_s=()) if item.run.arm == "fork" else item
        for item in simulated(design(), {})
    ]
    row = _arm_row(made)
    assert (row.verdict, row.why) == (BenchVerdict.NOT_MEASURED, "it was ended by SIGSEGV")
    assert row.interval is None

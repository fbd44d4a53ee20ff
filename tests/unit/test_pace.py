"""The counts, the rate and the time left that people are shown of work."""

import pytest

from tensorflow_macos_build.pace import Pace, WorkProgress, clock


def test_equal_units_have_a_rate_and_a_time_left() -> None:
    pace = Pace()
    assert pace.figures(WorkProgress(0, 120, unit="MB"), 100.0) == "0/120 MB"
    assert pace.figures(WorkProgress(30, 120, unit="MB"), 110.0) == "30/120 MB, 3.0 MB/s, 0:30 left"


def test_what_has_no_unit_is_counted_only() -> None:
    pace = Pace()
    pace.figures(WorkProgress(0, 9), 0.0)
    assert pace.figures(WorkProgress(5, 9), 50.0) == "5/9"


def test_what_was_done_before_it_was_watched_does_not_count_as_fast() -> None:
    pace = Pace()
    pace.figures(WorkProgress(100, 120, unit="MB"), 0.0)
    assert pace.figures(WorkProgress(110, 120, unit="MB"), 10.0).endswith("1.0 MB/s, 0:10 left")


def test_a_new_phase_is_measured_anew() -> None:
    pace = Pace()
    pace.figures(WorkProgress(0, 10, unit="wheels", phase="1/2 fusing"), 0.0)
    pace.figures(WorkProgress(10, 10, unit="wheels", phase="1/2 fusing"), 100.0)
    verifying = WorkProgress(0, 10, unit="wheels", phase="2/2 verifying")
    assert pace.figures(verifying, 100.0) == "0/10 wheels"
    later = WorkProgress(5, 10, unit="wheels", phase="2/2 verifying")
    assert pace.figures(later, 105.0).endswith("1.0 wheels/s, 0:05 left")


def test_an_unknown_total_has_a_rate_and_no_time_left() -> None:
    pace = Pace()
    pace.figures(WorkProgress(0, unit="MB"), 0.0)
    assert pace.figures(WorkProgress(50, unit="MB"), 2.0) == "50 MB, 25 MB/s"


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (26, "0:26"), (3725, "1:02:05")]
)
def test_durations_are_a_clocks(seconds: float, text: str) -> None:
    assert clock(seconds) == text

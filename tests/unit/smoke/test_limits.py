"""Known limits: declared failures are shown as such, and noticed when they are over."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.smoke import CheckOutcome, KnownLimit, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.limits import apply
from tensorflow_macos_build.views import smoke as view

LIMITS = (KnownLimit("layers.*", "no kernel yet (apple#195)", "GPU"),)


def check(name: str, outcome: CheckOutcome) -> SmokeCheck:
    return apply(SmokeCheck("arm64", name, outcome), LIMITS, "GPU:0")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CheckOutcome.FAILED, CheckOutcome.KNOWN_LIMIT),
        (CheckOutcome.CRASHED, CheckOutcome.KNOWN_LIMIT),
        (CheckOutcome.PASSED, CheckOutcome.PASSED),
        (CheckOutcome.NOT_RUN, CheckOutcome.NOT_RUN),
    ],
)
def test_a_declared_failure_is_a_known_limit(before: CheckOutcome, after: CheckOutcome) -> None:
    changed = check("layers.lstm", before)
    assert (changed.outcome, changed.limit) == (after, "no kernel yet (apple#195)")


def test_what_is_not_declared_stays_a_failure() -> None:
    other = check("train", CheckOutcome.FAILED)
    assert (other.outcome, other.limit) == (CheckOutcome.FAILED, "")
    failed = SmokeCheck("arm64", "layers.lstm", CheckOutcome.FAILED)
    assert apply(failed, LIMITS, "CPU:0").outcome is CheckOutcome.FAILED


def test_a_limit_does_not_fail_a_run_and_one_that_is_over_is_reported() -> None:
    checks = (
        check("layers.lstm", CheckOutcome.FAILED),
        check("layers.dense", CheckOutcome.PASSED),
    )
    report = SmokeReport("a.whl", "GPU:0", "CPU:0", "full", False, checks)
    assert report.verdict == "passed"
    assert [lifted.name for lifted in report.lifted_limits] == ["layers.dense"]
    document = view.as_document(report)
    assert document["lifted_limits"] == [
        {"target": "arm64", "check": "layers.dense", "limit": "no kernel yet (apple#195)"}
    ]

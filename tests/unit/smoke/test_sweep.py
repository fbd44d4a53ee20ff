"""What a sweep says of what its program in the environment has written, and has not."""

from __future__ import annotations

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.smoke.sweep import (
    ExcludedOp,
    Exclusion,
    SweepCase,
    SweepOptions,
    SweepOutcome,
    SweepReport,
)
from tensorflow_macos_build.smoke.sweep.exclusions import exclusion, type_exclusion
from tensorflow_macos_build.smoke.sweep.model import collect
from tensorflow_macos_build.smoke.sweep.planning import Kernel, Listing, OpDef, SweepPlan, plan
from tensorflow_macos_build.smoke.sweep.run import require_devices
from tensorflow_macos_build.views import sweep as view

CASES = tuple(SweepCase("MatMul", (("T", dtype),)) for dtype in ("float16", "float32", "int32"))
PLAN = SweepPlan(CASES, (ExcludedOp("Print", Exclusion.FILES, 1),), ())


def _report(*rows: dict[str, object]) -> SweepReport:
    results, excluded = collect(PLAN, rows)
    return SweepReport("a.whl", "arm64", "2.16.2", "GPU:0", "CPU:0", results, excluded, ())


def _row(case: int, outcome: str, why: str = "", error: float | None = 0.0) -> dict[str, object]:
    return {
        "case": case,
        "outcome": outcome,
        "why": why,
        "law": "value",
        "error": error,
        "limit": 64,
    }


def test_a_case_of_which_nothing_was_written_is_unaccounted_and_the_report_says_so() -> None:
    report = _report(_row(0, "equal"), _row(1, "refused", "InvalidArgumentError: shapes"))
    assert [result.outcome for result in report.results] == [
        SweepOutcome.EQUAL,
        SweepOutcome.UNACCOUNTED,
        SweepOutcome.UNACCOUNTED,
    ]
    assert report.results[2].why == "the sweep ended before it"
    assert "2 kernels nothing is known" in str(view.as_parts(report)[-1])


def test_what_cannot_be_called_is_excluded_and_not_unaccounted() -> None:
    report = _report(_row(0, "unimplemented"), _row(1, "equal"), _row(2, "unprepared"))
    assert report.counts == {SweepOutcome.EQUAL: 1}
    assert report.exclusions == dict.fromkeys(
        (Exclusion.FILES, Exclusion.REMOVED, Exclusion.PREPARATION), 1
    )


def test_one_kernel_that_differs_raises_or_dies_fails_the_device() -> None:
    for bad in ("differ", "raise", "die"):
        assert not _report(_row(0, "equal"), _row(1, "equal"), _row(2, bad, "why")).passed
    assert _report(_row(0, "equal"), _row(1, "equal"), _row(2, "equal")).passed
    assert not _report().passed  # nothing was called, and nothing is proven


def test_the_document_obeys_its_schema_also_where_an_error_has_no_size() -> None:
    report = _report(_row(0, "differ", "NaN", float("inf")), _row(1, "equal", "", None))
    document = view.as_document(report)
    documents.check(document)
    assert documents.read(documents.dumps(document).encode(), "smoke-sweep", 1) == document


def test_every_reason_of_an_exclusion_is_given_to_some_op_and_none_to_plain_mathematics() -> None:
    none: frozenset[str] = frozenset()
    known = {
        exclusion(op, none, takes_reference=False)
        for op in (
            *("ReadFile", "Enter", "CollectiveReduce", "MapDataset", "QueueDequeueV2", "Abort"),
            *("BoostedTreesBucketize", "_MklConv2D", "TensorArrayV2"),
        )
    }
    known |= {
        exclusion("Assign", none, takes_reference=True),
        exclusion("While", frozenset({"func"}), takes_reference=False),
        type_exclusion("Identity", ["resource"]),
        Exclusion.UNREACHABLE,  # of kernels, not of an op: planning's
        Exclusion.PREPARATION,  # seen only in the calls
    }
    assert known == set(Exclusion)
    for op in ("MatMul", "Conv2D", "Sum", "Relu", "Cast", "ResourceApplyAdam", "StridedSlice"):
        assert exclusion(op, frozenset({"type", "int"}), takes_reference=False) is None
        assert type_exclusion(op, ["float32", "int32"]) is None


def test_a_device_that_is_not_listed_is_an_error_and_no_other_is_taken() -> None:
    listing = Listing("2.16.2", ("CPU:0",), (), {})
    require_devices(listing, "CPU:0", "CPU:0")
    with pytest.raises(WorkFailed, match="there is no GPU:0 to sweep: TensorFlow lists CPU:0"):
        require_devices(listing, "GPU:0", "CPU:0")


def test_times_and_numbers_of_processes_that_make_no_sense_are_refused() -> None:
    for bad in ({"jobs": 0}, {"jobs": 1000}, {"timeout_s": 0.0}, {"timeout_s": 1e9}):
        with pytest.raises(UsageError, match="takes"):
            SweepOptions(**bad)


def test_an_op_that_is_named_and_has_no_kernel_is_missing_and_fails_the_sweep() -> None:
    kernel = Kernel("MatMul", "GPU", (("T", ("float32",)),))
    ops = {name: OpDef({"T": ("type", ())}, reference=False) for name in ("MatMul", "Relu")}
    listing = Listing("2.16.2", ("GPU:0",), (kernel,), ops)
    planned = plan(listing, "GPU:0", "CPU:0", {"MatMul", "Relu"})
    assert [(fault.op, fault.kind) for fault in planned.faults] == [("Relu", "missing")]
    results, excluded = collect(planned, [_row(0, "equal")])
    report = SweepReport("a", "x", "2", "GPU:0", "CPU:0", results, excluded, planned.faults)
    assert not report.passed
    assert plan(listing, "GPU:0", "CPU:0").faults == ()

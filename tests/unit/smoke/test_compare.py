"""Two smoke tests side by side."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.compare import compare, read
from tensorflow_macos_build.views import smoke as view
from tensorflow_macos_build.views import smoke_compare as compare_view

if TYPE_CHECKING:
    from pathlib import Path

GPU, CPU = ("/job:localhost/replica:0/task:0/device:" + name for name in ("GPU:0", "CPU:0"))


def document(*rows: tuple[str, str, float | None, dict[str, Any]]) -> documents.Json:
    checks = tuple(
        SmokeCheck("arm64", name, CheckOutcome(outcome), evidence=evidence, seconds=seconds)
        for name, outcome, seconds, evidence in rows
    )
    return view.as_document(SmokeReport("w.whl", "GPU:0", "CPU:0", "full", False, checks))


BEFORE = document(
    ("stays", "passed", 1.0, {"ran_on": {"MatMul": GPU, "Relu": GPU}}),
    ("breaks", "passed", 1.0, {"symbols": ["TF_A", "TF_B"]}),
    ("heals", "crashed", 1.0, {}),
    ("goes", "passed", 1.0, {}),
    ("fails on", "failed", 1.0, {}),
    ("trains", "passed", 1.0, {"coverage": {"GPU:0": 1.0}}),
    ("slows", "passed", 2.0, {"op_us": {"MatMul": 100.0, "Relu": 100.0, "Neg": 1.0}}),
)
AFTER = document(
    ("stays", "passed", 1.2, {"ran_on": {"MatMul": CPU, "Relu": "GPU:0"}}),
    ("breaks", "hung", 9.0, {"symbols": ["TF_B", "TF_C"]}),
    ("heals", "passed", 9.0, {}),
    ("goes", "not_run", None, {}),
    ("fails on", "failed", 1.0, {}),
    ("trains", "passed", 1.0, {"coverage": {"GPU:0": 0.6, "CPU:0": 0.4}}),
    ("slows", "passed", 4.0, {"op_us": {"MatMul": 300.0, "Relu": 110.0, "Neg": 9.0}}),
    ("is new", "passed", 1.0, {}),
)


def test_every_kind_of_change_is_told_apart() -> None:
    result = compare(BEFORE, AFTER)
    assert [change.name for change in result.new_failures] == ["breaks"]
    assert [change.name for change in result.new_passes] == ["heals", "is new"]
    assert [change.name for change in result.dropped] == ["goes"]
    assert [(op.op, op.before, op.after) for op in result.moved] == [("MatMul", "GPU:0", "CPU:0")]
    # What failed and what is too short to be measured is left out, and what changed little.
    assert [(slow.check, slow.op, slow.ratio) for slow in result.slower] == [
        ("slows", "", 2.0),
        ("slows", "MatMul", pytest.approx(3.0)),
    ]
    assert [(c.device, c.before, c.after) for c in result.coverage] == [
        ("CPU:0", 0.0, 0.4),
        ("GPU:0", 1.0, 0.6),
    ]
    assert (result.symbols_gained, result.symbols_lost) == (("TF_C",), ("TF_A",))
    assert result.is_worse
    documents.check(compare_view.as_document(result))


def test_a_run_is_not_worse_than_itself() -> None:
    result = compare(BEFORE, BEFORE)
    assert not result.is_worse
    assert (result.new_passes, result.slower, result.symbols_gained) == ((), (), ())


def test_symbols_are_lost_only_where_the_second_run_has_looked() -> None:
    nobody = compare(BEFORE, document(("goes", "passed", 1.0, {})))
    assert (nobody.new_failures, nobody.symbols_lost) == ((), ())
    none = compare(BEFORE, document(("goes", "passed", 1.0, {"symbols": []})))
    assert none.symbols_lost == ("TF_A", "TF_B")


def test_what_is_no_smoke_test_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**BEFORE, "schema": {"name": "plan", "version": 2}}))
    with pytest.raises(UsageError) as caught:
        read(path)
    assert caught.value.where == str(path)
    path.write_text(json.dumps(BEFORE))
    assert read(path) == BEFORE


def test_a_ratio_of_no_slower_time_is_refused() -> None:
    with pytest.raises(UsageError, match="--slower"):
        compare(BEFORE, BEFORE, slower=0.5)

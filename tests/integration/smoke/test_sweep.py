"""A sweep on a real TensorFlow: some ops whole, and cases that end or block their process."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents, process
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeOptions
from tensorflow_macos_build.smoke.inside.sweep import driver
from tensorflow_macos_build.smoke.sweep import SweepOptions, SweepOutcome, sweep
from tensorflow_macos_build.smoke.zygote import ENVIRONMENT, INSIDE
from tensorflow_macos_build.views import sweep as view
from tests import tensorflow_env

if TYPE_CHECKING:
    from pathlib import Path

OPS = (
    *("AddV2", "ArgMax", "Cast", "ConcatV2", "Conv2D", "Cumsum", "Einsum", "FusedBatchNormV3"),
    *("GatherV2", "MatMul", "MaxPoolGrad", "QuantizeV2", "RandomStandardNormal", "Relu"),
    *("ResourceApplyAdam", "SparseAdd", "StringJoin", "Sum", "TensorListStack", "TopKV2"),
)
"""Of every room of recipes: arrays, layers, matrices, randomness, sparse, state, text."""

HANG_S = 15.0

ABORTS = "UnicodeDecodeWithOffsets"
"""With int32 splits: `Check failed: dtype() == expected_dtype` (tensor.cc)."""

BLOCKS = "Unstage"
"""From an area where nothing is staged, in C, so that only a kill ends it."""


def test_twenty_ops_are_equal_on_a_device_and_itself_for_every_type(real_tensorflow: Path) -> None:
    tried = SmokeOptions(device="CPU:0", python=str(real_tensorflow))
    report = sweep(EnvironmentRequest(), tried, SweepOptions(ops=OPS), silent)
    assert report.tensorflow == tensorflow_env.RELEASE
    assert report.ended == ""
    wrong = [(r.case, r.why) for r in report.results if r.outcome is not SweepOutcome.EQUAL]
    assert wrong == []
    assert report.called_ops == set(OPS)
    errors = {op.op: op.error for op in report.ops()}
    assert errors["MatMul"] == 0.0
    assert errors["StringJoin"] is None
    # Each optimiser's variables are held against the reference's, after the step.
    assert errors["ResourceApplyAdam"] == 0.0
    documents.check(view.as_document(report))


def _drive(python: Path, folder: Path, cases: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    out = folder / "out.jsonl"
    numbered = [{"number": n, "reference": False, **case} for n, case in enumerate(cases)]
    spec = {"device": "CPU:0", "reference": "CPU:0", "cases": numbered, "batch": 1, "jobs": 1}
    spec.update(timeout=HANG_S, fork=True, out=str(out))
    path = folder / "spec.json"
    path.write_text(json.dumps({**spec, **more}), encoding="utf-8")
    argv: list[str | Path] = [python, "-I", "-X", "faulthandler", INSIDE / "sweep", "run", path]
    process.run(argv, env={**ENVIRONMENT, "HOME": str(folder)})
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert sorted(row["case"] for row in rows) == list(range(len(cases)))
    return {cases[row["case"]]["op"]: row for row in rows}


@pytest.mark.skipif(sys.platform != "linux", reason="workers are spawned on a Mac, and not forked")
def test_what_aborts_or_blocks_costs_its_own_case(real_tensorflow: Path, tmp_path: Path) -> None:
    floats = {"T": "float32"}
    ops = {
        "AddV2": floats,
        ABORTS: {"Tsplits": "int32"},
        "MatMul": floats,
        BLOCKS: {"dtypes": "float32"},
        "Sub": floats,
    }
    cases = [{"op": op, "types": types} for op, types in ops.items()]
    rows = _drive(real_tensorflow, tmp_path, cases)
    outcomes = {op: row["outcome"] for op, row in rows.items()}
    assert outcomes == {
        "AddV2": "equal",
        ABORTS: "die",
        "MatMul": "equal",
        BLOCKS: "die",
        "Sub": "equal",
    }
    assert rows[ABORTS]["why"].startswith("device: signal SIGABRT: ")
    assert rows[BLOCKS]["why"] == "device: it hung"


def test_workers_that_are_started_anew_do_the_same(real_tensorflow: Path, tmp_path: Path) -> None:
    cases = [{"op": op, "types": {"T": "float32"}} for op in ("AddV2", "MatMul")]
    rows = _drive(real_tensorflow, tmp_path, cases, fork=False, batch=2)
    assert [rows[op]["outcome"] for op in ("AddV2", "MatMul")] == ["equal", "equal"]


def test_a_worker_that_ended_before_another_was_started_keeps_its_exit_status(
    tmp_path: Path,
) -> None:
    def start() -> driver.Worker:
        # Here is no TensorFlow, so that it ends at once.
        spec = {"fork": False, "out": str(tmp_path / "out"), "cases": []}
        return driver._start(str(tmp_path / "spec.json"), spec, [0])

    first = start()
    while first.rows() is not None:
        pass
    if sys.platform == "linux":
        os.waitid(os.P_PID, first.process, os.WEXITED | os.WNOWAIT)
    second = start()
    first.follow({"case": 0, "at": "device"})
    ended = first.reap()
    assert ended is not None
    assert ended.why == "exit status 1"
    # What each printed stays its own, too.
    third = start()
    assert third.log != second.log
    for worker in (second, third):
        worker.kill()
        worker.reap()


def test_a_start_takes_as_long_as_an_import_may_however_short_a_case_has_to_be() -> None:
    worker = driver.Worker([0], 1, -1, "", None)
    worker.heard -= 20
    assert not worker.hangs(5.0)
    worker.follow({"case": 0, "at": "reference"})
    assert worker.hangs(5.0)


@pytest.mark.parametrize("written", ["[]", '{"kernels": 7', '{"kernels": [{"op": 1}]}'])
def test_a_list_of_kernels_that_is_none_is_an_error_without_a_traceback(
    tmp_path: Path, written: str
) -> None:
    python = tmp_path / "python"
    listing = f"echo '{written}' > \"$6\""
    python.write_text(
        f'#!/bin/sh\nif [ "$5" = list ]; then {listing}; else exec {sys.executable} "$@"; fi\n'
    )
    python.chmod(0o755)
    tried = SmokeOptions(device="CPU:0", python=str(python))
    with pytest.raises(WorkFailed, match="the list of kernels cannot be read"):
        sweep(EnvironmentRequest(), tried, SweepOptions(), silent)

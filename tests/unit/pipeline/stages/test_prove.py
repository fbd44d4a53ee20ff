"""What a smoke test that failed tells a person."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.pipeline.records import CheckRecord, FileRecord
from tensorflow_macos_build.pipeline.stage import StageJob
from tensorflow_macos_build.pipeline.stages import prove
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.smoke import CheckOutcome, SmokeCheck, SmokeReport

ROOT = Path(__file__).resolve().parents[4]


def check(wheel: str, outcome: str) -> CheckRecord:
    return CheckRecord(
        wheel=wheel, leg="host", name="import", outcome=outcome, why="it ended", evidence={}
    )


def test_the_hint_is_about_the_wheel_that_failed(tmp_path: Path) -> None:
    loaded = dataclasses.replace(config.load("demo", root=ROOT), root=tmp_path)
    wheels = tuple(
        FileRecord(path=f"build/{name}.whl", size=1, sha256="0" * 64) for name in ("host", "both")
    )
    inputs = prove.SmokeInputs(wheels=wheels, smoke={}, machine={}, python="")
    workspace = Workspace(loaded)
    instructions = prove._instructions(workspace)
    folders = tmp_path / "x", tmp_path / "y"
    job = StageJob(workspace, instructions, inputs, *folders, silent, print)
    checks = [check("host.whl", "passed"), check("both.whl", "failed")]
    with pytest.raises(WorkFailed, match="the smoke test failed: host import") as caught:
        prove._refuse_failures(job, checks)
    assert caught.value.where == "both.whl"
    assert caught.value.hint.endswith("build/both.whl --config demo")


def test_what_is_declared_of_a_check_is_in_the_build_s_report() -> None:
    checks = (
        SmokeCheck("arm64", "half", CheckOutcome.KNOWN_LIMIT, "no kernel", limit="apple#1"),
        SmokeCheck("arm64", "sort", CheckOutcome.PASSED, limit="apple#2"),
        SmokeCheck("arm64", "train", CheckOutcome.FAILED, "NaN"),
    )
    report = SmokeReport("a.whl", "GPU:0", "CPU:0", "quick", False, checks)
    assert [record.why for record in prove._records(report)] == [
        "no kernel (declared: apple#1)",
        "it passes, and is declared to fail: apple#2",
        "NaN",
    ]

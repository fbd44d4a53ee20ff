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

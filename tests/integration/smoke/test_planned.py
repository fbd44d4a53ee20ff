"""A plan's programs of a smoke test are those that are run, but for what has no name before."""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build import config
from tensorflow_macos_build.command_line import PINNED
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.pipeline.stages import prove
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeOptions, smoke
from tensorflow_macos_build.smoke.planned import FOLDER, WHEEL
from tests import started_programs
from tests.imports import ROOT
from tests.smoke_wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path


def test_the_programs_of_a_plan_are_those_that_try_a_wheel(tmp_path: Path) -> None:
    loaded = config.load("demo", {"host_build": "true"}, root=ROOT)
    planned = prove._instructions(Workspace(loaded)).commands()
    wheel = make_wheel(tmp_path)
    options = SmokeOptions(
        module="tinyflow", device="CPU:0", checks=("compute",), python=sys.executable
    )
    with started_programs.listening() as programs:
        report = smoke(EnvironmentRequest(wheel), options, silent)
    assert report.verdict == "passed", report
    own = [line for purpose, line in planned.items() if purpose.split()[1] == "host"]
    assert [purpose.split()[0] for purpose in planned][:3] == ["environment", "install", "checks"]
    # Before, the interpreter is tried, and asked what checks there are: a plan asks, too.
    asked, ran = programs[:2], programs[2:]
    assert [each.argv[-1].rpartition("/")[2] for each in asked] == ["list.json", ""]
    folder = ran[0].argv[-1].removesuffix("/env")
    assert len(own) == len(ran) == 3
    for line, (argv, cwd, env) in zip(own, ran, strict=True):
        meant = [word.replace(str(FOLDER), folder).replace(WHEEL, str(wheel)) for word in line.argv]
        assert meant == argv
        if str(line.cwd).startswith(str(FOLDER)):
            assert str(line.cwd).replace(str(FOLDER), folder) == cwd
        changes = {**PINNED, **line.env}
        for name, value in changes.items():
            assert env.get(name) == (value and value.replace(str(FOLDER), folder)), name


def test_a_python_that_cannot_be_started_keeps_no_plan_from_being_shown(tmp_path: Path) -> None:
    shim = tmp_path / "python3.13"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    instructions = prove._instructions(Workspace(config.load("demo", root=ROOT)))
    planned = dataclasses.replace(instructions, python=shim).commands()
    assert all(str(shim) in line.argv for name, line in planned.items() if "environment" in name)

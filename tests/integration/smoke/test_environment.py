"""Environments as uv makes them: dependencies, a plugin beside them, and those that are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tensorflow_macos_build import process
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.smoke import (
    EnvironmentRequest,
    SmokeHost,
    SmokeOptions,
    SmokeTarget,
    smoke,
)
from tensorflow_macos_build.smoke.environment import keep, make
from tests.smoke_wheels import make_wheel
from tests.wheel_files import WheelFiles, record_of

HERE = SmokeTarget("host")
PYTHON = Path(sys.executable)


def write(folder: Path, name: str, version: str, requires: str = "") -> Path:
    wheel = WheelFiles({f"{name}.py": b""}, name=name, version=version, tag="py3-none-any")
    made = wheel.contents()
    if requires:
        made[f"{wheel.dist_info}/METADATA"] += f"Requires-Dist: {requires}\n".encode()
    return wheel.write(
        folder, {**made, f"{wheel.dist_info}/RECORD": record_of(made, wheel.dist_info)}
    )


@pytest.fixture
def wheelhouse(tmp_path: Path) -> Path:
    folder = tmp_path / "wheelhouse"
    folder.mkdir()
    for version in ("1.0", "2.0", "3.0"):
        write(folder, "dependency", version)
    return folder


def versions(python: Path) -> dict[str, str]:
    """Let the environment's own Python say what is installed."""
    script = (
        "import importlib.metadata as m, json;"
        "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions()}))"
    )
    printed = subprocess.run([python, "-I", "-c", script], check=True, capture_output=True)
    installed: dict[str, str] = json.loads(printed.stdout)
    return installed


def test_what_a_wheel_needs_comes_from_the_wheelhouse_within_the_constraints(
    tmp_path: Path, wheelhouse: Path
) -> None:
    wheel = write(tmp_path, "tried", "1.0", "dependency>=1")
    plugin = write(tmp_path, "plugin", "0.1", "dependency>=2")
    limits = tmp_path / "limits.txt"
    limits.write_text("dependency<3\n")
    request = EnvironmentRequest(wheel, "", plugin, wheelhouse, limits)
    python = make(request, HERE, PYTHON, tmp_path / "env")
    assert versions(python) == {"tried": "1.0", "plugin": "0.1", "dependency": "2.0"}
    # Compiled once: each check is a process of its own.
    assert list(python.parents[1].rglob("__pycache__/tried.*.pyc"))


def test_what_cannot_be_met_fails_in_the_resolvers_words(tmp_path: Path, wheelhouse: Path) -> None:
    request = EnvironmentRequest(None, "dependency>=4", None, wheelhouse)
    with pytest.raises(process.ProgramFailed, match="dependency"):
        make(request, HERE, PYTHON, tmp_path / "env")


def test_an_environment_is_kept_until_something_that_it_is_made_of_changes(
    tmp_path: Path, wheelhouse: Path
) -> None:
    store = tmp_path / "store"
    request = EnvironmentRequest(None, "dependency", None, wheelhouse)
    first = keep(request, HERE, PYTHON, store)
    marker = first.parents[2] / "complete"
    made = marker.stat().st_mtime_ns
    assert keep(request, HERE, PYTHON, store) == first
    assert marker.stat().st_mtime_ns == made
    write(wheelhouse, "dependency", "4.0")
    second = keep(request, HERE, PYTHON, store)
    assert second != first
    assert versions(second) == {"dependency": "4.0"}
    rebuilt = write(wheelhouse, "dependency", "4.0")
    os.utime(rebuilt, (1, 1))
    assert keep(request, HERE, PYTHON, store) != second


def test_an_environment_that_a_kill_left_half_is_made_anew(
    tmp_path: Path, wheelhouse: Path
) -> None:
    store = tmp_path / "store"
    request = EnvironmentRequest(None, "dependency", None, wheelhouse)
    python = keep(request, HERE, PYTHON, store)
    (python.parents[2] / "complete").unlink()
    python.unlink()
    assert versions(keep(request, HERE, PYTHON, store)) == {"dependency": "3.0"}


ARCH = """#!/bin/sh
[ "$1" = -arm64 ] || exit 1
shift
exec "$@"
"""
"""Stands for arch(1) on a Mac whose interpreter has no slice for Intel."""


def test_a_mac_tries_each_slice_that_its_python_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arch").write_text(ARCH)
    (tmp_path / "arch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    mac = SmokeHost("darwin", "arm64", rosetta=True, tags=frozenset())
    wheel = make_wheel(tmp_path)
    # uv takes it for that platform, which the target names.
    fused = wheel.rename(tmp_path / "tinyflow-1.0-py3-none-macosx_12_0_universal2.whl")
    options = SmokeOptions("tinyflow", "CPU:0", python=sys.executable, checks=("compute",))
    report = smoke(EnvironmentRequest(fused), options, silent, host=mac)
    seen = {(check.target, check.name): check for check in report.checks}
    assert seen["arm64", "compute"].outcome.value == "passed"
    assert seen["x86_64", "compute"].outcome.value == "not_run"
    assert "cannot be started as x86_64" in seen["x86_64", "compute"].why
    assert report.verdict == "passed"

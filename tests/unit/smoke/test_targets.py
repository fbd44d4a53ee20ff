import sys
from pathlib import Path

import pytest
from packaging.tags import Tag

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.smoke import SmokeHost, SmokeTarget, this_host
from tensorflow_macos_build.smoke.targets import VIRTUAL_MAC, first_without_obstacle, targets

FUSED = "tensorflow-2.17.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl"
THIN = "tensorflow-2.17.0-cp311-cp311-macosx_12_0_arm64.whl"
LINUX = "tensorflow-2.17.0-cp311-cp311-linux_x86_64.whl"

APPLE_SILICON = SmokeHost("darwin", "arm64", rosetta=True, tags=frozenset())
NO_ROSETTA = SmokeHost("darwin", "arm64", rosetta=False, tags=frozenset())
INTEL = SmokeHost("darwin", "x86_64", rosetta=False, tags=frozenset())
PC = SmokeHost("linux", "x86_64", False, frozenset({Tag("cp311", "cp311", "linux_x86_64")}))

ARM64 = SmokeTarget("arm64", ("arch", "-arm64"))
X86_64 = SmokeTarget("x86_64", ("arch", "-x86_64"))


def test_apple_silicon_tries_a_fused_wheel_as_both_processors() -> None:
    assert targets(FUSED, APPLE_SILICON) == (ARM64, X86_64)
    assert targets(FUSED.replace("arm64", "universal2"), APPLE_SILICON) == (ARM64, X86_64)
    assert targets(THIN, APPLE_SILICON) == (ARM64,)


@pytest.mark.parametrize(
    ("host", "target", "words"),
    [
        (NO_ROSETTA, "x86_64", "Rosetta is not installed"),
        (INTEL, "arm64", "this Mac has an Intel processor"),
        (PC, "arm64", "it is for macOS; this is linux on x86_64"),
        (PC, "x86_64", "it is for macOS; this is linux on x86_64"),
    ],
)
def test_what_cannot_run_here_says_why(host: SmokeHost, target: str, words: str) -> None:
    reasons = {smoke_target.name: smoke_target.skip_reason for smoke_target in targets(FUSED, host)}
    assert words in reasons[target]


def test_a_wheel_of_this_host_runs_as_it_is() -> None:
    assert targets(LINUX, PC) == (SmokeTarget("x86_64"),)
    (elsewhere,) = targets(LINUX, APPLE_SILICON)
    assert elsewhere.skip_reason == "it is for linux_x86_64; this is macOS on arm64"


def test_a_name_that_is_no_wheels_is_refused() -> None:
    with pytest.raises(UsageError, match="not the name of a wheel"):
        targets("tensorflow.zip", PC)


def test_another_interpreter_takes_the_tags_that_its_version_takes(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.symlink_to(sys.executable)
    assert this_host(other).tags == this_host(Path(sys.executable)).tags


def test_the_command_that_tells_a_virtual_mac_is_pinned() -> None:
    assert VIRTUAL_MAC == ("sysctl", "-n", "kern.hv_vmm_present")


ARCH = """#!/bin/sh
[ "$1" = -arm64 ] || exit 1
shift
exec "$@"
"""
"""Stands for arch(1) on a Mac whose interpreter has no slice for Intel."""


def test_a_processor_that_the_interpreter_cannot_start_as_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "arch").write_text(ARCH)
    (tmp_path / "arch").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    python = Path(sys.executable)
    assert first_without_obstacle((X86_64, ARM64), python, FUSED) == ARM64
    with pytest.raises(WorkFailed, match="cannot be started as x86_64"):
        first_without_obstacle((X86_64,), python, FUSED)
    skipped = SmokeTarget("arm64", skip_reason="this Mac has an Intel processor")
    with pytest.raises(WorkFailed, match=r"an Intel processor; .* as x86_64"):
        first_without_obstacle((skipped, X86_64), python, FUSED)

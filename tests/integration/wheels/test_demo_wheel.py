"""The miniature's universal2 wheel before independent judges: pip, wheel, LLVM's lipo and otool."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.verify import VerifyOptions, verify

if TYPE_CHECKING:
    from pathlib import Path

    from tests.miniature import Miniature

BINARIES = (
    "tensorflow/libtensorflow_framework.2.dylib",
    "tensorflow/python/_pywrap_tensorflow_internal.so",
    "tensorflow/python/_pywrap_util_port.so",
)
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture(scope="module")
def wheel(miniature: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    halves = [miniature.wheel("v2.17.0", name) for name in ("arm64", "x86_64")]
    out = tmp_path_factory.mktemp("fused")
    return fuse(halves[0], halves[1], out, FuseOptions()).wheel


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `wheel unpack` makes of it, which checks every hash in RECORD."""
    folder = tmp_path_factory.mktemp("unpacked")
    wheel_program = [sys.executable, "-m", "wheel"]
    subprocess.run([*wheel_program, "unpack", "--dest", folder, wheel], check=True)
    return next(folder.iterdir())


@pytest.mark.parametrize(
    ("platform", "taken"),
    [
        ("macosx_10_14_x86_64", False),
        ("macosx_10_15_x86_64", True),
        ("macosx_14_0_x86_64", True),
        ("macosx_11_0_arm64", False),
        ("macosx_12_0_arm64", True),
        ("macosx_26_0_arm64", True),
        ("manylinux_2_28_x86_64", False),
    ],
)
def test_pip_would_install_it_just_where_it_runs(
    wheel: Path, tmp_path: Path, platform: str, taken: bool
) -> None:
    argv: list[str | Path] = [
        *(sys.executable, "-m", "pip", "install", "--isolated", "--disable-pip-version-check"),
        *("--dry-run", "--no-index", "--no-deps", "--find-links", wheel.parent),
        *("--only-binary", ":all:", "--python-version", PYTHON, "--platform", platform),
        *("--target", tmp_path / "site", "tensorflow"),
    ]
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    assert (done.returncode == 0) is taken, done.stderr
    assert ("Would install tensorflow-2.17.0" in done.stdout) is taken


@pytest.mark.parametrize("binary", BINARIES)
def test_llvm_finds_both_slices_with_their_own_minimum_versions(
    unpacked: Path, tmp_path: Path, llvm_lipo: Path, llvm_otool: Path, binary: str
) -> None:
    archs = subprocess.check_output([llvm_lipo, unpacked / binary, "-archs"], text=True)
    assert archs.split() == ["x86_64", "arm64"]
    for arch, minimum in (("x86_64", "10.15"), ("arm64", "12.0")):
        thin = tmp_path / arch
        subprocess.run([llvm_lipo, unpacked / binary, "-thin", arch, "-output", thin], check=True)
        words = subprocess.check_output([llvm_otool, "-l", thin], text=True).split()
        assert words[words.index("minos") + 1] == minimum


def test_verify_agrees_with_the_judges(wheel: Path) -> None:
    verification = verify(wheel, VerifyOptions())
    assert verification.findings == ()
    assert (verification.binaries, verification.slices) == (len(BINARIES), 2 * len(BINARIES))

"""A fused wheel holds what lipo or a stated verdict says, whatever the circumstances."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.views import fuse as fuse_view
from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Verdict, fuse
from tests.fused_wheels import (
    INFO,
    NAME,
    Halves,
    fused_wheel,
)
from tests.wheelmaker import Thin, lipo, unpacked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain


def test_each_universal_file_is_what_lipo_makes(tmp_path: Path, halves: Halves) -> None:
    fused = unpacked(fused_wheel(tmp_path, halves))
    universal = [name for name in halves[0].files if name.endswith((".so", ".dylib", ".o", ".a"))]
    assert len(universal) == 6
    for name in universal:
        arm, intel = (half.files[name] for half in halves)
        assert fused[name] == lipo(tmp_path, arm, intel), name


def test_every_path_has_its_verdict_and_content(tmp_path: Path, halves: Halves) -> None:
    arm, intel = (half.write(tmp_path) for half in halves)
    fused = fuse(arm, intel, tmp_path, FuseOptions())
    assert fused.wheel.name == NAME
    assert fused.files[Verdict.IDENTICAL] == (
        "demo-1.0.dist-info/METADATA",
        "demo/__init__.py",
        "demo/data.txt",
    )
    assert fused.files[Verdict.HEADER] == ("demo/size.h",)
    assert fused.files[Verdict.ONLY_ARM64] == ("demo/only_arm.txt",)
    assert fused.files[Verdict.ONLY_X86_64] == ("demo/only_intel.h",)
    assert len(fused.files[Verdict.UNIVERSAL]) == 6
    content = unpacked(fused.wheel)
    listed = [path for paths in fused.files.values() for path in paths]
    assert sorted(listed) == sorted(content)
    assert content["demo/data.txt"] == b"same\n" * 999
    assert content["demo/only_arm.txt"] == b"arm"
    documents.check(fuse_view.fused_document(fused))


def test_wheel_and_record_obey_their_specifications(tmp_path: Path, halves: Halves) -> None:
    wheel = fused_wheel(tmp_path, halves)
    content = unpacked(wheel)
    assert list(content)[-1] == f"{INFO}/RECORD"
    tags = re.findall(r"^Tag: (.*)$", content[f"{INFO}/WHEEL"].decode(), re.MULTILINE)
    assert tags == ["cp311-cp311-macosx_10_15_x86_64", "cp311-cp311-macosx_12_0_arm64"]
    argv = [sys.executable, "-m", "wheel", "unpack", str(wheel), "-d", str(tmp_path / "unpacked")]
    subprocess.run(argv, check=True, capture_output=True)
    assert (tmp_path / "unpacked/demo-1.0/demo/data.txt").read_bytes() == b"same\n" * 999
    with zipfile.ZipFile(wheel) as made:
        assert made.getinfo("demo/data.txt").external_attr >> 16 == stat.S_IFREG | 0o755
        assert made.getinfo("demo/size.h").external_attr >> 16 == stat.S_IFREG | 0o644
    documents.check(json.loads(content[f"{INFO}/{fused_json.NAME}"]))


def test_the_bytes_depend_on_the_wheels_alone(
    tmp_path: Path, halves: Halves, monkeypatch: pytest.MonkeyPatch
) -> None:
    arm, intel = (half.write(tmp_path) for half in halves)
    expected = fuse(arm, intel, tmp_path / "1", FuseOptions()).sha256
    assert fuse(intel, arm, tmp_path / "2", FuseOptions(threads=1)).sha256 == expected
    assert fuse(intel, arm, tmp_path / "3", FuseOptions(threads=5)).sha256 == expected
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    time.tzset()
    before = os.umask(0o077)
    try:
        assert fuse(arm, intel, tmp_path / "4", FuseOptions()).sha256 == expected
    finally:
        os.umask(before)
        monkeypatch.undo()
        time.tzset()
    program = (
        "import sys; from pathlib import Path;"
        "from tensorflow_macos_build.wheels.fuse.engine import *;"
        "print(fuse(*map(Path, sys.argv[1:]), FuseOptions()).sha256)"
    )
    for seed in ("1", "2"):
        argv = [sys.executable, "-c", program, str(intel), str(arm), str(tmp_path / seed)]
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": "."}
        done = subprocess.run(argv, check=True, capture_output=True, text=True, env=env)
        assert done.stdout.strip() == expected


@pytest.mark.parametrize("methods", [(0, 0), (0, 8), (8, 0), (8, 8)])
@pytest.mark.parametrize("level", [1, 9])
def test_the_content_does_not_depend_on_how_the_halves_are_deflated(
    tmp_path: Path, halves: Halves, methods: tuple[int, int], level: int
) -> None:
    changed = [
        replace(half, method=method, level=level)
        for half, method in zip(halves, methods, strict=True)
    ]
    (tmp_path / "plain").mkdir()
    expected = unpacked(fused_wheel(tmp_path / "plain", halves))
    actual = unpacked(fused_wheel(tmp_path, (changed[0], changed[1])))
    own = f"{INFO}/{fused_json.NAME}"
    for content in (expected, actual):
        del content[own], content[f"{INFO}/RECORD"]
    assert actual == expected


def test_a_merged_header_compiles_for_both_architectures(
    tmp_path: Path, halves: Halves, toolchain: Toolchain
) -> None:
    header = unpacked(fused_wheel(tmp_path, halves))["demo/size.h"].decode()
    for arch, size in (("arm64", 8), ("x86_64", 16)):
        toolchain.object(f'{header}\n_Static_assert(SIZE == {size}, "");', arch)


def test_a_pure_pair_needs_no_machine_code(tmp_path: Path) -> None:
    """The halves may hold none, as wheels that only carry data for a platform do."""
    pair = (Thin("arm64", {"demo.py": b""}), Thin("x86_64", {"demo.py": b""}))
    assert unpacked(fused_wheel(tmp_path, pair))["demo.py"] == b""


@pytest.mark.parametrize(
    "files",
    [
        {"a/__init__.py": b"", "b.txt": b"b"},
        {"a.py": b"", "b.py": b"", "c.py": b""},
        {f"{number:03}.py": b"" for number in range(130)},
        {"a.py": b"", "large": bytes(5 << 20), "z.py": b""},
        {"half": bytes(2 << 20), "other": bytes(2 << 20), "z": b"z"},
        {"only": b"x"},
        {},
    ],
    ids=["first", "all", "many", "around-a-large-one", "full-batches", "one", "none"],
)
def test_empty_files_are_files_like_others(tmp_path: Path, files: dict[str, bytes]) -> None:
    """tensorflow-metal 1.0.0's first file is an empty __init__.py."""
    content = unpacked(fused_wheel(tmp_path, (Thin("arm64", files), Thin("x86_64", files))))
    own = {f"{INFO}/{name}" for name in ("METADATA", "WHEEL", "RECORD", fused_json.NAME)}
    assert {path: data for path, data in content.items() if path not in own} == files


def test_signatures_of_record_are_dropped_and_listed(tmp_path: Path, halves: Halves) -> None:
    paths = halves[0].write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0], "a") as made:
        made.writestr(f"{INFO}/RECORD.jws", b"{}")
    fused = fuse(*paths, tmp_path, FuseOptions())
    assert fused.files[Verdict.DROPPED] == (f"{INFO}/RECORD.jws",)
    assert f"{INFO}/RECORD.jws" not in unpacked(fused.wheel)

"""A wheel is opened only if its name, its dist-info and RECORD describe it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tests.fused_wheels import (
    INFO,
    NAME,
    Halves,
    fused_wheel,
)
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("name", ["demo-2.0", "other-1.0"])
def test_a_wheel_that_is_not_what_its_name_says_is_refused(
    tmp_path: Path, halves: Halves, name: str
) -> None:
    path = halves[0].write(tmp_path)
    renamed = path.rename(tmp_path / path.name.replace("demo-1.0", name))
    with pytest.raises(BrokenWheel, match="not what the wheel's name says") as refused:
        fuse(renamed, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert refused.value.where == f"{renamed.name}: {INFO}"


def test_a_wheel_has_one_data_folder_and_one_dist_info(tmp_path: Path, halves: Halves) -> None:
    for name, reason in (
        ("demo-1.data/data/x", "2 data folders"),
        ("other-1.0.dist-info/METADATA", "2 dist-info folders"),
        ("other-1.0.dist-info", "2 dist-info folders"),
    ):
        files = {"demo-1.0.data/data/x": b"", name: b""}
        wrong = replace(halves[0], files={**halves[0].files, **files})
        with pytest.raises(BrokenWheel, match=reason):
            fused_wheel(tmp_path, (wrong, halves[1]))


def test_a_half_without_metadata_is_refused(tmp_path: Path) -> None:
    """pip and uv refuse such a wheel, and so it would be with the fused one."""
    wheels = []
    for half in (Thin("arm64", {}), Thin("x86_64", {})):
        with zipfile.ZipFile(half.write(tmp_path)) as whole:
            kept = {name: whole.read(name) for name in whole.namelist() if "METADATA" not in name}
        rows = kept[f"{INFO}/RECORD"].splitlines(keepends=True)
        kept[f"{INFO}/RECORD"] = b"".join(row for row in rows if b"METADATA" not in row)
        wheels.append(tmp_path / half.name)
        with zipfile.ZipFile(wheels[-1], "w") as cut:
            for name, content in kept.items():
                cut.writestr(name, content)
    with pytest.raises(BrokenWheel, match="METADATA: the wheel has no such file"):
        fuse(wheels[0], wheels[1], tmp_path / "out", FuseOptions())


def test_a_record_that_is_incomplete_is_refused(tmp_path: Path, halves: Halves) -> None:
    path = halves[0].write(tmp_path)
    with zipfile.ZipFile(path, "a") as made:
        made.writestr("demo/smuggled.py", b"")
    with pytest.raises(BrokenWheel, match="does not describe") as refused:
        fuse(path, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert "`demo/smuggled.py` is in the wheel and has no hash" in refused.value.detail


def test_what_a_record_says_cannot_command_a_terminal(tmp_path: Path, halves: Halves) -> None:
    content = halves[0].content()
    content[f"{INFO}/RECORD"] += b"\x1b[2J,,\n"
    path = tmp_path / halves[0].name
    with zipfile.ZipFile(path, "w") as made:
        for name, text in content.items():
            made.writestr(name, text)
    with pytest.raises(BrokenWheel) as refused:
        fuse(path, halves[1].write(tmp_path), tmp_path, FuseOptions())
    assert "`\\x1b[2J` is in RECORD and not in the wheel" in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_missing_wheel_is_an_error_of_its_own(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(UsageError, match="cannot be opened"):
        fuse(tmp_path / NAME, halves[0].write(tmp_path), tmp_path, FuseOptions())

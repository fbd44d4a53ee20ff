"""Members are what their wheel's headers and RECORD declare, or nothing is fused."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.fuse import scan
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tests.fused_wheels import (
    NAME,
    Halves,
    fused_wheel,
)
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path


def test_a_record_that_lies_is_refused_with_the_member_named(
    tmp_path: Path, halves: Halves
) -> None:
    for path in ("demo/big.so", "demo/data.txt", "demo/only_arm.txt", "demo/size.h"):
        wrong = replace(halves[0], lies={path: halves[0].files[path] + b"!"})
        with pytest.raises(BrokenWheel, match="RECORD") as refused:
            fused_wheel(tmp_path, (wrong, halves[1]))
        assert refused.value.where == f"{wrong.name}: {path}"
        assert not (tmp_path / "out" / NAME).exists()


def test_a_damaged_slice_is_refused_with_the_member_named(tmp_path: Path, halves: Halves) -> None:
    paths = halves[0].write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0]) as made:
        info = made.getinfo("demo/big.so")
    raw = bytearray(paths[0].read_bytes())
    raw[info.header_offset + 30 + len(info.filename) + info.compress_size - 20] ^= 0x10
    paths[0].write_bytes(raw)
    with pytest.raises(BrokenWheel) as refused:
        fuse(*paths, tmp_path, FuseOptions())
    assert refused.value.where == f"{halves[0].name}: demo/big.so"


@pytest.mark.parametrize("watched", [1, 40, 4000])
def test_a_last_block_of_any_size_is_joined(
    tmp_path: Path, halves: Halves, watched: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = fused_wheel(tmp_path, halves).read_bytes()
    monkeypatch.setattr(scan, "_WATCHED", watched)
    assert fused_wheel(tmp_path, halves).read_bytes() == plain


@pytest.mark.parametrize("method", [0, 8])
def test_a_slice_of_another_crc_is_refused_with_the_member_named(
    tmp_path: Path, halves: Halves, method: int
) -> None:
    paths = replace(halves[0], method=method).write(tmp_path), halves[1].write(tmp_path)
    with zipfile.ZipFile(paths[0]) as made:
        crc = made.getinfo("demo/big.so").CRC
    raw = paths[0].read_bytes()
    paths[0].write_bytes(raw.replace(crc.to_bytes(4, "little"), (crc ^ 1).to_bytes(4, "little")))
    with pytest.raises(BrokenWheel, match=f"of CRC-32 {crc:08x} and declares") as refused:
        fuse(*paths, tmp_path, FuseOptions())
    assert refused.value.where == f"{halves[0].name}: demo/big.so"


def test_files_of_one_crc_and_size_are_not_taken_for_equal(tmp_path: Path) -> None:
    """Contents that differ by a multiple of the CRC's polynomial have the same CRC."""
    polynomial = (0xEDB88320 << 1 | 1).to_bytes(5, "little")
    arm = b"a = 1"
    intel = bytes(byte ^ other for byte, other in zip(arm, polynomial, strict=True))
    assert zlib.crc32(arm) == zlib.crc32(intel)
    first = Thin("arm64", {"a.py": arm}).write(tmp_path)
    second = Thin("x86_64", {"a.py": intel}).write(tmp_path)
    for pair in ((first, second), (second, first)):
        with pytest.raises(BrokenWheel, match="though CRC and size are") as refused:
            fuse(*pair, tmp_path / "out", FuseOptions())
        assert refused.value.where.endswith(": a.py")
    assert not list((tmp_path / "out").iterdir())

"""What is found in a member does not depend on how its stream is cut into pieces."""

from __future__ import annotations

import hashlib
import struct
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.archive import reader
from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.writer import NewMember
from tensorflow_macos_build.wheels.new_wheel import new_wheel
from tensorflow_macos_build.wheels.verify import examine, spool, verify
from tests.broken_images import hide
from tests.broken_wheels import BASE
from tests.machos import llvm
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

LC_UUID = 0x1B
EMPTY_BLOCK = b"\x00\x00\x00\xff\xff"
"""A stored block of deflate that holds nothing and is not the last (RFC 1951, 3.2.4)."""


def cut_deflate(content: bytes, cuts: list[int]) -> bytes:
    """Deflate so that what is read at once of the stream inflates to the bytes between two cuts.

    Behind each piece stand as many empty blocks as the reader of archives takes at a time.
    """
    stream = bytearray()
    for start, end in pairwise([0, *cuts]):
        stream += struct.pack("<BHH", 0, end - start, end - start ^ 0xFFFF) + content[start:end]
        stream += EMPTY_BLOCK * (reader.CHUNK // len(EMPTY_BLOCK) + 1)
    rest = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return bytes(stream) + rest.compress(content[cuts[-1] :]) + rest.flush()


def write_cut(wheel: WheelFiles, name: str, cuts: list[int], folder: Path) -> Path:
    """Write the wheel with one member's stream cut."""
    contents = wheel.contents()
    path = folder / f"{wheel.name}-{wheel.version}-{wheel.tag}.whl"
    with new_wheel(path) as made:
        for member, content in contents.items():
            if member == name:
                stream = cut_deflate(content, cuts)
                sizes = (zlib.crc32(content), len(content), len(stream))
                entry = NewMember(member, CompressionMethod.DEFLATED, *sizes, executable=False)
                made.add(entry, [stream], hashlib.sha256(content).digest())
            elif member != f"{wheel.dist_info}/RECORD":
                made.store(member, content)
        made.finish(f"{wheel.dist_info}/RECORD")
    return path


@pytest.mark.parametrize("cuts", [[1], [3], [7], [8], [9], [3, 5], [1, 2, 3, 40], [7, 4096]])
def test_a_binary_is_known_however_its_first_bytes_are_cut(
    toolchain: Toolchain, tmp_path: Path, cuts: list[int]
) -> None:
    content = bytearray(toolchain.dylib("libbase.dylib", BASE, "arm64").read_bytes())
    hide(LC_UUID)(content)
    wheel = WheelFiles({"a/libbase.dylib": bytes(content)}, tag="cp311-cp311-macosx_12_0_arm64")
    whole = verify(wheel.write(tmp_path))
    assert {finding.code.slug for finding in whole.findings} == {"uuid-missing", "signature-pages"}
    assert verify(write_cut(wheel, "a/libbase.dylib", cuts, tmp_path)) == whole


@pytest.mark.parametrize("chunk", [1, 3, 7, 8, 9, 15, 17, 4095])
def test_findings_do_not_depend_on_how_the_stream_is_cut(
    toolchain: Toolchain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int
) -> None:
    content = bytearray(toolchain.dylib("libbase.dylib", BASE, "arm64").read_bytes())
    hide(LC_UUID)(content)
    ending = toolchain.archive("libbase.a", toolchain.object(BASE, "x86_64")).read_bytes()
    files = {
        "a/libbase.dylib": bytes(content), "a/libbase.a": ending, "a/short": ending[:7],
        "a/empty": b"", "a/magic": ending[:8],
    }  # fmt: skip
    wheel = WheelFiles(files, tag="cp311-cp311-macosx_12_0_arm64").write(tmp_path)
    whole = verify(wheel)
    assert whole.binaries == 3
    assert {"uuid-missing", "signature-pages", "slice-extra"} <= {
        finding.code.slug for finding in whole.findings
    }
    monkeypatch.setattr(examine, "CHUNK", chunk)
    assert verify(wheel) == whole
    # What is spooled to a file is cut at other places than what stays in memory.
    monkeypatch.setattr(spool, "IN_MEMORY", 64)
    assert verify(wheel) == whole


@pytest.mark.parametrize("size", [4, 7, 8, 31])
def test_a_binary_that_ends_in_its_header_is_malformed(
    toolchain: Toolchain, tmp_path: Path, size: int
) -> None:
    content = toolchain.dylib("libbase.dylib", BASE, "arm64").read_bytes()[:size]
    (tmp_path / "cut").write_bytes(content)
    assert "is not an object file" in llvm("llvm-otool", "-h", tmp_path / "cut")
    wheel = WheelFiles({"a/libbase.dylib": content}, tag="cp311-cp311-macosx_12_0_arm64")
    assert [finding.code.slug for finding in verify(wheel.write(tmp_path)).findings] == [
        "macho-malformed"
    ]

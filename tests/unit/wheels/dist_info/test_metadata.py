"""WHEEL and RECORD: what is written is read back, what is malformed is refused with a reason."""

from __future__ import annotations

import hashlib

import pytest

from tensorflow_macos_build.wheels.dist_info import metadata
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata, WheelFile


def test_a_record_reads_back_with_any_name_in_it() -> None:
    rows = {
        name: (hashlib.sha256(name.encode()).digest(), len(name))
        for name in ("a,b.py", 'quo"te', "\u00fc", "plain")
    }
    text = metadata.format_record(rows, "d/RECORD")
    assert text.endswith(b"d/RECORD,,\n")
    found = metadata.parse_record(text)
    assert list(found) == [*rows, "d/RECORD"]
    for name, (digest, size) in rows.items():
        assert found[name].size == size
        assert found[name].digest == metadata.Digest("sha256", digest)
    assert found["d/RECORD"] == metadata.Row(None, None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"a,,1\na,,\n", "listed twice"),
        (b"a,sha256=AAAA,1\n", "not as long as sha256"),
        (b"a,md5=AAAA,1\n", "of the kind `md5`"),
        (b"a,sha256=!!!!!,1\n", "base64"),
        (b"a,,x\n", "after 0 rows"),
        (b"a,,\nb,c\n", "after 1 rows"),
        (b"\xff,,\n", "after 0 rows"),
        (b'"a,,\n', "after 0 rows"),
    ],
)
def test_a_malformed_record_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(BadMetadata, match=reason):
        metadata.parse_record(text)


@pytest.mark.parametrize("build", [None, "7"])
def test_a_wheel_file_reads_back(build: str | None) -> None:
    file = WheelFile("1.0", False, ("cp311-cp311-macosx_12_0_arm64", "x-y-z"), build)
    assert metadata.parse_wheel(metadata.format_wheel(file)) == file


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "Wheel-Version"),
        (b"Wheel-Version: 2.0\nRoot-Is-Purelib: true\nTag: a-b-c\n", "version 1"),
        (b"Wheel-Version: 1.x\nRoot-Is-Purelib: true\nTag: a-b-c\n", "`1.x`"),
        (b"Wheel-Version: 1.0\nTag: a-b-c\n", "Root-Is-Purelib"),
        (b"\xff", "UTF-8"),
    ],
)
def test_a_malformed_wheel_file_is_refused(text: bytes, reason: str) -> None:
    with pytest.raises(BadMetadata, match=reason):
        metadata.parse_wheel(text)

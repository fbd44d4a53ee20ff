"""WHEEL: what is written is read back, what is malformed is refused with a reason."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata
from tensorflow_macos_build.wheels.dist_info.wheel_file import WheelFile, format_wheel, parse_wheel


@pytest.mark.parametrize("build", [None, "7"])
def test_a_wheel_file_reads_back(build: str | None) -> None:
    file = WheelFile("1.0", False, ("cp311-cp311-macosx_12_0_arm64", "x-y-z"), build)
    assert parse_wheel(format_wheel(file)) == file


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
        parse_wheel(text)

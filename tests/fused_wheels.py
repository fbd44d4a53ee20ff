"""Two wheels with every verdict in them that needs no rule, and what they are fused to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.fuse.engine import Fused, FuseOptions, fuse
from tests.wheelmaker import Thin, unpacked

if TYPE_CHECKING:
    from pathlib import Path


INFO = "demo-1.0.dist-info"
NAME = "demo-1.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl"

Halves = tuple[Thin, Thin]


def fuse_halves(folder: Path, halves: Halves, options: FuseOptions | None = None) -> Fused:
    first, second = (half.write(folder) for half in halves)
    return fuse(first, second, folder / "out", options or FuseOptions())


def fused_wheel(folder: Path, halves: Halves, options: FuseOptions | None = None) -> Path:
    return fuse_halves(folder, halves, options).wheel


def with_files(halves: Halves, arm: dict[str, bytes], intel: dict[str, bytes]) -> Halves:
    first, second = halves
    return (
        replace(first, files={**first.files, **arm}),
        replace(second, files={**second.files, **intel}),
    )


def assert_thin_gives_back(half: Thin, wheel: Path) -> None:
    assert wheel.name == half.name
    content, expected = unpacked(wheel), half.content()
    record = f"{half.dist_info}/RECORD"
    assert sorted(content.pop(record).split()) == sorted(expected.pop(record).split())
    assert content == expected

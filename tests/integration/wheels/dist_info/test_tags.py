"""A fused wheel's tags, judged by pip and uv against an index."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.retag import RetagOptions, retag
from tests.installers import Index, Pip
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Index]:
    with Index(tmp_path_factory.mktemp("index")) as serving:
        yield serving


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return (
        Thin("arm64", {"demo.py": b""}).write(tmp_path),
        Thin("x86_64", {"demo.py": b""}).write(tmp_path),
    )


def test_pip_and_uv_take_the_fused_wheel_just_where_it_runs(
    tmp_path: Path, index: Index, pip: Pip, pair: tuple[Path, Path]
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions()).wheel
    index.publish([fused])
    source = ("--index-url", index.address)
    for platform, wheel in {
        "macosx_10_14_x86_64": None,
        "macosx_10_15_x86_64": fused.name,
        "macosx_14_0_x86_64": fused.name,
        "macosx_11_0_arm64": None,
        "macosx_12_0_arm64": fused.name,
        "macosx_26_0_arm64": fused.name,
        "macosx_14_0_universal2": None,
    }.items():
        assert pip.downloads(platform, source, tmp_path / platform) == wheel, platform
    for platform, target, is_taken in (
        ("aarch64-apple-darwin", "11.0", False),
        ("aarch64-apple-darwin", "12.0", True),
        ("x86_64-apple-darwin", "10.14", False),
        ("x86_64-apple-darwin", "10.15", True),
    ):
        out = tmp_path / f"{platform}-{target}"
        assert index.uv_takes(platform, target, out) == is_taken, (platform, target)


def test_a_universal2_tag_is_what_pip_finds_by_that_platform(
    tmp_path: Path, index: Index, pip: Pip, pair: tuple[Path, Path]
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions(universal2_tag=True)).wheel
    index.publish([fused])
    source = ("--index-url", index.address)
    assert pip.downloads("macosx_14_0_universal2", source, tmp_path / "out") == fused.name


@pytest.mark.parametrize("is_first", [True, False])
def test_a_build_tag_wins_over_thin_wheels_beside_it(
    tmp_path: Path, index: Index, pip: Pip, pair: tuple[Path, Path], is_first: bool
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions(build="1")).wheel
    index.publish([fused, *pair] if is_first else [*pair, fused])
    source = ("--index-url", index.address)
    for platform in ("macosx_14_0_x86_64", "macosx_14_0_arm64"):
        assert pip.downloads(platform, source, tmp_path / platform) == fused.name


def test_pip_takes_a_repaired_wheel(tmp_path: Path, pip: Pip) -> None:
    wheel = Thin("arm64", {"demo.py": b""}, platform="macosx_13_0_arm64").write(tmp_path)
    broken = wheel.rename(tmp_path / "demo-1.0-cp311-cp311-macosx_13_3_arm64.whl")
    repaired = retag(broken, tmp_path / "out", RetagOptions(from_wheel=True)).wheel
    for folder, name in ((tmp_path, None), (repaired.parent, repaired.name)):
        source = ("--no-index", "--find-links", folder)
        assert pip.downloads("macosx_14_0_arm64", source, tmp_path / "got") == name

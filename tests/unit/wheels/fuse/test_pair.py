"""Two wheels are fused only if they are the halves of one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, Undecided
from tensorflow_macos_build.wheels.fuse.pair import Mismatch
from tensorflow_macos_build.wheels.thin.engine import thin
from tests.fused_wheels import (
    INFO,
    NAME,
    Halves,
    assert_thin_gives_back,
    fused_wheel,
)
from tests.wheelmaker import Thin, unpacked

if TYPE_CHECKING:
    from pathlib import Path


def test_wheels_that_do_not_belong_together_are_refused_with_all_reasons(
    tmp_path: Path, halves: Halves
) -> None:
    other = replace(halves[1], project="other", version="2.0", python="cp312-cp312", purelib="true")
    other = replace(other, wheel_version="1.1")
    with pytest.raises(Mismatch) as refused:
        fused_wheel(tmp_path, (halves[0], other))
    fields = ("Root-Is-Purelib", "Wheel-Version")
    for reason in ("names", "versions", "Python tags", "ABI tags", *fields):
        assert f"their {reason} differ" in refused.value.detail
    assert refused.value.exit_code == 2


@pytest.mark.parametrize(
    ("platform", "reason"),
    [
        ("macosx_12_0_arm64", "both are for arm64"),
        ("macosx_12_0_universal2", "is for both architectures already"),
        ("any", "is not macOS"),
        ("win_amd64", "is not macOS"),
        ("macosx_10_6_intel", "neither arm64 nor x86_64"),
    ],
)
def test_a_wheel_that_is_no_half_is_refused(
    tmp_path: Path, halves: Halves, platform: str, reason: str
) -> None:
    other = replace(halves[1], platform=platform, build="2")
    with pytest.raises(UsageError) as refused:
        fused_wheel(tmp_path, (halves[0], other))
    assert reason in str(refused.value)


def test_halves_of_two_projects_go_by_the_name_that_is_asked_for(
    tmp_path: Path, halves: Halves
) -> None:
    arm = replace(halves[0], project="demo_macos")
    arm = replace(arm, files={**arm.files, "demo_macos-1.0.data/scripts/tool": b"#!python\n"})
    intel = replace(
        halves[1], files={**halves[1].files, "demo-1.0.data/scripts/tool": b"#!python\n"}
    )
    with pytest.raises(Mismatch, match="not the halves of one"):
        fused_wheel(tmp_path, (arm, intel))
    wheel = fused_wheel(tmp_path, (arm, intel), FuseOptions(alias="Demo"))
    content = unpacked(wheel)
    assert wheel.name == NAME
    assert b"\nName: demo\n" in content[f"{INFO}/METADATA"]
    assert content["demo-1.0.data/scripts/tool"] == b"#!python\n"
    assert not [name for name in content if name.startswith("demo_macos")]
    stub = replace(arm, metadata=b"Metadata-Version: 2.1\nName: demo_macos\nVersion: 1.0\nX: y\n")
    with pytest.raises(Undecided, match="no verdict"):
        fused_wheel(tmp_path, (stub, intel), FuseOptions(alias="demo"))
    with pytest.raises(Mismatch) as refused:
        fused_wheel(tmp_path, (arm, intel), FuseOptions(alias="third"))
    assert "neither is of the project third" in refused.value.detail


def test_a_name_may_be_spelled_in_two_ways(tmp_path: Path) -> None:
    """The data folder's spelling counts for uv, so all of a fused wheel's folders are of one."""
    script = "scripts/tool"
    arm = Thin("arm64", {f"my_pkg-1.0.data/{script}": b"#!python\n"}, project="My_Pkg")
    intel = Thin("x86_64", {f"my_pkg-1.0.data/{script}": b"#!python\n"}, project="my_pkg")
    about = b"Metadata-Version: 2.1\nName: my-pkg\nVersion: 1.0\n"
    pair = replace(arm, metadata=about), replace(intel, metadata=about)
    wheel = fused_wheel(tmp_path, pair)
    tops = {name.partition("/")[0] for name in unpacked(wheel)}
    assert tops == {"My_Pkg-1.0.dist-info", "My_Pkg-1.0.data"}
    for half in pair:
        assert_thin_gives_back(half, thin(wheel, half.arch, tmp_path / "thin").wheel)


def test_halves_of_two_build_tags_want_to_be_told_one(tmp_path: Path, halves: Halves) -> None:
    pair = halves[0], replace(halves[1], build="1")
    with pytest.raises(Mismatch, match="build tags differ: 1, none; see --build-tag"):
        fused_wheel(tmp_path, pair)
    assert fused_wheel(tmp_path, pair, FuseOptions(build="2")).name.startswith("demo-1.0-2-cp311")


def test_a_build_tag_must_be_one(tmp_path: Path, halves: Halves) -> None:
    with pytest.raises(UsageError, match="not a build tag"):
        fused_wheel(tmp_path, halves, FuseOptions(build="x"))

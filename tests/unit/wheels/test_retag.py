"""retag makes a wheel's name and WHEEL say one thing, and one that installers ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.tags import mac_platforms, parse_tag
from packaging.utils import parse_wheel_filename

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.views import fuse as fuse_view
from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.retag import RetagOptions, retag
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import Code, Severity, verify
from tests.fused_wheels import INFO, Halves, fused_wheel
from tests.wheelmaker import Thin, rewritten, unpacked

if TYPE_CHECKING:
    from pathlib import Path

REPAIR = RetagOptions()
FROM_WHEEL = RetagOptions(from_wheel=True)
MAJOR = "demo-1.0-cp311-cp311-macosx_13_0_arm64.whl"


def wheel_of(folder: Path, platform: str, name: str) -> Path:
    """Make a wheel whose WHEEL has that platform, under a file name that may say another."""
    made = Thin("arm64", {"demo.py": b"pass\n"}, platform=platform).write(folder)
    return made.rename(folder / name)


def codes(wheel: Path) -> set[Code]:
    return {finding.code for finding in verify(wheel).findings}


def test_a_wheel_file_that_contradicts_a_right_name_is_written_after_it(tmp_path: Path) -> None:
    """As z3-solver 5.0.0.0's: named for macOS 13.0, and WHEEL says 13.3."""
    broken = wheel_of(tmp_path, "macosx_13_3_arm64", MAJOR)
    assert codes(broken) == {Code.WHEEL_TAGS}
    repaired = retag(broken, tmp_path / "out", REPAIR).wheel
    assert repaired.name == MAJOR
    assert codes(repaired) == set()
    assert b"Tag: cp311-cp311-macosx_13_0_arm64\n" in unpacked(repaired)["demo-1.0.dist-info/WHEEL"]
    assert unpacked(repaired)["demo.py"] == b"pass\n"
    with pytest.raises(UsageError, match="already"):
        retag(repaired, tmp_path / "again", REPAIR)


CONTRADICTIONS = {
    "pure": ("demo-1.0-py3-none-any.whl", b"Tag: py2-none-any"),
    "bundle": (
        "demo-1.0-cp311-cp311-macosx_10_9_intel.whl",
        b"Tag: cp311-cp311-macosx_10_9_x86_64",
    ),
    "linux": ("demo-1.0-cp311-cp311-manylinux_2_17_x86_64.whl", b"Tag: cp311-cp311-linux_x86_64"),
    "no-tag": (MAJOR, b"X: y"),
    "malformed-tag": (MAJOR, b"Tag: cp311"),
}
"""Right names, and what stands in WHEEL instead of the name's tags."""


@pytest.mark.parametrize("kind", CONTRADICTIONS)
def test_what_verify_sends_to_retag_is_repaired_whatever_the_wheel_is_for(
    tmp_path: Path, kind: str
) -> None:
    name, line = CONTRADICTIONS[kind]
    thin = Thin("arm64", {"demo.py": b""}, platform="macosx_13_0_arm64").write(tmp_path)
    wheel_file = b"Wheel-Version: 1.0\nRoot-Is-Purelib: false\n" + line + b"\n"
    broken = rewritten(thin, {"demo-1.0.dist-info/WHEEL": wheel_file})
    broken = broken.rename(tmp_path / name)
    assert codes(broken) in ({Code.WHEEL_TAGS}, {Code.WHEEL_FILE})
    repaired = retag(broken, tmp_path / "out", REPAIR).wheel
    assert repaired.name == name
    assert codes(repaired) == set()
    text = unpacked(repaired)["demo-1.0.dist-info/WHEEL"].decode()
    stated = [parse_tag(line[5:]) for line in text.splitlines() if line.startswith("Tag: ")]
    assert frozenset().union(*stated) == parse_wheel_filename(name)[3]


@pytest.mark.parametrize("platform", ["macosx_110_0_arm64", "macosx_12_0_aarch64"])
def test_a_tag_of_no_mac_is_replaced_by_the_right_one(tmp_path: Path, platform: str) -> None:
    broken = Thin("arm64", {"demo.py": b""}, platform=platform).write(tmp_path)
    assert codes(broken) == {Code.PLATFORM_TAG}
    with pytest.raises(UsageError, match="no installer asks"):
        retag(broken, tmp_path / "out", RetagOptions(build="1"))
    right = RetagOptions(platforms=["macosx_13_0_arm64"] * 2)
    repaired = retag(broken, tmp_path / "out", right).wheel
    assert repaired.name == MAJOR
    assert codes(repaired) == set()


def test_a_wheel_for_no_mac_gets_no_tag_of_one(tmp_path: Path) -> None:
    pure = Thin("arm64", {"demo.py": b""}, python="py3-none", platform="any").write(tmp_path)
    with pytest.raises(UsageError, match="for `any`"):
        retag(pure, tmp_path / "out", RetagOptions(platforms=["macosx_13_0_arm64"]))
    built = retag(pure, tmp_path / "out", RetagOptions(build="1")).wheel
    assert built.name == "demo-1.0-1-py3-none-any.whl"
    assert codes(built) == set()


def test_a_name_that_contradicts_a_right_wheel_file_is_made_after_it(tmp_path: Path) -> None:
    for name in (
        "demo-1.0-cp311-cp311-macosx_13_3_arm64.whl",
        "demo-1.0-py3-none-macosx_13_0_arm64.whl",
        "demo-1.0-7-cp311-abi3-macosx_12_0_arm64.whl",
        "demo-1.0-py3-none-any.whl",
    ):
        broken = wheel_of(tmp_path, "macosx_13_0_arm64", name)
        assert Code.WHEEL_TAGS in codes(broken)
        repaired = retag(broken, tmp_path / "out", FROM_WHEEL).wheel
        assert repaired.name == MAJOR
        assert codes(repaired) == set()


@pytest.mark.parametrize("build", ["", "7"])
def test_a_build_tag_in_one_of_them_alone_is_repaired_both_ways(tmp_path: Path, build: str) -> None:
    thin = Thin("arm64", {"demo.py": b""}, platform="macosx_13_0_arm64")
    wheel = thin.write(tmp_path).rename(tmp_path / MAJOR.replace("1.0-", "1.0-7-"))
    assert codes(wheel) == {Code.WHEEL_BUILD}
    repaired = retag(wheel, tmp_path / "out", REPAIR if build else FROM_WHEEL).wheel
    assert parse_wheel_filename(repaired.name)[2] == ((7, "") if build else ())
    assert codes(repaired) == set()


def test_a_repair_does_not_replace_the_wheel_that_it_is_made_of(tmp_path: Path) -> None:
    broken = wheel_of(tmp_path, "macosx_13_3_arm64", MAJOR)
    before = broken.read_bytes()
    with pytest.raises(UsageError, match="replace"):
        retag(broken, tmp_path, REPAIR)
    assert broken.read_bytes() == before


def asked_for(platform: str) -> bool:
    """Whether any Mac of today or the next years asks for a tag: packaging says, host by host."""
    intel = [(10, minor) for minor in range(4, 17)]
    hosts = [(version, "x86_64") for version in intel]
    hosts += [((major, 9), arch) for major in range(11, 40) for arch in ("x86_64", "arm64")]
    hosts += [((10, minor), "i386") for minor in range(4, 15)]
    return any(platform in mac_platforms(version, arch) for version, arch in hosts)


UNASKED = {
    "macosx_15_2_arm64": "macosx_15_0_arm64",
    "macosx_10_9_arm64": "macosx_11_0_arm64",
    "macosx_110_0_arm64": None,
    "macosx_11_3_x86_64": "macosx_11_0_x86_64",
    "macosx_26_1_universal2": "macosx_26_0_universal2",
    "macosx_12_arm64": None,
    "macosx_12_0_aarch64": None,
    "macosx_10_3_x86_64": None,
    "macosx_11_7_intel": "macosx_11_0_intel",
}
ASKED = [
    "macosx_10_9_x86_64", "macosx_10_16_x86_64", "macosx_10_9_universal2", "macosx_11_0_arm64",
    "macosx_16_0_arm64", "macosx_26_0_x86_64", "macosx_10_6_intel", "macosx_10_13_i386",
]  # fmt: skip


@pytest.mark.parametrize("platform", [*UNASKED, *ASKED])
def test_a_tag_that_no_mac_asks_for_is_an_error(tmp_path: Path, platform: str) -> None:
    wheel = Thin("arm64", {"demo.py": b""}, platform=platform).write(tmp_path)
    findings = [finding for finding in verify(wheel).findings if finding.code is Code.PLATFORM_TAG]
    assert tags.is_asked_for(platform) == asked_for(platform) == (platform in ASKED)
    assert [finding.severity for finding in findings] == (
        [] if platform in ASKED else [Severity.ERROR]
    )
    if instead := UNASKED.get(platform):
        assert asked_for(instead)
        assert instead in findings[0].message


def test_it_is_a_warning_beside_a_tag_that_says_as_much(tmp_path: Path) -> None:
    platforms = "macosx_11_0_arm64.macosx_11_3_arm64.macosx_10_9_universal2"
    wheel = Thin("arm64", {"demo.py": b""}, platform=platforms).write(tmp_path)
    severities = {
        finding.severity for finding in verify(wheel).findings if finding.code is Code.PLATFORM_TAG
    }
    assert severities == {Severity.WARNING}
    lone = "macosx_10_15_x86_64.macosx_15_2_arm64"
    wheel = Thin("arm64", {"demo.py": b""}, platform=lone).write(tmp_path)
    severities = {
        finding.severity for finding in verify(wheel).findings if finding.code is Code.PLATFORM_TAG
    }
    assert severities == {Severity.ERROR}


@pytest.mark.parametrize(
    "platform", ["macosx_15_2_arm64", "macosx_110_0_arm64", "macosx_10_9_arm64"]
)
def test_retag_makes_no_tag_that_nobody_asks_for(tmp_path: Path, platform: str) -> None:
    wheel = Thin("arm64", {"demo.py": b""}).write(tmp_path)
    with pytest.raises(UsageError, match="macosx"):
        retag(wheel, tmp_path / "out", RetagOptions(platforms=[platform]))
    assert not list(tmp_path.glob("out/*"))


@pytest.mark.parametrize(
    ("intel", "arm", "platforms"),
    [
        ("11_3_x86_64", "15_2_arm64", "macosx_11_0_x86_64.macosx_15_0_arm64"),
        ("10_9_x86_64", "10_9_arm64", "macosx_10_9_universal2"),
        ("12_6_x86_64", "12_3_arm64", "macosx_12_0_universal2"),
        ("10_15_x86_64", "110_0_arm64", None),
    ],
)
def test_fuse_makes_no_tag_that_nobody_asks_for(
    tmp_path: Path, intel: str, arm: str, platforms: str | None
) -> None:
    halves = [
        Thin(arch, {"demo.py": b""}, platform=f"macosx_{platform}").write(tmp_path)
        for arch, platform in (("x86_64", intel), ("arm64", arm))
    ]
    if platforms is None:
        with pytest.raises(UsageError, match="that of no macOS"):
            fuse(halves[0], halves[1], tmp_path / "out", FuseOptions())
        return
    wheel = fuse(halves[0], halves[1], tmp_path / "out", FuseOptions()).wheel
    assert wheel.name == f"demo-1.0-cp311-cp311-{platforms}.whl"
    assert Code.PLATFORM_TAG not in codes(wheel)


def test_retag_keeps_no_tag_that_nobody_asks_for(tmp_path: Path) -> None:
    wheel = Thin("arm64", {"demo.py": b""}, platform="macosx_15_2_arm64").write(tmp_path)
    with pytest.raises(UsageError, match="they ask for `macosx_15_0_arm64`"):
        retag(wheel, tmp_path / "out", RetagOptions(build="1"))
    right = RetagOptions(build="1", platforms=["macosx_15_0_arm64"])
    assert codes(retag(wheel, tmp_path / "out", right).wheel) == set()


@pytest.mark.parametrize(
    ("options", "name"),
    [
        (RetagOptions(build="2"), "demo-1.0-2-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"),
        (
            RetagOptions(universal2_tag=True),
            "demo-1.0-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.macosx_12_0_universal2",
        ),
        (
            RetagOptions(platforms=["macosx_13_0_universal2"]),
            "demo-1.0-cp311-cp311-macosx_13_0_universal2",
        ),
    ],
)
def test_retag_changes_the_description_alone(
    tmp_path: Path, halves: Halves, options: RetagOptions, name: str
) -> None:
    wheel = fused_wheel(tmp_path, halves)
    again = retag(wheel, tmp_path / "retagged", options)
    assert again.wheel.name == f"{name}.whl"
    before, after = unpacked(wheel), unpacked(again.wheel)
    for content in (before, after):
        del content[f"{INFO}/WHEEL"], content[f"{INFO}/RECORD"]
    assert after == before
    documents.check(fuse_view.retagged_document(again))
    assert thin(again.wheel, "arm64", tmp_path / "thin").deflated == 0


def test_retag_back_gives_the_first_wheel(tmp_path: Path, halves: Halves) -> None:
    wheel = fused_wheel(tmp_path, halves)
    there = retag(wheel, tmp_path / "1", RetagOptions(build="9", universal2_tag=True)).wheel
    back = retag(there, tmp_path / "2", RetagOptions(build="", universal2_tag=False)).wheel
    assert back.name == wheel.name
    assert back.read_bytes() == wheel.read_bytes()


@pytest.mark.parametrize(
    "options",
    [
        RetagOptions(),
        RetagOptions(build="x"),
        RetagOptions(platforms=["macosx_12_0_arm64"]),
        RetagOptions(platforms=["linux_x86_64"]),
    ],
)
def test_retag_refuses_what_would_not_be_true(
    tmp_path: Path, halves: Halves, options: RetagOptions
) -> None:
    with pytest.raises(UsageError):
        retag(fused_wheel(tmp_path, halves), tmp_path / "out", options)

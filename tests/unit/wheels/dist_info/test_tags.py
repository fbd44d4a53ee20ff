"""A fused wheel's tags, judged by packaging on 15 hosts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from packaging.tags import Tag, cpython_tags, mac_platforms
from packaging.utils import parse_wheel_filename

from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
from tensorflow_macos_build.wheels.thin.engine import thin
from tensorflow_macos_build.wheels.verify import Code, verify
from tests.hosts import HOSTS, Os
from tests.wheelmaker import Thin

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain


def takes(host: tuple[str, Os], name: tags.WheelName) -> bool:
    arch, version = host
    platforms = list(mac_platforms(version, arch))
    supported = set(cpython_tags((3, 11), ["cp311"], platforms))
    return not supported.isdisjoint(parse_wheel_filename(str(name))[3])


def named(needs: dict[str, Os], *, universal2: bool = False) -> tags.WheelName:
    platforms = tags.platform_tags(needs, universal2=universal2)
    return tags.WheelName("demo", "1.0", None, ("cp311",), ("cp311",), platforms)


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: f"{host[0]}-{host[1][0]}.{host[1][1]}")
def test_a_host_takes_the_wheel_just_when_its_half_runs_there(host: tuple[str, Os]) -> None:
    """A Python that reports macOS 10.16 asks for no tag of macOS 11, whatever is beneath it."""
    arch, version = host
    intel = [(10, 9), (10, 15), (11, 0), (12, 0), (14, 0)]
    arm = [(11, 0), (12, 0), (14, 0)]
    for needs in ({"x86_64": minimum, "arm64": other} for minimum in intel for other in arm):
        for universal2 in (False, True):
            name = named(needs, universal2=universal2)
            assert takes(host, name) == (version >= needs[arch]), str(name)


@pytest.mark.parametrize(
    ("needs", "platforms"),
    [
        ({"x86_64": (10, 15), "arm64": (12, 0)}, "macosx_10_15_x86_64.macosx_12_0_arm64"),
        ({"x86_64": (10, 9), "arm64": (11, 0)}, "macosx_10_9_universal2"),
        ({"x86_64": (10, 9), "arm64": (10, 9)}, "macosx_10_9_universal2"),
        ({"x86_64": (12, 3), "arm64": (12, 6)}, "macosx_12_0_universal2"),
        ({"x86_64": (12, 0), "arm64": (11, 0)}, "macosx_11_0_arm64.macosx_12_0_x86_64"),
    ],
)
def test_names_are_those_of_the_conventions(needs: dict[str, Os], platforms: str) -> None:
    assert ".".join(tags.platform_tags(needs)) == platforms


@pytest.mark.parametrize(
    "platforms",
    [
        ("macosx_12_0_arm64", "macosx_14_0_arm64", "macosx_10_15_x86_64"),
        ("macosx_14_0_x86_64", "macosx_11_0_x86_64", "macosx_12_0_arm64"),
        ("macosx_10_9_universal2", "macosx_12_0_arm64", "macosx_10_15_x86_64"),
    ],
)
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: f"{host[0]}-{host[1][0]}.{host[1][1]}")
def test_the_lowest_macos_of_several_tags_is_the_first_that_takes_one(
    host: tuple[str, Os], platforms: tuple[str, ...]
) -> None:
    arch, version = host
    name = tags.WheelName("demo", "1.0", None, ("cp311",), ("cp311",), platforms)
    assert takes(host, name) == (version >= tags.lowest(platforms)[arch])


def test_no_tag_is_made_that_no_host_asks_for() -> None:
    supported = {
        platform
        for arch, newest in (("x86_64", 40), ("arm64", 40))
        for platform in mac_platforms((newest, 0), arch)
    }
    oldest: list[Os] = [(10, minor) for minor in range(4, 17)]
    newer: list[Os] = [(major, minor) for major in range(11, 30) for minor in (0, 1, 6)]
    for intel in (*oldest, *newer):
        for arm in (*oldest, *newer):
            for needs in ({"x86_64": intel, "arm64": arm}, {"x86_64": intel}, {"arm64": arm}):
                for universal2 in (False, True):
                    assert supported.issuperset(tags.platform_tags(needs, universal2=universal2))


def test_a_universal2_tag_comes_last_and_is_true_of_both() -> None:
    """briefcase took only the last Tag line until beeware/briefcase#2692."""
    platforms = tags.platform_tags({"x86_64": (10, 15), "arm64": (12, 0)}, universal2=True)
    assert platforms[-1] == "macosx_12_0_universal2"
    assert len(platforms) == 3


@pytest.mark.parametrize(
    "name",
    [
        "demo-1.0-2-cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64.whl",
        "demo-1.0+local.1-py2.py3-none-macosx_11_0_arm64.whl",
    ],
)
def test_names_are_read_as_packaging_reads_them(name: str) -> None:
    parsed = tags.parse_name(name)
    project, version, build, expected = parse_wheel_filename(name)
    assert str(parsed) == name
    assert (parsed.project, parsed.version) == (project, str(version))
    assert parsed.build == ("".join(map(str, build)) or None)
    assert {Tag(*tag.split("-")) for tag in parsed.tags} == expected


@pytest.mark.parametrize(
    "name",
    [
        "demo.whl",
        "demo-1.0.zip",
        "d-1-x-py3-none-any.whl",
        "d-x y-py3-none-any.whl",
        "d-1-py3--.whl",
    ],
)
def test_what_is_no_wheel_s_name_is_refused(name: str) -> None:
    with pytest.raises(tags.BadName):
        tags.parse_name(name)


def test_tags_are_read_in_any_case_as_installers_read_them(tmp_path: Path) -> None:
    halves = (
        Thin("arm64", {}, python="CP311-cp311", platform="MACOSX_12_0_ARM64"),
        Thin("x86_64", {}, platform="macosx_10_15_X86_64"),
    )
    first, second = (half.write(tmp_path) for half in halves)
    assert takes(("arm64", (12, 0)), tags.parse_name(first.name))
    wheel = fuse(first, second, tmp_path / "out", FuseOptions()).wheel
    for host in (("arm64", (12, 0)), ("x86_64", (10, 15))):
        assert takes(host, tags.parse_name(wheel.name))
    for half in halves:
        assert thin(wheel, half.arch, tmp_path / "thin").wheel.name == half.name


@pytest.mark.parametrize(
    ("platform", "code"),
    [("MACOSX_11_0_arm64", Code.MINOS_ABOVE_TAG), ("macosx_12_6_ARM64", Code.PLATFORM_TAG)],
)
def test_verify_reads_tags_in_any_case(
    tmp_path: Path, toolchain: Toolchain, platform: str, code: Code
) -> None:
    library = toolchain.dylib("n.dylib", "int n;", "arm64", minimum="12.0").read_bytes()
    wheel = Thin("arm64", {"n.dylib": library}, platform=platform).write(tmp_path)
    assert [finding.code for finding in verify(wheel).findings] == [code]

"""A fused wheel's tags, judged by packaging on 15 hosts, and by pip and uv against an index."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from functools import partial
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
    from collections.abc import Iterator
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
    for needs in ({"x86_64": one, "arm64": other} for one in intel for other in arm):
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
    asked = {
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
                    assert asked.issuperset(tags.platform_tags(needs, universal2=universal2))


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
    project, version, build, wanted = parse_wheel_filename(name)
    assert str(parsed) == name
    assert (parsed.project, parsed.version) == (project, str(version))
    assert parsed.build == ("".join(map(str, build)) or None)
    assert {Tag(*tag.split("-")) for tag in parsed.tags} == wanted


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


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that is served as an index; its name is the address's."""
    root = tmp_path_factory.mktemp("index")
    folder = root / "simple" / "demo"
    folder.mkdir(parents=True)
    handler = partial(_Quiet, directory=str(root))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        (root / "address").write_text(f"http://127.0.0.1:{server.server_port}/simple/")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield root
        server.shutdown()
        thread.join()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


def publish(index: Path, wheels: list[Path]) -> None:
    """Put just these wheels into the index, listed in this order."""
    folder = index / "simple" / "demo"
    for old in folder.iterdir():
        old.unlink()
    for wheel in wheels:
        (folder / wheel.name).write_bytes(wheel.read_bytes())
    links = "".join(f'<a href="{wheel.name}">{wheel.name}</a><br>' for wheel in wheels)
    (folder / "index.html").write_text(f"<!DOCTYPE html><html><body>{links}</body></html>")


def pip_takes(index: Path, platform: str, out: Path) -> str | None:
    """Return the name of the wheel that pip downloads for a platform; None if it finds none."""
    argv = [
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:"),
        *("--python-version", "3.11", "--implementation", "cp", "--abi", "cp311"),
        *("--platform", platform, "--isolated", "--no-cache-dir", "--disable-pip-version-check"),
        *("--index-url", (index / "address").read_text(), "--dest", str(out), "demo"),
    ]
    done = subprocess.run(argv, check=False, capture_output=True)
    names = [path.name for path in out.iterdir()] if done.returncode == 0 else [None]
    return names[0]


def uv_takes(index: Path, platform: str, target: str, out: Path) -> bool:
    """Whether uv would install the wheel on a platform with a deployment target."""
    argv = [
        *(sys.executable, "-m", "uv", "pip", "install", "--no-cache", "--no-config"),
        *("--python-platform", platform, "--python-version", "3.11", "--only-binary", ":all:"),
        *("--index-url", (index / "address").read_text(), "--target", str(out), "demo"),
    ]
    env = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": target}
    done = subprocess.run(argv, check=False, capture_output=True, env=env)
    return done.returncode == 0


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    return (
        Thin("arm64", {"demo.py": b""}).write(tmp_path),
        Thin("x86_64", {"demo.py": b""}).write(tmp_path),
    )


def test_pip_and_uv_take_the_fused_wheel_just_where_it_runs(
    tmp_path: Path, index: Path, pair: tuple[Path, Path]
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions()).wheel
    publish(index, [fused])
    for platform, wanted in {
        "macosx_10_14_x86_64": None,
        "macosx_10_15_x86_64": fused.name,
        "macosx_14_0_x86_64": fused.name,
        "macosx_11_0_arm64": None,
        "macosx_12_0_arm64": fused.name,
        "macosx_26_0_arm64": fused.name,
        "macosx_14_0_universal2": None,
    }.items():
        out = tmp_path / platform
        out.mkdir()
        assert pip_takes(index, platform, out) == wanted, platform
    for platform, target, taken in (
        ("aarch64-apple-darwin", "11.0", False),
        ("aarch64-apple-darwin", "12.0", True),
        ("x86_64-apple-darwin", "10.14", False),
        ("x86_64-apple-darwin", "10.15", True),
    ):
        out = tmp_path / f"{platform}-{target}"
        assert uv_takes(index, platform, target, out) == taken, (platform, target)


def test_a_universal2_tag_is_what_pip_finds_by_that_platform(
    tmp_path: Path, index: Path, pair: tuple[Path, Path]
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions(universal2_tag=True)).wheel
    publish(index, [fused])
    assert pip_takes(index, "macosx_14_0_universal2", tmp_path / "fused") == fused.name


@pytest.mark.parametrize("platform", ["macosx_14_0_x86_64", "macosx_14_0_arm64"])
@pytest.mark.parametrize("first", [True, False])
def test_a_build_tag_wins_over_thin_wheels_beside_it(
    tmp_path: Path, index: Path, pair: tuple[Path, Path], platform: str, first: bool
) -> None:
    fused = fuse(*pair, tmp_path / "fused", FuseOptions(build="1")).wheel
    publish(index, [fused, *pair] if first else [*pair, fused])
    out = tmp_path / "out"
    out.mkdir()
    assert pip_takes(index, platform, out) == fused.name


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
    assert [one.code for one in verify(wheel).findings] == [code]

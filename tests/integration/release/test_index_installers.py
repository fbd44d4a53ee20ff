"""pip and uv on a static index: each Mac gets its wheel, or none."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
import uv

from tensorflow_macos_build.release.index import IndexRequest, publish
from tests.hosts import HOSTS, Os
from tests.index_server import HtmlAlone, served
from tests.named_wheels import wheel_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.installers import Pip

FUSED = "cp311-cp311-macosx_10_15_x86_64.macosx_12_0_arm64"
WHEEL = f"demo-2.21.0-{FUSED}.whl"
_WANTED = {"x86_64": (10, 15), "arm64": (12, 0)}
"""The lowest macOS by architecture that the wheel promises."""


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an index with a wheel, an older one of a wrong tag, and a withdrawn one."""
    root = tmp_path_factory.mktemp("index")
    (root / "dist").mkdir()
    for version, tag in (
        *(("2.21.0", FUSED), ("2.22.0", FUSED)),
        ("2.20.0", "cp311-cp311-macosx_99_0_arm64"),
    ):
        about = f"Metadata-Version: 2.1\nName: demo\nVersion: {version}\n".encode()
        info = f"demo-{version}.dist-info"
        wheel_of(root / "dist", f"demo-{version}", info, tag, about=about)
    (root / "index.yaml").write_text("projects: {demo: {yanked: {2.22.0: crashes}}}\n")
    publish(IndexRequest((root / "dist",), root / "out", root / "index.yaml"))
    return root / "out"


@pytest.fixture(scope="module")
def address(index: Path) -> Iterator[str]:
    with served(index) as address:
        yield address


def _uv(address: str, arch: str, macos: Os) -> subprocess.CompletedProcess[str]:
    platform = {"x86_64": "x86_64-apple-darwin", "arm64": "aarch64-apple-darwin"}[arch]
    host = ("--python-platform", platform, "--python-version", "3.11", "--only-binary", ":all:")
    flags = ("--quiet", "--no-cache", "--no-config", "--no-header", "--generate-hashes")
    return subprocess.run(
        [uv.find_uv_bin(), "pip", "compile", *flags, *host, "--index-url", address, "-"],
        input="demo",
        env={"MACOSX_DEPLOYMENT_TARGET": f"{macos[0]}.{macos[1]}", "HOME": "/nonexistent"},
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("host", HOSTS, ids=lambda host: f"{host[0]}-{host[1][0]}.{host[1][1]}")
def test_uv_takes_the_wheel_where_it_runs(host: tuple[str, Os], address: str) -> None:
    arch, macos = host
    done = _uv(address, arch, macos)
    if macos >= _WANTED[arch]:
        assert "demo==2.21.0" in done.stdout
    else:
        assert done.returncode == 1
        assert "no wheels with a matching platform tag" in done.stderr


@pytest.mark.parametrize("handler", ["json", "html"])
def test_pip_takes_the_wheel_where_it_runs(
    handler: str, index: Path, address: str, pip: Pip, tmp_path: Path
) -> None:
    hosts = [("macosx_10_14_x86_64", None), ("macosx_10_15_x86_64", WHEEL)]
    if handler == "html":
        hosts = [("macosx_11_0_arm64", None), ("macosx_12_0_arm64", WHEEL)]
    with served(index, HtmlAlone) as other:
        source = ("--index-url", address if handler == "json" else other)
        for platform, wheel in hosts:
            assert pip.downloads(platform, source, tmp_path / platform) == wheel

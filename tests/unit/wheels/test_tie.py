"""A plugin's wheel that is tied to a wheel of TensorFlow says what is true of it."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import pytest
from packaging.metadata import Metadata

from tensorflow_macos_build.wheels.archive.members import BrokenWheel
from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.tie import requiring, tie
from tensorflow_macos_build.wheels.verify import verify
from tests.plugin_wheels import PLUGIN
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

HOST = tags.parse_name("tensorflow-2.21.0+macos.1-cp313-cp313-macosx_12_0_arm64.whl")
BUILT = "cp313-cp313-macosx_11_0_universal2"


def test_the_tag_is_what_the_code_needs(toolchain: Toolchain, tmp_path: Path) -> None:
    image = toolchain.dylib("libplug.dylib", "int use;", "arm64", minimum="15.2")
    wheel = WheelFiles({PLUGIN: image.read_bytes()}, "plug", "0.1", BUILT).write(tmp_path)
    tied = tie(wheel, HOST, tmp_path / "out").wheel
    assert tied.name == "plug-0.1-cp313-cp313-macosx_15_0_arm64.whl"
    assert all(finding.code.slug == "minos-minor" for finding in verify(tied).findings)
    with zipfile.ZipFile(tied) as archive:
        metadata = Metadata.from_email(archive.read("plug-0.1.dist-info/METADATA"))
        assert archive.read(PLUGIN) == image.read_bytes()
    assert list(map(str, metadata.requires_dist or ())) == ["tensorflow==2.21.0+macos.1"]


def test_of_several_libraries_the_most_demanding_counts(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    thin = [
        toolchain.dylib("libplug.dylib", "int use;", arch, minimum=minimum)
        for arch, minimum in (("x86_64", "10.15"), ("arm64", "12.0"))
    ]
    other = toolchain.dylib("libmore.dylib", "int more;", "x86_64", minimum="13.0")
    files = {PLUGIN: toolchain.universal(*thin).read_bytes(), "more.so": other.read_bytes()}
    wheel = WheelFiles(files, "plug", "0.1", BUILT).write(tmp_path)
    assert tie(wheel, HOST, tmp_path / "out").wheel.name == (
        "plug-0.1-cp313-cp313-macosx_12_0_arm64.macosx_13_0_x86_64.whl"
    )


def test_a_wheel_without_code_cannot_be_tied(tmp_path: Path) -> None:
    wheel = WheelFiles({"plug/__init__.py": b""}, "plug", "0.1", BUILT).write(tmp_path)
    with pytest.raises(BrokenWheel, match="no library"):
        tie(wheel, HOST, tmp_path / "out")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("body", ["", "A description.\nRequires-Dist: tensorflow==1\n"])
def test_only_requirements_of_tensorflow_are_replaced(newline: str, body: str) -> None:
    fields = [
        "Metadata-Version: 2.1", "Name: plug", "Version: 0.1",
        "Requires-Dist: tensorflow==2.21.*", "Requires-Dist: Tensorflow_MacOS (>=2.9,", "  <3)",
        "Requires-Dist: six", "Requires-Dist: not a requirement!",
    ]  # fmt: skip
    content = newline.join([*fields, "", body] if body else [*fields, ""]).encode()
    made = requiring(content, HOST).decode().replace("\r\n", "\n")
    head, _, rest = made.partition("\n\n")
    assert [line for line in head.splitlines() if line.startswith("Requires-Dist")] == [
        "Requires-Dist: six", "Requires-Dist: not a requirement!",
        "Requires-Dist: tensorflow==2.21.0+macos.1",
    ]  # fmt: skip
    assert rest == body

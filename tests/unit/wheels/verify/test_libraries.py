"""What dyld finds outside the wheel is judged by the SDK, and by whether it may be missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.wheels.verify import Code, Severity, verify
from tests.broken_images import command_at, sdk
from tests.broken_wheels import WEAK_USER
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

ZLIB = "int base(void) { return 1; }"
USER = "extern int base(void); int use(void) { return base(); }"
INTEL = "x86_64"


def severities(
    tools: Toolchain, folder: Path, install_name: str, version: tuple[int, int], *flags: str
) -> dict[Code, Severity]:
    """Judge an image that links with a library of that name, which the wheel does not hold."""
    library = tools.dylib("libz.dylib", ZLIB, INTEL, install_name=install_name)
    weak = "-weak" in flags
    how: list[str | Path] = ["-weak_library", library] if weak else [library]
    rest = [flag for flag in flags if flag != "-weak"]
    mod = tools.dylib("mod.so", WEAK_USER if weak else USER, INTEL, *rest, *how)
    content = bytearray(mod.read_bytes())
    sdk(*version)(content)
    files = {"tiny/mod.so": bytes(content)}
    verification = verify(WheelFiles(files, tag="cp311-cp311-macosx_10_15_x86_64").write(folder))
    return {finding.code: finding.severity for finding in verification.findings}


@pytest.mark.parametrize(
    "name",
    ["@rpath/libc++.1.dylib", "libz.1.dylib", "@loader_path/libiconv.2.dylib",
     "/opt/homebrew/lib/libz.1.dylib"],
)  # fmt: skip
def test_below_sdk_14_a_lost_library_of_the_system_is_found_in_usr_lib(
    toolchain: Toolchain, tmp_path: Path, name: str
) -> None:
    warned = {Code.LIBRARY_FALLBACK: Severity.WARNING}
    assert severities(toolchain, tmp_path, name, (13, 3)) == warned
    lost = Code.LIBRARY_ABSOLUTE if name.startswith("/") else Code.LIBRARY_MISSING
    assert severities(toolchain, tmp_path, name, (14, 0)) == {lost: Severity.ERROR}


@pytest.mark.parametrize("name", ["@rpath/libomp.dylib", "libgomp.1.dylib"])
def test_what_macos_does_not_have_is_missing_under_any_sdk(
    toolchain: Toolchain, tmp_path: Path, name: str
) -> None:
    missing = {Code.LIBRARY_MISSING: Severity.ERROR}
    assert severities(toolchain, tmp_path, name, (11, 0)) == missing
    assert severities(toolchain, tmp_path, name, (26, 0)) == missing


@pytest.mark.parametrize("name", ["/opt/homebrew/lib/libomp.dylib", "@rpath/libomp.dylib"])
@pytest.mark.parametrize("version", [(13, 0), (26, 0)])
def test_a_weak_load_is_a_note_whatever_its_name(
    toolchain: Toolchain, tmp_path: Path, name: str, version: tuple[int, int]
) -> None:
    noted = {Code.LIBRARY_WEAK_MISSING: Severity.NOTE}
    assert severities(toolchain, tmp_path, name, version, "-weak") == noted


def test_an_rpath_into_the_system_leads_to_its_libraries(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    swift = ("-rpath", "/usr/lib/swift")
    assert severities(toolchain, tmp_path, "@rpath/libswiftCore.dylib", (26, 0), *swift) == {}
    missing = {Code.LIBRARY_MISSING: Severity.ERROR}
    assert severities(toolchain, tmp_path, "@rpath/libomp.dylib", (26, 0), *swift) == missing


@pytest.mark.parametrize(
    ("tag", "minos", "code"),
    [
        ("macosx_10_16_x86_64", "11.0", None),
        ("macosx_11_0_x86_64", "10.16", None),
        ("macosx_10_16_x86_64", "11.3", Code.MINOS_MINOR),
        ("macosx_10_16_x86_64", "12.0", Code.MINOS_ABOVE_TAG),
        ("macosx_10_15_x86_64", "10.16", Code.MINOS_ABOVE_TAG),
    ],
)
def test_10_16_is_macos_11(
    toolchain: Toolchain, tmp_path: Path, tag: str, minos: str, code: Code | None
) -> None:
    plain = toolchain.dylib("libplain.dylib", ZLIB, INTEL)
    content = bytearray(plain.read_bytes())
    major, minor = map(int, minos.split("."))
    at = command_at(content, 0x32) + 12
    content[at : at + 4] = (major << 16 | minor << 8).to_bytes(4, "little")
    wheel = WheelFiles({"tiny/libplain.dylib": bytes(content)}, tag=f"cp311-cp311-{tag}")
    assert [finding.code for finding in verify(wheel.write(tmp_path)).findings] == (
        [code] if code else []
    )

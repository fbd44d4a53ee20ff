"""What dyld refuses is found, and weighs what the image's SDK makes of it.

No dyld runs here: the table holds what dyld-1378's mach_o/Policy.cpp says, rule by rule.
"""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.macho.constants import LC, MH_BUNDLE, MH_EXECUTE
from tensorflow_macos_build.macho.image import parse
from tensorflow_macos_build.macho.load_commands import BuildVersion
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.verify import Code, Severity, slices, verify
from tests.broken_images import (
    command_at,
    hide,
    hide_all,
    in_segment,
    put,
    renamed_in,
    sdk,
    segment_at,
    shifted,
    together,
)
from tests.broken_wheels import BASE, HERE, TWO_RPATHS, USER, rpath_twice
from tests.wheel_files import WheelFiles

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.machos import Toolchain

    Change = Callable[[bytearray], None]

INTEL = "cp311-cp311-macosx_10_15_x86_64"
ERROR, WARNING, NOTE = Severity.ERROR, Severity.WARNING, Severity.NOTE
BOSS = "extern int base(void), boss(void); int use(void) { return base() + boss(); }"


class Image:
    """An x86_64 dylib that loads two others and has two rpaths, in a wheel with them."""

    def __init__(self, tools: Toolchain, folder: Path) -> None:
        self._folder = folder
        base = tools.dylib("libbase.dylib", BASE, "x86_64")
        boss = tools.dylib("libboss.dylib", "int boss(void) { return 1; }", "x86_64")
        use = tools.dylib("libuse.dylib", BOSS, "x86_64", *HERE, *TWO_RPATHS, base, boss)
        self._files = {path.name: path.read_bytes() for path in (base, boss, use)}

    def verified(self, *changes: Change) -> dict[Code, Severity]:
        content = bytearray(self._files["libuse.dylib"])
        together(*changes)(content)
        files = {f"tiny/{name}": content for name, content in self._files.items()}
        files["tiny/libuse.dylib"] = bytes(content)
        findings = verify(WheelFiles(files, tag=INTEL).write(self._folder)).findings
        own = [finding for finding in findings if finding.file == "tiny/libuse.dylib"]
        severities = {finding.code: finding.severity for finding in reversed(own)}
        severities.pop(Code.RPATH_DEAD, None)
        return severities


@pytest.fixture
def image(toolchain: Toolchain, tmp_path: Path) -> Image:
    return Image(toolchain, tmp_path)


def filetype(number: int) -> Change:
    return put("<I", 12, number)


def program(content: bytearray) -> None:
    """Make a program of it: its type, and LC_MAIN for its name."""
    filetype(MH_EXECUTE)(content)
    at = command_at(content, LC.LC_ID_DYLIB)
    struct.pack_into("<I", content, at, LC.LC_UNIXTHREAD)


def base_twice(content: bytearray) -> None:
    renamed_in(content, b"libboss", b"libbase")


def signed(offset: int) -> Change:
    """Add a code signature's command of that alignment, over LC_DATA_IN_CODE's."""

    def change(content: bytearray) -> None:
        at = command_at(content, LC.LC_FUNCTION_STARTS)
        start, size = struct.unpack_from("<II", content, at + 8)
        assert not start % 8
        struct.pack_into("<III", content, at + 8, start + offset, size - offset, 0)
        struct.pack_into("<I", content, at, LC.LC_CODE_SIGNATURE)

    return change


NO_UUID = hide(LC.LC_UUID)
UNLINKED = hide_all(LC.LC_LOAD_DYLIB)
WRITABLE_TEXT = in_segment("__TEXT", 60, "<I", 7)
WRITABLE_LINKEDIT = in_segment("__LINKEDIT", 60, "<I", 3)
READ_ONLY_DATA = in_segment("__DATA_CONST", 60, "<I", 1)
NO_READ_ONLY_FLAG = in_segment("__DATA_CONST", 68, "<I", 0)
LONG_SECTION = in_segment("__TEXT", 72 + 40, "<Q", 1 << 40)


def two_of_a_name(content: bytearray) -> None:
    at = segment_at(content, "__DATA_CONST")
    content[at + 8 : at + 24] = b"__DATA".ljust(16, b"\0")


def lower_in_memory(content: bytearray) -> None:
    """Let __DATA_CONST lie beyond __DATA in memory, before which it is listed."""
    at = segment_at(content, "__DATA_CONST")
    (sections,) = struct.unpack_from("<I", content, at + 64)
    for offset in (at + 24, *(at + 72 + 80 * number + 32 for number in range(sections))):
        (address,) = struct.unpack_from("<Q", content, offset)
        struct.pack_into("<Q", content, offset, address + (1 << 40))


TABLE_AT_4 = shifted(LC.LC_FUNCTION_STARTS, 8)
MISSIGNED = signed(4)
UNAVOIDABLE = {
    MISSIGNED: {Code.SIGNATURE_MALFORMED, Code.SIGNATURE_NOT_LAST},
    base_twice: {Code.SYMBOL_MISSING},
    UNLINKED: {Code.MACHO_MALFORMED},
}
"""What a change breaks besides: symbols that are bound to what it took away."""


@pytest.mark.parametrize(
    ("change", "version", "code", "severity"),
    [
        (NO_UUID, (11, 3), Code.UUID_MISSING, NOTE),
        (NO_UUID, (12, 0), Code.UUID_MISSING, ERROR),
        (NO_UUID, (26, 0), Code.UUID_MISSING, ERROR),
        (together(NO_UUID, program), (15, 5), Code.UUID_MISSING, NOTE),
        (together(NO_UUID, program), (26, 0), Code.UUID_MISSING, ERROR),
        (rpath_twice, (13, 3), Code.RPATH_DUPLICATE, NOTE),
        (rpath_twice, (15, 2), Code.RPATH_DUPLICATE, NOTE),
        (rpath_twice, (15, 4), Code.RPATH_DUPLICATE, WARNING),
        (rpath_twice, (26, 0), Code.RPATH_DUPLICATE, ERROR),
        (rpath_twice, (16, 0), Code.RPATH_DUPLICATE, ERROR),
        (base_twice, (14, 5), Code.LIBRARY_DUPLICATE, NOTE),
        (base_twice, (15, 0), Code.LIBRARY_DUPLICATE, WARNING),
        (base_twice, (26, 1), Code.LIBRARY_DUPLICATE, ERROR),
        (UNLINKED, (15, 3), Code.LIBRARY_NONE, NOTE),
        (UNLINKED, (15, 4), Code.LIBRARY_NONE, ERROR),
        (WRITABLE_TEXT, (10, 14), Code.SEGMENT_PERMISSIONS, NOTE),
        (WRITABLE_TEXT, (10, 15), Code.SEGMENT_PERMISSIONS, ERROR),
        (WRITABLE_LINKEDIT, (10, 10), Code.SEGMENT_PERMISSIONS, NOTE),
        (WRITABLE_LINKEDIT, (10, 11), Code.SEGMENT_PERMISSIONS, ERROR),
        (together(WRITABLE_LINKEDIT, program), (15, 0), Code.SEGMENT_PERMISSIONS, NOTE),
        (READ_ONLY_DATA, (15, 5), Code.SEGMENT_PERMISSIONS, NOTE),
        (READ_ONLY_DATA, (26, 0), Code.SEGMENT_PERMISSIONS, ERROR),
        (NO_READ_ONLY_FLAG, (15, 5), Code.SEGMENT_PERMISSIONS, NOTE),
        (NO_READ_ONLY_FLAG, (26, 0), Code.SEGMENT_PERMISSIONS, ERROR),
        (LONG_SECTION, (10, 15), Code.SEGMENT_LAYOUT, NOTE),
        (LONG_SECTION, (11, 0), Code.SEGMENT_LAYOUT, ERROR),
        (two_of_a_name, (15, 5), Code.SEGMENT_LAYOUT, NOTE),
        (two_of_a_name, (26, 0), Code.SEGMENT_LAYOUT, ERROR),
        (lower_in_memory, (10, 14), Code.SEGMENT_LAYOUT, NOTE),
        (lower_in_memory, (10, 15), Code.SEGMENT_LAYOUT, ERROR),
        (TABLE_AT_4, (10, 13), Code.LINKEDIT_ALIGNMENT, NOTE),
        (TABLE_AT_4, (10, 14), Code.LINKEDIT_ALIGNMENT, ERROR),
        (TABLE_AT_4, (13, 3), Code.LINKEDIT_ALIGNMENT, ERROR),
        (MISSIGNED, (10, 14), Code.LINKEDIT_ALIGNMENT, NOTE),
        (MISSIGNED, (10, 15), Code.LINKEDIT_ALIGNMENT, ERROR),
    ],
)
def test_a_rule_weighs_what_the_sdk_makes_of_it(
    image: Image, change: Change, version: tuple[int, int], code: Code, severity: Severity
) -> None:
    severities = image.verified(change, sdk(*version))
    assert severities.get(code) is severity
    assert set(severities) - {code} <= UNAVOIDABLE.get(change, set())


def test_a_signature_need_not_lie_at_a_multiple_of_16(image: Image) -> None:
    for offset in (0, 8):
        severities = image.verified(signed(offset), sdk(26))
        assert Code.LINKEDIT_ALIGNMENT not in severities


@pytest.mark.parametrize("version", [(10, 9), (26, 0)])
def test_a_sound_image_of_any_sdk_has_no_finding(image: Image, version: tuple[int, int]) -> None:
    assert image.verified(sdk(*version)) == {}
    bundle = image.verified(sdk(*version), filetype(MH_BUNDLE), hide(LC.LC_ID_DYLIB))
    assert bundle == {}


def second_platform(command: LC, minos: int) -> Change:
    """Write another platform beside macOS, in the place of LC_FUNCTION_STARTS."""

    def change(content: bytearray) -> None:
        at = command_at(content, LC.LC_FUNCTION_STARTS)
        struct.pack_into("<IIII", content, at, command, 16, minos << 16, 26 << 16)

    return change


def test_an_image_for_macos_and_another_system_is_refused(image: Image) -> None:
    for command in (LC.LC_VERSION_MIN_IPHONEOS, LC.LC_VERSION_MIN_WATCHOS):
        assert image.verified(second_platform(command, 9)) == {Code.PLATFORM: ERROR}
    assert image.verified(second_platform(LC.LC_VERSION_MIN_MACOSX, 9)) == {}


def test_of_two_builds_for_macos_the_last_one_s_sdk_counts(toolchain: Toolchain) -> None:
    path = toolchain.dylib("libbase.dylib", BASE, "x86_64")
    parsed = parse(Window.whole(path.read_bytes()))
    assert parsed.sdk == (13, 3, 0)
    old, new, none = (
        BuildVersion(1, (10, 9, 0), sdk) for sdk in ((10, 15, 0), (26, 0, 0), (0, 0, 0))
    )
    catalyst = BuildVersion(6, (14, 0, 0), (17, 0, 0))
    for builds, expected in (
        ((old, new), (26, 0, 0)),
        ((new, old, catalyst), (10, 15, 0)),
        ((none,), (10, 9, 0)),
        ((), (10, 5, 0)),
    ):
        assert replace(parsed, builds=builds).sdk == expected


def endless(content: bytearray) -> None:
    """Fill the rest of an LC_RPATH, whose name then has no NUL."""
    at = command_at(content, LC.LC_RPATH)
    (size,) = struct.unpack_from("<I", content, at + 4)
    name = content[at + 12 : at + size]
    content[at + 12 : at + size] = name.replace(b"\0", b"/")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda c: put("<I", command_at(c, LC.LC_RPATH), LC.LC_UUID)(c), Code.LOAD_COMMANDS),
        (lambda c: put("<I", command_at(c, LC.LC_BUILD_VERSION) + 20, 9)(c), Code.LOAD_COMMANDS),
        (endless, Code.LOAD_COMMANDS),
        (filetype(MH_BUNDLE), Code.LOAD_COMMANDS),
        (filetype(MH_EXECUTE), Code.LOAD_COMMANDS),
        (hide(LC.LC_SEGMENT_64), Code.SEGMENT_LAYOUT),
        (in_segment("__TEXT", 48, "<Q", 0x100), Code.SEGMENT_LAYOUT),
        (in_segment("__DATA_CONST", 24, "<Q", 0x10), Code.SEGMENT_LAYOUT),
        (in_segment("__DATA_CONST", 40, "<Q", 0x10), Code.SEGMENT_LAYOUT),
        (in_segment("__DATA_CONST", 60, "<I", 0x13), Code.SEGMENT_LAYOUT),
        (in_segment("__LINKEDIT", 24, "<Q", (1 << 64) - 16), Code.SEGMENT_LAYOUT),
    ],
)
def test_what_no_dyld_takes_is_an_error_whatever_the_sdk(
    image: Image, change: Change, code: Code
) -> None:
    assert image.verified(change, sdk(10, 6)).get(code) is ERROR


def test_the_rest_of_many_faults_weighs_no_more_than_they(
    image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slices, "_MOST_ALIKE", 1)
    second = in_segment("__TEXT", 72 + 80 + 40, "<Q", 1 << 40)
    for version, severity in (((10, 15), NOTE), ((11, 0), ERROR)):
        assert image.verified(LONG_SECTION, second, sdk(*version)) == {
            Code.SEGMENT_LAYOUT: severity
        }


def test_a_million_faults_of_a_code_are_told_as_a_few_and_a_number(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    rpaths = [word for number in range(60) for word in ("-rpath", f"@loader_path/{number:02}")]
    use = toolchain.dylib("libuse.dylib", USER.replace("extern ", ""), "x86_64", *rpaths,
                          "-undefined", "dynamic_lookup")  # fmt: skip
    content = bytearray(use.read_bytes())
    at = command_at(content, LC.LC_RPATH)
    (size,) = struct.unpack_from("<I", content, at + 4)
    for number in range(60):
        struct.pack_into("<I", content, at + number * size, 0x800000F0)
    wheel = WheelFiles({"tiny/libuse.dylib": bytes(content)}, tag=INTEL).write(tmp_path)
    findings = [finding for finding in verify(wheel).findings if finding.code is Code.LOAD_COMMANDS]
    assert [finding.message for finding in findings] == [
        "10 more of these", "load command 0x800000f0 is required and unknown to dyld",
    ]  # fmt: skip


def added(number: int, field: int, more: int) -> Change:
    """Add to a 32-bit field of a load command."""

    def change(content: bytearray) -> None:
        at = command_at(content, number) + field
        (value,) = struct.unpack_from("<I", content, at)
        struct.pack_into("<I", content, at, value + more)

    return change


@pytest.mark.parametrize(
    "change",
    [
        added(LC.LC_DYSYMTAB, 8, 1),  # ilocalsym
        added(LC.LC_DYSYMTAB, 12, 1),  # nlocalsym
        added(LC.LC_DYSYMTAB, 28, -1),  # nundefsym
    ],
)
@pytest.mark.parametrize("version", [(11, 0), (26, 0)])
def test_a_symbol_table_that_is_not_sorted_whole_is_refused_under_any_sdk(
    image: Image, change: Change, version: tuple[int, int]
) -> None:
    assert image.verified(sdk(*version), change) == {Code.LINKEDIT_LAYOUT: ERROR}

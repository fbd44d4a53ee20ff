"""The reader agrees with llvm-otool and macholib on real files, and bounds what lies."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

import pytest
from macholib.MachO import MachO

from tensorflow_macos_build.macho import image
from tensorflow_macos_build.macho.command_readers import MAXIMUM_COMMANDS_SIZE
from tensorflow_macos_build.macho.constants import LC, MH_BUNDLE, MH_DYLIB, MH_OBJECT
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tests.machos import TARGETS, llvm

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.machos import Toolchain

ARCHES = tuple(TARGETS)
BASE = "int base(void) { return 1; }"
USER = (
    "#include <stdlib.h>\nextern int base(void); int use(void) { free(malloc(9)); return base(); }"
)


def parse(path: Path) -> image.Image:
    return image.parse(Window.whole(path.read_bytes()))


@pytest.fixture(
    scope="module", params=[(arch, chained) for arch in ARCHES for chained in (False, True)]
)
def linked(toolchain: Toolchain, request: pytest.FixtureRequest) -> Path:
    arch, chained = request.param
    how = ["-fixup_chains" if chained else "-no_fixup_chains", "-rpath", "@loader_path/../lib"]
    base = toolchain.dylib("libbase.dylib", BASE, arch)
    other = toolchain.dylib("libother.dylib", "int other(void) { return 2; }", arch)
    return toolchain.dylib(
        "libuse.dylib", USER, arch, *how, base, "-reexport_library", other,
    )  # fmt: skip


def otool_fields(path: Path, command: str, field: str) -> list[str]:
    """Read one field of every load command of a kind from llvm-otool's listing."""
    values = []
    for block in re.split(r"^Load command \d+$", llvm("llvm-otool", "-l", path), flags=re.M)[1:]:
        if re.search(rf"^ *cmd {command}$", block, re.M):
            match = re.search(rf"^ *{field} (.+?)(?: \(offset \d+\))?$", block, re.M)
            assert match is not None
            values.append(match[1])
    return values


def test_load_commands_are_those_that_llvm_otool_lists(linked: Path) -> None:
    parsed = parse(linked)
    listed = re.findall(r"^ *cmd (\w+)$", llvm("llvm-otool", "-l", linked), re.M)
    names = [command.name for command in parsed.commands]
    assert [name if name in LC.__members__ else "" for name in listed] == [
        name if name in LC.__members__ else "" for name in names
    ]
    sizes = re.findall(r"^ *cmdsize (\d+)$", llvm("llvm-otool", "-l", linked), re.M)
    assert [command.size for command in parsed.commands] == [int(size) for size in sizes]


def test_names_versions_and_segments_are_those_that_llvm_otool_lists(linked: Path) -> None:
    parsed = parse(linked)
    assert [parsed.install_name] == otool_fields(linked, "LC_ID_DYLIB", "name")
    assert list(parsed.rpaths) == otool_fields(linked, "LC_RPATH", "path")
    loads = {LC.LC_LOAD_DYLIB: "LC_LOAD_DYLIB", LC.LC_REEXPORT_DYLIB: "LC_REEXPORT_DYLIB"}
    for number, name in loads.items():
        mine = [dylib.name for dylib in parsed.dylibs if dylib.command == number]
        assert mine == otool_fields(linked, name, "name")
        assert mine
    (minos,) = otool_fields(linked, "LC_BUILD_VERSION", "minos")
    (build,) = parsed.builds
    assert build.is_macos
    assert build.minos[:2] == tuple(map(int, minos.split(".")))
    assert [segment.name for segment in parsed.segments] == otool_fields(
        linked, "LC_SEGMENT_64", "segname"
    )
    assert [str(segment.fileoff) for segment in parsed.segments] == otool_fields(
        linked, "LC_SEGMENT_64", "fileoff"
    )


def test_ranges_of_linkedit_are_those_that_llvm_otool_lists(linked: Path) -> None:
    parsed = parse(linked)
    for data in parsed.linkedit:
        if data.name.startswith("LC_"):
            assert [str(data.offset)] == otool_fields(linked, data.name, "dataoff")
            assert [str(data.size)] == otool_fields(linked, data.name, "datasize")
    assert parsed.symbols is not None
    for field in ("symoff", "nsyms", "stroff", "strsize"):
        assert [str(getattr(parsed.symbols, field))] == otool_fields(linked, "LC_SYMTAB", field)
    (first,) = otool_fields(linked, "LC_DYSYMTAB", "iundefsym")
    (count,) = otool_fields(linked, "LC_DYSYMTAB", "nundefsym")
    assert parsed.symbols.undefined == (int(first), int(count))


def test_macholib_reads_the_same(linked: Path) -> None:
    parsed = parse(linked)
    (header,) = MachO(str(linked)).headers
    numbers = [load.cmd for load, _, _ in header.commands]
    assert [command.number for command in parsed.commands] == numbers
    names = [name.rstrip(b"\0").decode() for load, _, name in header.commands
             if load.cmd in (LC.LC_LOAD_DYLIB, LC.LC_REEXPORT_DYLIB)]  # fmt: skip
    assert [dylib.name for dylib in parsed.dylibs] == names
    assert (parsed.cputype, parsed.filetype) == (header.header.cputype, header.header.filetype)


def test_file_types_are_told_apart(toolchain: Toolchain) -> None:
    made = {
        MH_OBJECT: toolchain.object(BASE, "arm64"),
        MH_DYLIB: toolchain.dylib("liba.dylib", BASE, "arm64"),
        MH_BUNDLE: toolchain.bundle("a.so", BASE, "arm64"),
    }
    assert {number: parse(path).filetype for number, path in made.items()} == {
        number: number for number in made
    }


def patched(path: Path, form: str, offset: int, *values: int) -> Window:
    content = bytearray(path.read_bytes())
    struct.pack_into(form, content, offset, *values)
    return Window.whole(bytes(content))


def offset_of(path: Path, number: int) -> int:
    return next(command.offset for command in parse(path).commands if command.number == number)


LIES: list[tuple[str, Callable[[Path], Window]]] = [
    ("sizeofcmds", lambda path: patched(path, "<I", 20, 1 << 30)),
    ("more than any linker writes", lambda path: patched(path, "<I", 16, 1 << 30)),
    ("load command", lambda path: patched(path, "<I", 16, 500)),
    ("cmdsize is 0", lambda path: patched(path, "<I", 36, 0)),
    ("cmdsize", lambda path: patched(path, "<I", 36, 1 << 31)),
    ("symbol table", lambda path: patched(
        path, "<I", offset_of(path, LC.LC_SYMTAB) + 12, 0xFFFFFFFF)),
    ("string pool", lambda path: patched(
        path, "<I", offset_of(path, LC.LC_SYMTAB) + 16, 0xFFFFFFF0)),
    ("lc_str", lambda path: patched(path, "<I", offset_of(path, LC.LC_RPATH) + 8, 1 << 20)),
    ("segment", lambda path: patched(
        path, "<Q", offset_of(path, LC.LC_SEGMENT_64) + 40, 1 << 63)),
    ("no Mach-O", lambda path: Window.whole(b"\x7fELF")),
    ("mach_header", lambda path: Window.whole(path.read_bytes()[:20])),
    ("sizeofcmds", lambda path: Window.whole(path.read_bytes()[:200])),
]  # fmt: skip


@pytest.mark.parametrize(("what", "lie"), LIES)
def test_a_lie_is_refused_with_its_place(
    linked: Path, what: str, lie: Callable[[Path], Window]
) -> None:
    with pytest.raises(MalformedMachO, match=what) as caught:
        image.parse(lie(linked))
    assert caught.value.command
    assert caught.value.offset is not None


def test_big_endian_and_32_bit_headers_are_read() -> None:
    words = (0xFEEDFACE, 18, 0, 6, 1, 28, 0)
    rpath = struct.pack(">III", LC.LC_RPATH, 28, 12) + b"@loader_path\0\0\0\0"
    parsed = image.parse(Window.whole(struct.pack(">7I", *words) + rpath))
    assert (parsed.arch, parsed.is_64, parsed.rpaths) == ("ppc", False, ("@loader_path",))


@pytest.mark.parametrize(("endian", "form", "size"), [("<", "8I", 32), (">", "7I", 28)])
def test_the_end_of_the_load_commands_is_told_by_the_header_alone(
    endian: str, form: str, size: int
) -> None:
    magic = 0xFEEDFACF if form == "8I" else 0xFEEDFACE
    words = [magic, 7, 3, MH_BUNDLE, 1, 0x1234, 0, 0][: int(form[0])]
    header = struct.pack(endian + form, *words)
    assert image.commands_end(header) == size + 0x1234
    assert image.commands_end(header[:23]) is None
    assert image.commands_end(b"!<arch>\n" + bytes(24)) is None
    words[5] = 0xFFFFFFFF
    lie = image.commands_end(struct.pack(endian + form, *words))
    assert lie == size + MAXIMUM_COMMANDS_SIZE

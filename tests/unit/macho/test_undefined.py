"""Symbols agree with llvm-nm and llvm-objdump; tries are walked safely, whatever they hold."""

from __future__ import annotations

import re
import struct
import zlib
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.macho import bind_opcodes, export_trie, image, symbol_table
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol
from tensorflow_macos_build.macho.undefined import undefined_symbols
from tensorflow_macos_build.macho.window import Window
from tests.machos import TARGETS, llvm

if TYPE_CHECKING:
    from pathlib import Path

    from tests.machos import Toolchain

ARCHES = tuple(TARGETS)
BASE = """
int base(void) { return 1; }
int base_more(void) { return 2; }
int basement = 3;
__attribute__((weak)) int weakly(void) { return 4; }
__attribute__((visibility("hidden"))) int hidden(void) { return 5; }
"""
USER = """
int puts(const char *);
extern int base(void), python(void), weakly(void), basement;
extern int base_more(void) __attribute__((weak_import));
int use(void) {
  return base() + python() + weakly() + basement + (base_more ? base_more() : 0) + puts("x");
}
"""


def window(path: Path) -> Window:
    return Window.whole(path.read_bytes())


@pytest.fixture(
    scope="module", params=[(arch, chained) for arch in ARCHES for chained in (False, True)]
)
def pair(toolchain: Toolchain, request: pytest.FixtureRequest) -> tuple[Path, Path]:
    arch, chained = request.param
    how = ["-fixup_chains"] if chained else ["-no_fixup_chains"]
    base = toolchain.dylib("libbase.dylib", BASE, arch, *how)
    used = toolchain.dylib("libuse.dylib", USER, arch, *how, "-U", "_python", base)
    return base, used


def from_llvm_nm(path: Path, parsed: image.Image) -> dict[bytes, tuple[object, bool]]:
    """Read undefined symbols, their library and weakness from `llvm-nm -m`."""
    listed: dict[bytes, tuple[object, bool]] = {}
    line = r"\(undefined\) (weak )?external (\S+) \((?:from (\S+)|(dynamically looked up))\)"
    for weak, name, library, dynamic in re.findall(line, llvm("llvm-nm", "-m", path)):
        origin: object = SymbolOrigin.DYNAMIC_LOOKUP
        if not dynamic:
            stems = [dylib.name.rpartition("/")[2].partition(".")[0] for dylib in parsed.dylibs]
            origin = stems.index(library)
        listed[name.encode()] = (origin, bool(weak))
    return listed


def test_wanted_symbols_are_those_that_llvm_nm_lists(pair: tuple[Path, Path]) -> None:
    used = pair[1]
    parsed = image.parse(window(used))
    mine = {
        symbol.name: (symbol.origin, symbol.is_weak)
        for symbol in undefined_symbols(window(used), parsed)
    }
    nms = from_llvm_nm(used, parsed)
    # llvm-nm calls a reference to a weak definition weak too, and chained fixups bind it by name.
    assert mine.pop(b"_weakly") in ((0, False), (1, False), (SymbolOrigin.WEAK_LOOKUP, False))
    assert nms.pop(b"_weakly")[1]
    assert mine == {name: nms[name] for name in mine}
    assert {b"_base", b"_base_more", b"_python", b"_puts", b"_basement"} <= mine.keys()


def test_classic_binds_are_those_that_llvm_objdump_lists(toolchain: Toolchain) -> None:
    for arch in ARCHES:
        base = toolchain.dylib("libbase.dylib", BASE, arch, "-no_fixup_chains")
        flags = ("-no_fixup_chains", "-U", "_python")
        used = toolchain.dylib("libuse.dylib", USER, arch, *flags, base)
        parsed = image.parse(window(used))
        stems = [dylib.name.rpartition("/")[2].partition(".")[0] for dylib in parsed.dylibs]
        mine = {
            (symbol.name.decode(), stems[origin] if isinstance(origin, int) else "flat-namespace")
            for symbol in undefined_symbols(window(used), parsed)
            for origin in [symbol.origin]
        }
        listed = set()
        for stream in ("--bind", "--lazy-bind"):
            shown = llvm("llvm-objdump", "--macho", stream, used)
            line = r"^__\w+ .* (flat-namespace|lib\w+) +(\S+)(?: \(weak import\))?$"
            listed |= {(name, library) for library, name in re.findall(line, shown, re.M)}
        assert mine == listed
        assert ("_python", "flat-namespace") in mine


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (b"\xe0", "opcode 0xe0 is unknown"),
        (b"\x3c", "ordinal -4 has no meaning"),
        (b"\x40_name", "no NUL-terminated"),
        (b"\x20\xff", "ULEB128"),
        (b"\xc0\xff\xff", "ULEB128"),
    ],
)
def test_bind_opcodes_that_are_none_are_refused(opcodes: bytes, message: str) -> None:
    with pytest.raises(MalformedMachO, match=message):
        list(bind_opcodes.bound(Window.whole(opcodes), lazy=False))


def test_a_symbol_bound_a_million_times_is_given_once() -> None:
    # SET_SYMBOL, SET_DYLIB_ORDINAL_IMM 2, then DO_BIND_ULEB_TIMES_SKIPPING_ULEB and DO_BIND.
    opcodes = (
        b"\x41_x\x00\x12\xc0\xff\xff\xff\x7f\x08" + b"\x90" * 1_000_000 + b"\x00\x40_y\x00\x90"
    )
    assert list(bind_opcodes.bound(Window.whole(opcodes), lazy=False)) == [
        UndefinedSymbol(b"_x", 1, True)
    ]
    lazily = bind_opcodes.bound(Window.whole(opcodes), lazy=True)
    assert [symbol.name for symbol in lazily] == [b"_x", b"_y"]


def test_exports_are_those_that_llvm_objdump_lists(pair: tuple[Path, Path]) -> None:
    base = pair[0]
    parsed = image.parse(window(base))
    data = parsed.linkedit_range(*export_trie.TRIES)
    assert data is not None
    listed = llvm("llvm-objdump", "--macho", "--exports-trie", base)
    names = set(re.findall(r"^0x[0-9A-F]+ +(\S+)", listed, re.M))
    names_and_others = {
        *(name.encode() for name in names),
        b"_hidden",
        b"_bas",
        b"_base_mor",
        b"",
        b"_basex",
    }
    exports = export_trie.look_up(
        window(base).part(data.offset, data.size, "trie"), names_and_others
    )
    assert {name.decode() for name in exports} == names
    assert {"_base", "_base_more", "_basement", "_weakly"} <= names
    assert export_trie.has_trie(parsed)


def test_defined_symbols_are_those_that_llvm_nm_lists(pair: tuple[Path, Path]) -> None:
    base = pair[0]
    mine = set(symbol_table.defined(window(base), image.parse(window(base))))
    listed = llvm("llvm-nm", "-gU", "--defined-only", "-j", base).split()
    assert mine == {name.encode() for name in listed}


def test_a_flat_namespace_takes_symbols_from_anywhere(toolchain: Toolchain) -> None:
    base = toolchain.dylib("libbase.dylib", BASE, "x86_64")
    path = toolchain.dylib(
        "libflat.dylib", "extern int base(void); int f(void) { return base(); }",
        "x86_64", "-no_fixup_chains", base,
    )  # fmt: skip
    content = bytearray(path.read_bytes())
    (flags,) = struct.unpack_from("<I", content, 24)
    struct.pack_into("<I", content, 24, flags & ~0x80)  # MH_TWOLEVEL
    flat = Window.whole(bytes(content))
    assert {symbol.origin for symbol in undefined_symbols(flat, image.parse(flat))} == {
        SymbolOrigin.DYNAMIC_LOOKUP
    }


def chained(
    entries: bytes, number: int, count: int, names: bytes, packing: int = 0
) -> tuple[Window, image.Image]:
    """Write an image that is nothing but chained fixups."""
    pool = zlib.compress(names) if packing else names
    fixups = struct.pack("<7I", 0, 0, 28, 28 + len(entries), count, number, packing)
    fixups += entries + pool
    load = struct.pack("<6I", 0xC, 24, 23, 0, 0, 0)
    where = 32 + len(load) + 16
    command = struct.pack("<4I", 0x80000034, 16, where, len(fixups))
    header = struct.pack("<8I", 0xFEEDFACF, 0x0100000C, 0, 6, 2, len(load) + 16, 0x80, 0)
    content = Window.whole(header + load + command + fixups)
    return content, image.parse(content)


@pytest.mark.parametrize("packing", [0, 1])
def test_every_form_of_chained_imports_is_read(packing: int) -> None:
    ordinals = [1, 0, -1, -2, -3]
    origins: list[int | SymbolOrigin] = [
        0,
        SymbolOrigin.SELF,
        SymbolOrigin.MAIN_EXECUTABLE,
        SymbolOrigin.DYNAMIC_LOOKUP,
        SymbolOrigin.WEAK_LOOKUP,
    ]
    narrow = [ordinal & 0xFF | 1 << 8 | 3 << 9 for ordinal in ordinals]
    wide = [ordinal & 0xFFFF | 1 << 16 | 3 << 32 for ordinal in ordinals]
    forms = {
        1: b"".join(struct.pack("<I", entry) for entry in narrow),
        2: b"".join(struct.pack("<Ii", entry, -4) for entry in narrow),
        3: b"".join(struct.pack("<QQ", entry, 7) for entry in wide),
    }
    for number, entries in forms.items():
        content, parsed = chained(entries, number, len(ordinals), b"_a\0_b\0", packing)
        assert list(undefined_symbols(content, parsed)) == [
            UndefinedSymbol(b"_b", origin, True) for origin in origins
        ]


@pytest.mark.parametrize(
    ("entries", "number", "count"),
    [
        (struct.pack("<I", 2), 1, 1),  # library 2 of 1
        (struct.pack("<I", 0xF5), 1, 1),  # ordinal -11
        (struct.pack("<I", 1 | 500 << 9), 1, 1),  # name outside
        (struct.pack("<I", 1), 1, 1 << 30),
        (struct.pack("<I", 1), 9, 1),
    ],
)
def test_lying_chained_imports_are_refused(entries: bytes, number: int, count: int) -> None:
    content, parsed = chained(entries, number, count, b"_a\0")
    with pytest.raises(MalformedMachO):
        list(undefined_symbols(content, parsed))


def test_many_entries_that_share_a_long_name_are_refused() -> None:
    content, parsed = chained(struct.pack("<I", 1) * 5000, 1, 5000, b"_" * 100_000 + b"\0")
    with pytest.raises(MalformedMachO, match="longer than any linker writes"):
        list(undefined_symbols(content, parsed))


def test_compressed_names_are_bounded() -> None:
    content, parsed = chained(struct.pack("<I", 1), 1, 1, b"_" * 1000, packing=1)
    with pytest.raises(MalformedMachO):
        list(undefined_symbols(content, parsed))

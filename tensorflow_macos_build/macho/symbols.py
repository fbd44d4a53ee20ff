"""Symbols that an image wants from others, and what it gives: symbol tables, fixups, tries.

Sources: <mach-o/nlist.h>, <mach-o/fixup-chains.h>, and the trie's description in
<mach-o/loader.h> ("export_off"). Names are bytes as the file has them: with the underscore that
Mach-O puts before a C name.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    DYNAMIC_LOOKUP_ORDINAL,
    EXECUTABLE_ORDINAL,
    EXPORT_SYMBOL_FLAGS_REEXPORT,
    N_EXT,
    N_PEXT,
    N_STAB,
    N_TYPE,
    N_UNDF,
    N_WEAK_REF,
    SELF_LIBRARY_ORDINAL,
    nlist_size,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import SymbolTable

MAXIMUM_NAMES = 1 << 28
"""Bytes of all names read from one table beyond which it is refused: entries that share one long
string would otherwise make a small file cost time without end."""

TRIES = ("LC_DYLD_EXPORTS_TRIE", "export")
"""What the range that holds the export trie is called in `Image.data`."""

_FIXUPS_HEADER = struct.Struct("<7I")
_IMPORT = struct.Struct("<I")
_IMPORT_ADDEND = struct.Struct("<Ii")
_IMPORT_ADDEND64 = struct.Struct("<QQ")
_FORMATS = {1: _IMPORT, 2: _IMPORT_ADDEND, 3: _IMPORT_ADDEND64}


class Origin(Enum):
    """Where a two-level namespace says that a symbol comes from, when it names no library."""

    SELF = "the image itself"
    MAIN_EXECUTABLE = "the main executable"
    DYNAMIC_LOOKUP = "any image (dynamic_lookup)"
    WEAK_LOOKUP = "any image that defines it weakly"


@dataclass(frozen=True, slots=True)
class Wanted:
    """An undefined symbol.

    Attributes:
        name: as the file has it.
        origin: the index in `Image.dylibs` of the library it must come from, or another origin.
        is_weak: whether dyld goes on when it is missing.
    """

    name: bytes
    origin: int | Origin
    is_weak: bool


def wanted(file: Window, image: Image) -> Iterator[Wanted]:
    """Return what an image needs from others, in file order.

    It is the import table of chained fixups where there is one, else the undefined symbols. An
    image without a two-level namespace takes every symbol from any image.

    Raises:
        MalformedMachO: a table leaves its bounds, or an ordinal names no library.
    """
    fixups = image.linkedit_range("LC_DYLD_CHAINED_FIXUPS")
    if fixups is not None:
        table = file.part(fixups.offset, fixups.size, fixups.name)
        found = _guarded(_chained_imports(table), "LC_DYLD_CHAINED_FIXUPS", table.start)
    elif image.symbols is not None:
        found = _guarded(_undefined(file, image, image.symbols), "LC_SYMTAB", file.start)
    else:
        return
    for one in found:
        if isinstance(one.origin, int) and not image.is_two_level:
            yield Wanted(one.name, Origin.DYNAMIC_LOOKUP, one.is_weak)
        elif isinstance(one.origin, int) and one.origin >= len(image.dylibs):
            raise MalformedMachO(
                f"{one.name.decode('utf-8', 'replace')} names library {one.origin + 1} of"
                f" {len(image.dylibs)}",
                slice=image.arch,
            )
        else:
            yield one


def _guarded(found: Iterator[Wanted], command: str, offset: int) -> Iterator[Wanted]:
    total = 0
    try:
        for one in found:
            total += len(one.name)
            if total > MAXIMUM_NAMES:
                raise MalformedMachO("the names are longer than any linker writes", offset=offset)
            yield one
    except MalformedMachO as error:
        raise error.within(command=command) from None


def _undefined(file: Window, image: Image, table: SymbolTable) -> Iterator[Wanted]:
    first, count = table.undefined or (0, table.nsyms)
    pool = file.part(table.stroff, table.strsize, "string pool")
    for strx, kind, _, desc, _ in _entries(file, image, table, first, count):
        if kind & (N_STAB | N_TYPE) == N_UNDF and kind & N_EXT:
            ordinal = desc >> 8
            yield Wanted(pool.text(strx, "symbol name"), _origin(ordinal), bool(desc & N_WEAK_REF))


def _entries(
    file: Window, image: Image, table: SymbolTable, first: int, count: int
) -> Iterator[tuple[int, int, int, int, int]]:
    if first + count > table.nsyms:
        raise MalformedMachO(
            f"symbols {first} to {first + count} lie outside the table of {table.nsyms}",
            command="LC_DYSYMTAB",
            offset=file.start,
        )
    form = struct.Struct(image.endian + ("IBBHQ" if image.is_64 else "IBBHI"))
    size = nlist_size(image.is_64)
    area = file.part(table.symoff + first * size, count * size, "symbol table")
    for block in area.blocks(form.size << 12):
        yield from form.iter_unpack(block)


def _origin(ordinal: int) -> int | Origin:
    if ordinal == SELF_LIBRARY_ORDINAL:
        return Origin.SELF
    if ordinal == DYNAMIC_LOOKUP_ORDINAL:
        return Origin.DYNAMIC_LOOKUP
    return Origin.MAIN_EXECUTABLE if ordinal == EXECUTABLE_ORDINAL else ordinal - 1


def _chained_imports(table: Window) -> Iterator[Wanted]:
    _, _, imports, symbols, count, number, packing = table.unpack(
        _FIXUPS_HEADER, 0, "dyld_chained_fixups_header"
    )
    form = _FORMATS.get(number)
    if form is None or packing not in (0, 1):
        raise MalformedMachO(
            f"imports format {number} with symbols format {packing} is unknown", offset=table.start
        )
    entries = table.part(imports, count * form.size, "imports table")
    pool = table.part(symbols, len(table) - symbols, "imported symbol names")
    if packing == 1:
        pool = _inflated(pool)
    bits = (16, 1 + 15) if form is _IMPORT_ADDEND64 else (8, 1)
    for block in entries.blocks(form.size << 12):
        for packed, *_ in form.iter_unpack(block):
            ordinal = packed & ((1 << bits[0]) - 1)
            name = pool.text(packed >> sum(bits), "imported symbol name")
            yield Wanted(name, _chained_origin(ordinal, bits[0]), bool(packed >> bits[0] & 1))


def _inflated(pool: Window) -> Window:
    stream = zlib.decompressobj()
    try:
        names = stream.decompress(pool.copy(), MAXIMUM_NAMES)
    except zlib.error as error:
        raise MalformedMachO(f"imported symbol names: {error}", offset=pool.start) from None
    return Window.whole(names)


def _chained_origin(ordinal: int, bits: int) -> int | Origin:
    """Read an ordinal as dyld does: the highest 15 of its range are negative numbers."""
    signed = ordinal - (1 << bits) if ordinal > (1 << bits) - 16 else ordinal
    match signed:
        case 0:
            return Origin.SELF
        case -1:
            return Origin.MAIN_EXECUTABLE
        case -2:
            return Origin.DYNAMIC_LOOKUP
        case -3:
            return Origin.WEAK_LOOKUP
        case _ if signed > 0:
            return signed - 1
        case _:
            raise MalformedMachO(f"library ordinal {signed} has no meaning")


@dataclass(frozen=True, slots=True)
class Export:
    """A symbol that an image gives.

    Attributes:
        forwarded: when another library really has it: the index in `Image.dylibs`, and the
            symbol's name there.
    """

    forwarded: tuple[int, bytes] | None = None


def has_trie(image: Image) -> bool:
    """Whether an image lists its exports in a trie, be it an empty one."""
    return any(one.name in TRIES for one in image.linkedit)


def defined(file: Window, image: Image) -> Iterator[bytes]:
    """Return the external symbols that an image defines: its exports, where it has no trie.

    Raises:
        MalformedMachO: a table leaves its bounds.
    """
    table = image.symbols
    if table is None:
        return
    first, count = table.defined or (0, table.nsyms)
    pool = file.part(table.stroff, table.strsize, "string pool")
    for strx, kind, _, _, _ in _entries(file, image, table, first, count):
        if not kind & (N_STAB | N_PEXT) and kind & N_EXT and kind & N_TYPE != N_UNDF:
            yield pool.text(strx, "symbol name")


def find(trie: Window, names: Iterable[bytes]) -> dict[bytes, Export]:
    """Look names up in an export trie, all in one walk; what it does not have is left out.

    The trie is what dyld reads. Only the nodes on the way to a name are visited, so that asking a
    library of 350,000 exports for a few costs little; libraries that the image re-exports whole
    are not in it.

    Raises:
        MalformedMachO: a node leaves the trie, or it has a cycle.
    """
    asked = sorted(set(names))
    pending = [(0, 0, asked)] if asked else []
    # In a sound trie a step goes on in a name or takes an edge without label, never two of these.
    steps = 2 * sum(len(name) + 1 for name in asked)
    found: dict[bytes, Export] = {}
    while pending:
        steps -= 1
        if steps < 0:
            raise MalformedMachO("the trie has a cycle", offset=trie.start)
        node, depth, group = pending.pop()
        terminal, at = _uleb(trie, node)
        if terminal and len(group[0]) == depth:
            found[group[0]] = _export(trie.part(at, terminal, "trie node"))
        pending += _children(trie, at + terminal, depth, group)
    return found


def _children(
    trie: Window, at: int, depth: int, group: list[bytes]
) -> Iterator[tuple[int, int, list[bytes]]]:
    """Return the nodes below one, each with the names of `group` (sorted) that lead there.

    An edge may have no label: ld64 made such ones where a name is the beginning of others.
    """
    first: dict[int, list[bytes]] = {}
    for name in group:
        if len(name) > depth:
            first.setdefault(name[depth], []).append(name)
    count = trie.part(at, 1, "trie node").copy()[0]
    at += 1
    for _ in range(count):
        label = trie.text(at, "trie edge")
        at += len(label) + 1
        child, at = _uleb(trie, at)
        if not label:
            yield child, depth, group
        elif below := [name for name in first.get(label[0], ()) if name.startswith(label, depth)]:
            yield child, depth + len(label), below


def _export(node: Window) -> Export:
    flags, at = _uleb(node, 0)
    if not flags & EXPORT_SYMBOL_FLAGS_REEXPORT:
        return Export()
    ordinal, at = _uleb(node, at)
    return Export((ordinal - 1, node.text(at, "re-exported name")))


def _uleb(area: Window, at: int) -> tuple[int, int]:
    """Read an unsigned LEB128 number of at most 64 bits; give it and the offset after it."""
    begin = area.start + at
    value = 0
    for index, byte in enumerate(
        area.buffer[area.start + at : min(area.start + at + 10, area.end)]
    ):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise MalformedMachO("a ULEB128 number does not end", offset=begin)

"""Chained fixups: the table of the symbols that dyld binds an image's pointers to.

The chains themselves, which say which pointer is bound to which import, are not walked.
Source: <mach-o/fixup-chains.h>.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

MAXIMUM_NAMES = 1 << 28
"""Bytes of all names of one table beyond which it is refused: entries that share one long string
would otherwise make a small file cost time without end."""

# Little-endian: no big-endian Mac was left when chained fixups came (macOS 11).
_FIXUPS_HEADER = struct.Struct("<7I")
_IMPORT = struct.Struct("<I")
_IMPORT_ADDEND = struct.Struct("<Ii")
_IMPORT_ADDEND64 = struct.Struct("<QQ")
_FORMATS = {1: _IMPORT, 2: _IMPORT_ADDEND, 3: _IMPORT_ADDEND64}
"""DYLD_CHAINED_IMPORT…; the first number of each is three bit fields, from the lowest bit on:
library ordinal, whether it is weak (with unused bits in the wide form), offset of the name."""


def imports(table: Window) -> Iterator[UndefinedSymbol]:
    """Return the symbols that the fixups of an image bind to, in file order.

    Args:
        table: the range that LC_DYLD_CHAINED_FIXUPS names.

    Raises:
        MalformedMachO: a table leaves its bounds, or is of an unknown form.
    """
    _, _, imports_offset, symbols_offset, count, number, packing = table.unpack(
        _FIXUPS_HEADER, 0, "dyld_chained_fixups_header"
    )
    form = _FORMATS.get(number)
    if form is None or packing not in (0, 1):
        raise MalformedMachO(
            f"imports format {number} with symbols format {packing} is unknown", offset=table.start
        )
    entries = table.part(imports_offset, count * form.size, "imports table")
    pool = table.part(symbols_offset, len(table) - symbols_offset, "imported symbol names")
    if packing == 1:  # zlib; 0: as they are
        pool = _inflated(pool)
    ordinal_bits, name_shift = (16, 32) if form is _IMPORT_ADDEND64 else (8, 9)
    for block in entries.blocks(form.size << 12):
        for packed, *_ in form.iter_unpack(block):
            origin = _origin(packed & ((1 << ordinal_bits) - 1), ordinal_bits)
            name = pool.text(packed >> name_shift, "imported symbol name")
            yield UndefinedSymbol(name, origin, bool(packed >> ordinal_bits & 1))


def _inflated(pool: Window) -> Window:
    stream = zlib.decompressobj()
    try:
        # Bounded: a few kilobytes of zlib may hold gigabytes.
        names = stream.decompress(pool.copy(), MAXIMUM_NAMES)
    except zlib.error as error:
        raise MalformedMachO(f"imported symbol names: {error}", offset=pool.start) from None
    return Window.whole(names)


def _origin(ordinal: int, bits: int) -> int | SymbolOrigin:
    """Read an ordinal as dyld does: the highest 15 of its range are negative numbers.

    These are BIND_SPECIAL_DYLIB_… of <mach-o/loader.h>.
    """
    signed = ordinal - (1 << bits) if ordinal > (1 << bits) - 16 else ordinal
    match signed:
        case 0:
            return SymbolOrigin.SELF
        case -1:
            return SymbolOrigin.MAIN_EXECUTABLE
        case -2:
            return SymbolOrigin.DYNAMIC_LOOKUP
        case -3:
            return SymbolOrigin.WEAK_LOOKUP
        case _ if signed > 0:
            return signed - 1
        case _:
            raise MalformedMachO(f"library ordinal {signed} has no meaning")

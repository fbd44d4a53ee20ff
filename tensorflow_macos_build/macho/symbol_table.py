"""The symbol table of an image: what it lacks, and what it defines.

Source: <mach-o/nlist.h>; `dysymtab_command` of <mach-o/loader.h> for how the table is sorted.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    DYNAMIC_LOOKUP_ORDINAL,
    EXECUTABLE_ORDINAL,
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
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import SymbolTable
    from tensorflow_macos_build.macho.window import Window


def undefined(file: Window, image: Image, table: SymbolTable) -> Iterator[UndefinedSymbol]:
    """Return the undefined symbols of a table, in file order.

    Raises:
        MalformedMachO: a table leaves its bounds.
    """
    # Without LC_DYSYMTAB the table is not sorted into ranges: all of it is looked at.
    first, count = table.undefined or (0, table.nsyms)
    pool = file.part(table.stroff, table.strsize, "string pool")
    for strx, kind, _, desc, _ in _entries(file, image, table, first, count):
        if kind & (N_STAB | N_TYPE) == N_UNDF and kind & N_EXT:
            ordinal = desc >> 8  # GET_LIBRARY_ORDINAL; the low byte holds flags
            is_weak = bool(desc & N_WEAK_REF)
            yield UndefinedSymbol(pool.text(strx, "symbol name"), _origin(ordinal), is_weak)


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
        # N_STAB entries are for debuggers; N_PEXT was global in an object, and hidden by the link.
        if not kind & (N_STAB | N_PEXT) and kind & N_EXT and kind & N_TYPE != N_UNDF:
            yield pool.text(strx, "symbol name")


def _entries(
    file: Window, image: Image, table: SymbolTable, first: int, count: int
) -> Iterator[tuple[int, int, int, int, int]]:
    if first + count > table.nsyms:
        raise MalformedMachO(
            f"symbols {first} to {first + count} lie outside the table of {table.nsyms}",
            command="LC_DYSYMTAB",
            offset=file.start,
        )
    # n_strx, n_type, n_sect, n_desc, n_value
    form = struct.Struct(image.endian + ("IBBHQ" if image.is_64 else "IBBHI"))
    size = nlist_size(image.is_64)
    area = file.part(table.symoff + first * size, count * size, "symbol table")
    for block in area.blocks(form.size << 12):
        yield from form.iter_unpack(block)


def _origin(ordinal: int) -> int | SymbolOrigin:
    if ordinal == SELF_LIBRARY_ORDINAL:
        return SymbolOrigin.SELF
    if ordinal == DYNAMIC_LOOKUP_ORDINAL:
        return SymbolOrigin.DYNAMIC_LOOKUP
    return SymbolOrigin.MAIN_EXECUTABLE if ordinal == EXECUTABLE_ORDINAL else ordinal - 1

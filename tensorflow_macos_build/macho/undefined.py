"""What an image needs from others, wherever it says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import bind_opcodes, chained_fixups, symbol_table
from tensorflow_macos_build.macho.chained_fixups import MAXIMUM_NAMES
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.window import Window


FIXUPS = "LC_DYLD_CHAINED_FIXUPS"
"""What the range that holds the import table of chained fixups is called in `Image.linkedit`."""


def undefined_symbols(file: Window, image: Image) -> Iterator[UndefinedSymbol]:
    """Return what an image needs from others, in file order.

    It is what dyld reads: the import table of chained fixups where there is one, else what bind
    opcodes bind, and in images older than those (Mac OS X 10.6) the undefined symbols. An image
    without a two-level namespace takes every symbol from any image.

    Raises:
        MalformedMachO: a table leaves its bounds, or an ordinal names no library.
    """
    for symbol in _listed(file, image):
        if isinstance(symbol.origin, int) and not image.is_two_level:
            yield UndefinedSymbol(symbol.name, SymbolOrigin.DYNAMIC_LOOKUP, symbol.is_weak)
        elif isinstance(symbol.origin, int) and symbol.origin >= len(image.dylibs):
            raise MalformedMachO(
                f"{symbol.name.decode('utf-8', 'replace')} names library {symbol.origin + 1} of"
                f" {len(image.dylibs)}",
                slice=image.arch,
            )
        else:
            yield symbol


def from_symbol_table(image: Image) -> bool:
    """Whether dyld learns what an image needs from its symbol table, for lack of a newer one."""
    chained = image.linkedit_range(FIXUPS) is not None
    return not chained and all(entry.name not in bind_opcodes.STREAMS for entry in image.linkedit)


def _listed(file: Window, image: Image) -> Iterator[UndefinedSymbol]:
    fixups = image.linkedit_range(FIXUPS)
    if fixups is not None:
        # Not the symbol table, though it lists them too: dyld does not read that.
        table = file.part(fixups.offset, fixups.size, fixups.name)
        yield from _bounded(chained_fixups.imports(table), fixups.name, table.start)
    elif not from_symbol_table(image):
        for name in bind_opcodes.STREAMS:
            if (stream := image.linkedit_range(name)) is not None:
                part = file.part(stream.offset, stream.size, stream.name)
                symbols = bind_opcodes.bound(part, lazy=name == "lazy bind")
                yield from _bounded(symbols, name, part.start)
    elif image.symbols is not None:
        symbols = symbol_table.undefined(file, image, image.symbols)
        yield from _bounded(symbols, "LC_SYMTAB", file.start)


def _bounded(
    symbols: Iterator[UndefinedSymbol], command: str, offset: int
) -> Iterator[UndefinedSymbol]:
    total = 0
    try:
        for symbol in symbols:
            total += len(symbol.name)
            if total > MAXIMUM_NAMES:
                raise MalformedMachO("the names are longer than any linker writes", offset=offset)
            yield symbol
    except MalformedMachO as error:
        raise error.within(command=command) from None

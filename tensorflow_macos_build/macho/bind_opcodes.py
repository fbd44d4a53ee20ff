"""Bind opcodes: which symbols dyld binds in an image of before chained fixups, and from where.

The addresses that are bound are not followed: each symbol is given once for a library, however
often it is bound. Source: BIND_OPCODE_… of <mach-o/loader.h>; `forEachBind…` in dyld-1378,
mach_o/BindOpcodes.cpp.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.export_trie import uleb
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.window import Window

STREAMS = ("bind", "lazy bind")
"""The ranges of LC_DYLD_INFO that are read here. Not "weak bind": what it binds the image defines
itself, or binds by one of these two as well."""

# <mach-o/loader.h>: the high four bits of a byte are the opcode, the low ones its immediate.
_DONE = 0x00
_SET_DYLIB_ORDINAL_IMM = 0x10
_SET_DYLIB_ORDINAL_ULEB = 0x20
_SET_DYLIB_SPECIAL_IMM = 0x30
_SET_SYMBOL_TRAILING_FLAGS_IMM = 0x40
_SET_ADDEND_SLEB = 0x60
_SET_SEGMENT_AND_OFFSET_ULEB = 0x70
_ADD_ADDR_ULEB = 0x80
_DO_BIND_ADD_ADDR_ULEB = 0xA0
_DO_BIND_ULEB_TIMES_SKIPPING_ULEB = 0xC0
_THREADED = 0xD0

_NUMBERS = {
    # A signed LEB128 ends where an unsigned one would, and its value is of no account here.
    _SET_ADDEND_SLEB: 1,
    _SET_SEGMENT_AND_OFFSET_ULEB: 1,
    _ADD_ADDR_ULEB: 1,
    _DO_BIND_ADD_ADDR_ULEB: 1,
    _DO_BIND_ULEB_TIMES_SKIPPING_ULEB: 2,
}
"""How many LEB128 numbers follow an opcode whose numbers only say where to bind."""

_NUMBER = rb"[\x80-\xff]{0,9}[\x00-\x7f]"
_PLACES = (
    # DO_BIND, …_IMM_SCALED | …_ADD_ADDR_ULEB | …_ULEB_TIMES_SKIPPING_ULEB: ld64 binds weak
    # definitions to the image itself, which is nothing that it needs from others.
    rb"(?:([\x90-\x9f\xb0-\xbf]|[\xa0-\xaf]%b|[\xc0-\xcf]%b%b)"
    # SET_TYPE_IMM | SET_ADDEND_SLEB, SET_SEGMENT_AND_OFFSET_ULEB, ADD_ADDR_ULEB; at most so many at
    # a time, for the pattern's memory grows with them
    rb"|[\x50-\x5f%%b]|[\x60-\x8f]%b){%%d,256}" % ((_NUMBER,) * 4)
)
"""Opcodes that say where to bind, and bind; the group is there where one of them binds."""

_SYMBOL = rb"([\x10-\x1f]?)([\x40-\x4f])([^\x00]*)\x00"
"""SET_DYLIB_ORDINAL_IMM, which may be missing, and SET_SYMBOL_TRAILING_FLAGS_IMM with its name."""


def _patterns(ignored: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches a symbol and where it is bound, and what matches places alone."""
    return re.compile(_SYMBOL + _PLACES % (ignored, 0)), re.compile(_PLACES % (ignored, 1))


# DONE is one more opcode of no account where it ends a symbol only.
_BINDING, _LAZY_BINDING = _patterns(b""), _patterns(b"\\x00-\\x0f")

_ORDINALS = frozenset({_SET_DYLIB_ORDINAL_IMM, _SET_DYLIB_ORDINAL_ULEB, _SET_DYLIB_SPECIAL_IMM})

_WEAK_IMPORT = 0x1  # BIND_SYMBOL_FLAGS_WEAK_IMPORT
_SPECIAL = {
    0: SymbolOrigin.SELF,
    0xF: SymbolOrigin.MAIN_EXECUTABLE,
    0xE: SymbolOrigin.DYNAMIC_LOOKUP,
    0xD: SymbolOrigin.WEAK_LOOKUP,
}
"""BIND_SPECIAL_DYLIB_…: 0 to -3, of which four bits are written."""


def bound(stream: Window, *, lazy: bool) -> Iterator[UndefinedSymbol]:
    """Return the symbols that a stream binds to other images, each once for a library.

    Args:
        stream: the range.
        lazy: whether it is "lazy bind", in which DONE ends a symbol and not the stream.

    Raises:
        MalformedMachO: an opcode is unknown, or reaches outside of the stream.
    """
    seen: set[tuple[bytes, int | SymbolOrigin, bool]] = set()
    name, weak, at, end = b"", False, 0, len(stream)
    origin: int | SymbolOrigin = SymbolOrigin.SELF
    # One copy: asking the window for each byte took ten times as long.
    content = stream.copy()
    symbols, places = _LAZY_BINDING if lazy else _BINDING
    while at < end:
        # As linkers write a stream, two matches take a symbol with all that is said of it.
        if run := symbols.match(content, at):
            ordinal, flags, name, binds = run.groups()
            weak = bool(flags[0] & _WEAK_IMPORT)
            if ordinal:
                origin, _ = _origin(stream, at + 1, _SET_DYLIB_ORDINAL_IMM, ordinal[0] & 0x0F)
        elif run := places.match(content, at):
            binds = run[1]
        if run:
            at = run.end()
            binding = (name, origin, weak)
            if binds and origin is not SymbolOrigin.SELF and binding not in seen:
                seen.add(binding)
                yield UndefinedSymbol(*binding)
            continue
        opcode, immediate = content[at] & 0xF0, content[at] & 0x0F
        at += 1
        if opcode in _ORDINALS:
            origin, at = _origin(stream, at, opcode, immediate)
        elif opcode == _DONE:
            return
        else:
            at = _passed_over(stream, at, opcode, immediate)


def _passed_over(stream: Window, at: int, opcode: int, immediate: int) -> int:
    """Return the offset after an opcode that no pattern has taken, and its numbers."""
    if opcode == _SET_SYMBOL_TRAILING_FLAGS_IMM:
        # Its name does not end: this says so.
        return at + len(stream.text(at, "bound symbol's name")) + 1
    if opcode not in _NUMBERS and opcode != _THREADED:
        raise MalformedMachO(f"bind opcode {opcode:#x} is unknown", offset=stream.start + at - 1)
    # `_PLACES` has not taken the first of these, so one of its numbers does not end. Of the other
    # BIND_SUBOPCODE_THREADED_SET_BIND_ORDINAL_TABLE_SIZE_ULEB has a number.
    for _ in range(_NUMBERS.get(opcode, int(immediate == 0))):
        _, at = uleb(stream, at)
    return at


def _origin(stream: Window, at: int, opcode: int, immediate: int) -> tuple[int | SymbolOrigin, int]:
    """Return where an opcode says that symbols come from, and the offset after it."""
    if opcode == _SET_DYLIB_SPECIAL_IMM:
        if immediate not in _SPECIAL:
            message = f"library ordinal {immediate - 16} has no meaning"
            raise MalformedMachO(message, offset=stream.start + at - 1)
        return _SPECIAL[immediate], at
    ordinal = immediate
    if opcode == _SET_DYLIB_ORDINAL_ULEB:
        ordinal, at = uleb(stream, at)
    return (ordinal - 1 if ordinal else SymbolOrigin.SELF), at

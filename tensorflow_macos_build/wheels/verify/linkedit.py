"""What dyld refuses in __LINKEDIT: tables that are misaligned, overlap, or contradict each other.

Source: `validStructureLinkedit` in dyld-1378, mach_o/Image.cpp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import LC
from tensorflow_macos_build.wheels.verify.epochs import Epoch, dated
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import LinkeditRange

_UNREAD = frozenset({"LC_DYLIB_CODE_SIGN_DRS", "LC_LINKER_OPTIMIZATION_HINT"})
"""Tables for other tools: dyld does not look at them."""

_RELOCATIONS = ("local relocations", "external relocations")


def check(image: Image) -> Iterator[Finding]:
    """Return what dyld refuses in __LINKEDIT of an image that it is to load."""
    tables = [table for table in image.linkedit if table.size and table.name not in _UNREAD]
    for table in tables:
        if table.offset % table.align:
            yield _misaligned(image, table)
    for message in (*_layout(image, tables), *_fixups(image)):
        yield dated(Code.LINKEDIT_LAYOUT, message, image, Epoch.FALL_2018)
    # No policy of an SDK lets these pass.
    yield from (Finding(Code.LINKEDIT_LAYOUT, message) for message in _symbols(image))


def _misaligned(image: Image, table: LinkeditRange) -> Finding:
    remainder = table.offset % table.align
    message = f"{table.name} at {table.offset:#x}: {remainder} modulo {table.align}"
    if table.name == "string pool":
        # dyld-1378 asks for no alignment of it; macOS 27's does (pages/string-pool-alignment.md).
        return Finding(Code.STRING_POOL_ALIGNMENT, message)
    # "relax code sig alignment for pre iOS 13", which is macOS 10.15.
    signature = table.name == "LC_CODE_SIGNATURE"
    since = Epoch.FALL_2019 if signature else Epoch.FALL_2018
    return dated(Code.LINKEDIT_ALIGNMENT, message, image, since)


def _layout(image: Image, tables: list[LinkeditRange]) -> Iterator[str]:
    linkedit = next((seg for seg in image.segments if seg.name == "__LINKEDIT"), None)
    if linkedit is None:
        return
    end, before = linkedit.fileoff, "the start of __LINKEDIT"
    for table in sorted(tables, key=lambda table: table.offset):
        if table.offset < end:
            yield f"{table.name} at {table.offset:#x} overlaps {before}"
        if table.offset + table.size > linkedit.fileoff + linkedit.filesize:
            yield f"{table.name} ends beyond __LINKEDIT"
        end, before = table.offset + table.size, table.name


def _fixups(image: Image) -> Iterator[str]:
    # Only LC_DYLD_INFO_ONLY excludes the older relocations; LC_DYLD_INFO may stand beside them.
    commands = {command.number for command in image.commands}
    opcodes = LC.LC_DYLD_INFO_ONLY in commands
    chained = LC.LC_DYLD_CHAINED_FIXUPS in commands
    if opcodes and chained:
        yield "LC_DYLD_INFO_ONLY and LC_DYLD_CHAINED_FIXUPS in one image"
    if (opcodes or chained) and image.linkedit_range(*_RELOCATIONS):
        yield "relocations beside fixups for dyld"


def _symbols(image: Image) -> Iterator[str]:
    """Yield where LC_DYSYMTAB does not sort the whole symbol table into three ranges in a row."""
    table = image.symbols
    if table is None or table.local is None or table.defined is None or table.undefined is None:
        return
    at = 0
    ranges = {"local": table.local, "defined": table.defined, "undefined": table.undefined}
    for name, (first, number) in ranges.items():
        if first != at:
            yield f"LC_DYSYMTAB has the {name} symbols begin at {first}, not at {at}"
            return
        at += number
    if at != table.nsyms:
        yield f"LC_DYSYMTAB sorts {at} symbols, and LC_SYMTAB has {table.nsyms}"

"""Load commands read into values: one reader for each kind that this package understands.

Source: <mach-o/loader.h>; each reader's structure has its C name in the text of its errors.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    LC,
    PLATFORM_IOS,
    PLATFORM_MACOS,
    PLATFORM_TVOS,
    PLATFORM_WATCHOS,
    command_name,
    nlist_size,
)
from tensorflow_macos_build.macho.load_commands import (
    BuildVersion,
    Dylib,
    LinkeditRange,
    LoadCommand,
    Segment,
    SymbolTable,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.macho.window import Window

MAXIMUM_COMMANDS_SIZE = 16 << 20
"""Bytes of load commands beyond which a file is refused; TensorFlow's largest has 8 KiB."""

MAXIMUM_COMMANDS = 1 << 14
"""Load commands beyond which a file is refused."""

_LOADS = frozenset(
    {
        LC.LC_LOAD_DYLIB,
        LC.LC_LOAD_WEAK_DYLIB,
        LC.LC_REEXPORT_DYLIB,
        LC.LC_LOAD_UPWARD_DYLIB,
        LC.LC_LAZY_LOAD_DYLIB,
    }
)
"""The commands that take a place in the numbering of two-level namespace ordinals."""

_VERSION_MIN = {
    LC.LC_VERSION_MIN_MACOSX: PLATFORM_MACOS,
    LC.LC_VERSION_MIN_IPHONEOS: PLATFORM_IOS,
    LC.LC_VERSION_MIN_TVOS: PLATFORM_TVOS,
    LC.LC_VERSION_MIN_WATCHOS: PLATFORM_WATCHOS,
}
"""The commands that named platform and version before LC_BUILD_VERSION came, one a platform."""

_LINKEDIT_DATA = frozenset(
    {
        LC.LC_CODE_SIGNATURE,
        LC.LC_SEGMENT_SPLIT_INFO,
        LC.LC_FUNCTION_STARTS,
        LC.LC_DATA_IN_CODE,
        LC.LC_DYLIB_CODE_SIGN_DRS,
        LC.LC_LINKER_OPTIMIZATION_HINT,
        LC.LC_DYLD_EXPORTS_TRIE,
        LC.LC_DYLD_CHAINED_FIXUPS,
    }
)
"""The commands that are a linkedit_data_command: offset and size of a range of __LINKEDIT."""


@dataclass
class CommandContents:
    """What the load commands read so far say; `Image` tells what each attribute means."""

    endian: str
    is_64: bool
    commands: list[LoadCommand] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    install_name: str | None = None
    dylibs: list[Dylib] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    builds: list[BuildVersion] = field(default_factory=list)
    linkedit: list[LinkeditRange] = field(default_factory=list)
    symtab: tuple[int, int, int, int] | None = None
    undefined: tuple[int, int] | None = None
    defined: tuple[int, int] | None = None
    local: tuple[int, int] | None = None

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer, to which most of __LINKEDIT is aligned."""
        return 8 if self.is_64 else 4

    @property
    def symbols(self) -> SymbolTable | None:
        """The symbol table; LC_DYSYMTAB, which says what is where in it, may come before it."""
        if self.symtab is None:
            return None
        return SymbolTable(*self.symtab, self.undefined, self.defined, self.local)

    def struct(self, form: str) -> struct.Struct:
        """Return a structure in the image's byte order."""
        return struct.Struct(self.endian + form)


def read_commands(file: Window, area: Window, count: int, contents: CommandContents) -> None:
    """Read `count` load commands that fill `area` of `file` into `contents`.

    Raises:
        MalformedMachO: a size or offset leaves its bounds.
    """
    if count > MAXIMUM_COMMANDS or len(area) > MAXIMUM_COMMANDS_SIZE:
        raise MalformedMachO(
            f"{count} load commands of {len(area)} bytes are more than any linker writes",
            offset=file.start,
        )
    prefix = contents.struct("II")
    at = 0
    for _ in range(count):
        number, size = area.unpack(prefix, at, "load command")
        if size < prefix.size:  # the next command would be this one again
            raise MalformedMachO(
                f"cmdsize is {size}", command=command_name(number), offset=area.start + at
            )
        try:
            body = area.part(at, size, "cmdsize")
            contents.commands.append(LoadCommand(number, body.start - file.start, size))
            if number in _READERS:
                _READERS[number](file, body, contents)
        except MalformedMachO as error:
            raise error.within(command=command_name(number)) from None
        at += size


def _segment(file: Window, body: Window, contents: CommandContents) -> None:
    form = contents.struct("16s4Q4x3I" if contents.is_64 else "16s4I4x3I")
    # `4x` is maxprot: dyld judges initprot alone.
    name, *numbers = body.unpack(form, 8, "segment_command")
    segment = Segment(_decode(name.rstrip(b"\0")), *numbers)
    file.part(segment.fileoff, segment.filesize, "the segment's contents")
    contents.segments.append(segment)


def _dylib(_: Window, body: Window, contents: CommandContents) -> None:
    number, name = _named(body, contents)
    if number == LC.LC_ID_DYLIB:
        contents.install_name = name
    else:
        contents.dylibs.append(Dylib(number, name))


def _rpath(_: Window, body: Window, contents: CommandContents) -> None:
    contents.rpaths.append(_named(body, contents)[1])


def _named(body: Window, contents: CommandContents) -> tuple[int, str]:
    # dylib_command goes on with a timestamp and two versions, which nothing here needs.
    number, _, offset = body.unpack(contents.struct("III"), 0, "lc_str")
    # Apple's tools end the string with NULs that fill the command; a name that fills it is legal.
    tail = body.part(offset, len(body) - offset, "lc_str").copy()
    return number, _decode(tail.partition(b"\0")[0])


def _build_version(_: Window, body: Window, contents: CommandContents) -> None:
    form = contents.struct("III")
    platform, minos, sdk = body.unpack(form, 8, "build_version_command")
    contents.builds.append(BuildVersion(platform, _version(minos), _version(sdk)))


def _version_min(_: Window, body: Window, contents: CommandContents) -> None:
    form = contents.struct("IIII")
    number, _, minos, sdk = body.unpack(form, 0, "version_min_command")
    contents.builds.append(BuildVersion(_VERSION_MIN[LC(number)], _version(minos), _version(sdk)))


def _symtab(file: Window, body: Window, contents: CommandContents) -> None:
    symtab = body.unpack(contents.struct("IIII"), 8, "symtab_command")
    symoff, nsyms, stroff, strsize = symtab
    _add(file, contents, "symbol table", symoff, nsyms * nlist_size(contents.is_64))
    _add(file, contents, "string pool", stroff, strsize)
    contents.symtab = (symoff, nsyms, stroff, strsize)


def _dysymtab(file: Window, body: Window, contents: CommandContents) -> None:
    words = body.unpack(contents.struct("18I"), 8, "dysymtab_command")
    ilocalsym, nlocalsym, iextdefsym, nextdefsym, iundefsym, nundefsym = words[:6]
    indirectsymoff, nindirectsyms = words[12:14]
    extreloff, nextrel, locreloff, nlocrel = words[14:18]
    # Indirect symbols are 32-bit indexes into the symbol table, of 64-bit images too; a
    # relocation_info (<mach-o/reloc.h>) has 8 bytes.
    _add(file, contents, "indirect symbol table", indirectsymoff, nindirectsyms * 4, align=4)
    _add(file, contents, "external relocations", extreloff, nextrel * 8)
    _add(file, contents, "local relocations", locreloff, nlocrel * 8)
    contents.undefined = (iundefsym, nundefsym)
    contents.defined = (iextdefsym, nextdefsym)
    contents.local = (ilocalsym, nlocalsym)


def _dyld_info(file: Window, body: Window, contents: CommandContents) -> None:
    words = body.unpack(contents.struct("10I"), 8, "dyld_info_command")
    names = ("rebase", "bind", "weak bind", "lazy bind", "export")
    for name, offset, size in zip(names, words[::2], words[1::2], strict=True):
        _add(file, contents, name, offset, size)


def _linkedit_data(file: Window, body: Window, contents: CommandContents) -> None:
    number, _, offset, size = body.unpack(contents.struct("IIII"), 0, "linkedit_data_command")
    _add(file, contents, command_name(number), offset, size)


def _add(
    file: Window,
    contents: CommandContents,
    name: str,
    offset: int,
    size: int,
    *,
    align: int | None = None,
) -> None:
    if size:  # the offset of an empty table is of no account
        file.part(offset, size, name)
    align = contents.pointer_size if align is None else align
    contents.linkedit.append(LinkeditRange(name, offset, size, align))


_READERS: dict[int, Callable[[Window, Window, CommandContents], None]] = {
    LC.LC_SEGMENT: _segment,
    LC.LC_SEGMENT_64: _segment,
    LC.LC_ID_DYLIB: _dylib,
    LC.LC_RPATH: _rpath,
    LC.LC_BUILD_VERSION: _build_version,
    LC.LC_SYMTAB: _symtab,
    LC.LC_DYSYMTAB: _dysymtab,
    LC.LC_DYLD_INFO: _dyld_info,
    LC.LC_DYLD_INFO_ONLY: _dyld_info,
    **dict.fromkeys(_LOADS, _dylib),
    **dict.fromkeys(_VERSION_MIN, _version_min),
    **dict.fromkeys(_LINKEDIT_DATA, _linkedit_data),
}


def _version(packed: int) -> tuple[int, int, int]:
    """Unpack a version: "X.Y.Z is encoded in nibbles xxxx.yy.zz" (<mach-o/loader.h>)."""
    return packed >> 16, packed >> 8 & 0xFF, packed & 0xFF


def _decode(name: bytes) -> str:
    # A name may be any bytes; what comes of it must go into JSON and onto a terminal.
    return name.decode("utf-8", "backslashreplace")

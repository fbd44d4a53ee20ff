"""Thin Mach-O files: the header and the load commands, as typed values.

Source: <mach-o/loader.h>. Offsets are counted from the start of the slice, as the format counts
them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.commands import (
    Build,
    Command,
    Data,
    Dylib,
    Segment,
    SymbolTable,
)
from tensorflow_macos_build.macho.constants import (
    CPU_TYPE_ARM64,
    FILETYPE_NAMES,
    LC,
    MH_MAGIC,
    MH_MAGIC_64,
    MH_TWOLEVEL,
    arch_name,
    command_name,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.macho.window import Window

MAXIMUM_COMMANDS_SIZE = 16 << 20
"""Bytes of load commands beyond which a file is refused; TensorFlow's largest has 8 KiB."""

MAXIMUM_COMMANDS = 1 << 14
"""Load commands beyond which a file is refused."""

_MAGICS = {
    MH_MAGIC.to_bytes(4, "little"): ("<", False),
    MH_MAGIC.to_bytes(4, "big"): (">", False),
    MH_MAGIC_64.to_bytes(4, "little"): ("<", True),
    MH_MAGIC_64.to_bytes(4, "big"): (">", True),
}

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
    LC.LC_VERSION_MIN_MACOSX: 1,
    LC.LC_VERSION_MIN_IPHONEOS: 2,
    LC.LC_VERSION_MIN_TVOS: 3,
    LC.LC_VERSION_MIN_WATCHOS: 4,
}

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


@dataclass(frozen=True, slots=True)
class Image:
    """What the header and load commands of a thin Mach-O file, or of one slice, say.

    Attributes:
        cputype: CPU_TYPE_….
        cpusubtype: CPU_SUBTYPE_…, with capability bits.
        filetype: MH_DYLIB, MH_BUNDLE, MH_EXECUTE, MH_OBJECT….
        flags: MH_….
        is_64: whether it is 64-bit.
        endian: "<" or ">", as `struct` takes it.
        commands: every load command in order.
        segments: the segments in order.
        install_name: LC_ID_DYLIB's name; None when there is none.
        dylibs: what it loads; the library of ordinal N is `dylibs[N - 1]`.
        rpaths: LC_RPATH's paths in order.
        builds: the platforms it was built for.
        symbols: the symbol table; None when there is none.
        data: the ranges of __LINKEDIT by name: LC_CODE_SIGNATURE, LC_DYLD_CHAINED_FIXUPS,
            LC_DYLD_EXPORTS_TRIE, "export", "symbol table", "string pool"….
    """

    cputype: int
    cpusubtype: int
    filetype: int
    flags: int
    is_64: bool
    endian: str
    commands: tuple[Command, ...]
    segments: tuple[Segment, ...]
    install_name: str | None
    dylibs: tuple[Dylib, ...]
    rpaths: tuple[str, ...]
    builds: tuple[Build, ...]
    symbols: SymbolTable | None
    data: tuple[Data, ...]

    @property
    def arch(self) -> str:
        """The architecture as lipo names it."""
        return arch_name(self.cputype, self.cpusubtype)

    @property
    def filetype_name(self) -> str:
        """The file type's C name."""
        return FILETYPE_NAMES.get(self.filetype, f"file type {self.filetype}")

    @property
    def sdk(self) -> tuple[int, int, int]:
        """The SDK by whose version dyld judges the image: the one it was linked against.

        An image that does not say is taken for macOS 10.5's, on Apple silicon for 11.0's; one that
        names no SDK, for its deployment target's; of two builds for macOS the last counts. Source:
        dyld's `forEachPlatformLoadCommand` (mach_o/UnsafeHeader.cpp) and `zip` (Platform.cpp).
        """
        if not self.builds:
            return (11, 0, 0) if self.cputype == CPU_TYPE_ARM64 else (10, 5, 0)
        if not self.builds_for_macos:
            return (0, 0, 0)
        last = self.builds_for_macos[-1]
        return last.sdk if any(last.sdk) else last.minos

    @property
    def builds_for_macos(self) -> tuple[Build, ...]:
        """The builds that are for macOS itself."""
        return tuple(build for build in self.builds if build.is_macos)

    @property
    def minos(self) -> tuple[int, int] | None:
        """The macOS that it was built for; None when it does not say."""
        return max((build.minos[:2] for build in self.builds_for_macos), default=None)

    @property
    def is_two_level(self) -> bool:
        """Whether each undefined symbol names the library it comes from."""
        return bool(self.flags & MH_TWOLEVEL)

    def find(self, *names: str) -> Data | None:
        """Return the first range of __LINKEDIT that has one of these names and is not empty."""
        found = (data for data in self.data if data.name in names and data.size)
        return next(found, None)


def is_image(head: bytes) -> bool:
    """Tell from a file's first 4 bytes or more whether it is a thin Mach-O file."""
    return head[:4] in _MAGICS


@dataclass
class _Draft:
    """What the load commands read so far have said."""

    endian: str
    is_64: bool
    commands: list[Command] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    install_name: str | None = None
    dylibs: list[Dylib] = field(default_factory=list)
    rpaths: list[str] = field(default_factory=list)
    builds: list[Build] = field(default_factory=list)
    symtab: tuple[int, int, int, int] | None = None
    ranges: tuple[tuple[int, int], tuple[int, int]] | None = None
    data: list[Data] = field(default_factory=list)


def parse(file: Window) -> Image:
    """Read the header and load commands of a thin Mach-O file.

    Raises:
        MalformedMachO: it is no Mach-O file, or a count, size or offset leaves its bounds.
    """
    kind = _MAGICS.get(file.part(0, min(4, len(file)), "magic").copy())
    if kind is None:
        raise MalformedMachO("this is no Mach-O file", command="mach_header", offset=file.start)
    endian, is_64 = kind
    header = struct.Struct(endian + ("8I" if is_64 else "7I"))
    draft = _Draft(endian, is_64)
    name = ""
    try:
        words = file.unpack(header, 0, "mach_header")
        _, cputype, cpusubtype, filetype, count, size, flags, *_ = words
        name = arch_name(cputype, cpusubtype)
        _read_commands(file, file.part(header.size, size, "sizeofcmds"), count, draft)
    except MalformedMachO as error:
        raise error.within(slice=name, command="mach_header") from None
    return Image(
        cputype=cputype,
        cpusubtype=cpusubtype,
        filetype=filetype,
        flags=flags,
        is_64=is_64,
        endian=endian,
        commands=tuple(draft.commands),
        segments=tuple(draft.segments),
        install_name=draft.install_name,
        dylibs=tuple(draft.dylibs),
        rpaths=tuple(draft.rpaths),
        builds=tuple(draft.builds),
        symbols=_symbol_table(draft),
        data=tuple(draft.data),
    )


def _read_commands(file: Window, area: Window, count: int, draft: _Draft) -> None:
    if count > MAXIMUM_COMMANDS or len(area) > MAXIMUM_COMMANDS_SIZE:
        raise MalformedMachO(
            f"{count} load commands of {len(area)} bytes are more than any linker writes",
            offset=file.start,
        )
    prefix = struct.Struct(draft.endian + "II")
    at = 0
    for _ in range(count):
        number, size = area.unpack(prefix, at, "load command")
        if size < prefix.size:
            raise MalformedMachO(
                f"cmdsize is {size}", command=command_name(number), offset=area.start + at
            )
        try:
            body = area.part(at, size, "cmdsize")
            draft.commands.append(Command(number, body.start - file.start, size))
            if number in _READERS:
                _READERS[number](file, body, draft)
        except MalformedMachO as error:
            raise error.within(command=command_name(number)) from None
        at += size


def _segment(file: Window, body: Window, draft: _Draft) -> None:
    form = struct.Struct(draft.endian + ("16s4Q4x3I" if draft.is_64 else "16s4I4x3I"))
    name, *numbers = body.unpack(form, 8, "segment_command")
    segment = Segment(_decode(name.rstrip(b"\0")), *numbers)
    file.part(segment.fileoff, segment.filesize, "the segment's contents")
    draft.segments.append(segment)


def _dylib(_: Window, body: Window, draft: _Draft) -> None:
    number, name = _named(body, draft)
    if number == LC.LC_ID_DYLIB:
        draft.install_name = name
    else:
        draft.dylibs.append(Dylib(number, name))


def _rpath(_: Window, body: Window, draft: _Draft) -> None:
    draft.rpaths.append(_named(body, draft)[1])


def _named(body: Window, draft: _Draft) -> tuple[int, str]:
    number, _, offset = body.unpack(struct.Struct(draft.endian + "III"), 0, "lc_str")
    # Apple's tools end the string with NULs that fill the command; a name that fills it is legal.
    tail = body.part(offset, len(body) - offset, "lc_str").copy()
    return number, _decode(tail.partition(b"\0")[0])


def _build_version(_: Window, body: Window, draft: _Draft) -> None:
    form = struct.Struct(draft.endian + "III")
    platform, minos, sdk = body.unpack(form, 8, "build_version_command")
    draft.builds.append(Build(platform, _version(minos), _version(sdk)))


def _version_min(_: Window, body: Window, draft: _Draft) -> None:
    form = struct.Struct(draft.endian + "IIII")
    number, _, minos, sdk = body.unpack(form, 0, "version_min_command")
    draft.builds.append(Build(_VERSION_MIN[LC(number)], _version(minos), _version(sdk)))


def _symtab(file: Window, body: Window, draft: _Draft) -> None:
    symoff, nsyms, stroff, strsize = body.unpack(
        struct.Struct(draft.endian + "IIII"), 8, "symtab_command"
    )
    pointer = 8 if draft.is_64 else 4
    _add(file, draft, Data("symbol table", symoff, nsyms * nlist_size(draft.is_64), pointer))
    _add(file, draft, Data("string pool", stroff, strsize, pointer))
    draft.symtab = (symoff, nsyms, stroff, strsize)


def _dysymtab(file: Window, body: Window, draft: _Draft) -> None:
    words = body.unpack(struct.Struct(draft.endian + "18I"), 8, "dysymtab_command")
    iextdefsym, nextdefsym, iundefsym, nundefsym = words[2:6]
    indirectsymoff, nindirectsyms = words[12:14]
    extreloff, nextrel, locreloff, nlocrel = words[14:18]
    pointer = 8 if draft.is_64 else 4
    _add(file, draft, Data("indirect symbol table", indirectsymoff, nindirectsyms * 4, 4))
    _add(file, draft, Data("external relocations", extreloff, nextrel * 8, pointer))
    _add(file, draft, Data("local relocations", locreloff, nlocrel * 8, pointer))
    draft.ranges = ((iundefsym, nundefsym), (iextdefsym, nextdefsym))


def _dyld_info(file: Window, body: Window, draft: _Draft) -> None:
    words = body.unpack(struct.Struct(draft.endian + "10I"), 8, "dyld_info_command")
    names = ("rebase", "bind", "weak bind", "lazy bind", "export")
    pointer = 8 if draft.is_64 else 4
    for name, offset, size in zip(names, words[::2], words[1::2], strict=True):
        _add(file, draft, Data(name, offset, size, pointer))


def _linkedit_data(file: Window, body: Window, draft: _Draft) -> None:
    form = struct.Struct(draft.endian + "IIII")
    number, _, offset, size = body.unpack(form, 0, "linkedit_data_command")
    _add(file, draft, Data(command_name(number), offset, size, 8 if draft.is_64 else 4))


def _add(file: Window, draft: _Draft, data: Data) -> None:
    if data.size:
        file.part(data.offset, data.size, data.name)
    draft.data.append(data)


_READERS: dict[int, Callable[[Window, Window, _Draft], None]] = {
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


def nlist_size(is_64: bool) -> int:
    """Return the bytes of one `nlist_64` or `nlist`."""
    return 16 if is_64 else 12


def _symbol_table(draft: _Draft) -> SymbolTable | None:
    if draft.symtab is None:
        return None
    undefined, defined = draft.ranges or (None, None)
    return SymbolTable(*draft.symtab, undefined, defined)


def _version(packed: int) -> tuple[int, int, int]:
    return packed >> 16, packed >> 8 & 0xFF, packed & 0xFF


def _decode(name: bytes) -> str:
    return name.decode("utf-8", "backslashreplace")

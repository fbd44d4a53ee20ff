"""Thin Mach-O files: the header and the load commands, as typed values.

Source: <mach-o/loader.h>. Offsets are counted from the start of the slice, as the format counts
them.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.command_readers import (
    MAXIMUM_COMMANDS_SIZE,
    CommandContents,
    read_commands,
)
from tensorflow_macos_build.macho.constants import (
    CPU_TYPE_ARM64,
    FILETYPE_NAMES,
    MH_BUNDLE,
    MH_DYLIB,
    MH_EXECUTE,
    MH_MAGIC,
    MH_MAGIC_64,
    MH_TWOLEVEL,
    arch_name,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from tensorflow_macos_build.macho.load_commands import (
        BuildVersion,
        Dylib,
        LinkeditRange,
        LoadCommand,
        Segment,
        SymbolTable,
    )
    from tensorflow_macos_build.macho.window import Window

_MAGICS = {
    MH_MAGIC.to_bytes(4, "little"): ("<", False),
    MH_MAGIC.to_bytes(4, "big"): (">", False),
    MH_MAGIC_64.to_bytes(4, "little"): ("<", True),
    MH_MAGIC_64.to_bytes(4, "big"): (">", True),
}
"""Byte order and width by a file's first bytes: who writes a header writes its own byte order, and
MH_CIGAM of <mach-o/loader.h> is the magic of the other one."""

_SIZEOFCMDS_AT = 20
"""Where mach_header, and mach_header_64 likewise, has the size of the load commands behind it."""


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
        linkedit: the ranges of __LINKEDIT by name: LC_CODE_SIGNATURE, LC_DYLD_CHAINED_FIXUPS,
            LC_DYLD_EXPORTS_TRIE, "export", "symbol table", "string pool"….
    """

    cputype: int
    cpusubtype: int
    filetype: int
    flags: int
    is_64: bool
    endian: str
    commands: tuple[LoadCommand, ...]
    segments: tuple[Segment, ...]
    install_name: str | None
    dylibs: tuple[Dylib, ...]
    rpaths: tuple[str, ...]
    builds: tuple[BuildVersion, ...]
    symbols: SymbolTable | None
    linkedit: tuple[LinkeditRange, ...]

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
    def builds_for_macos(self) -> tuple[BuildVersion, ...]:
        """The builds that are for macOS itself."""
        return tuple(build for build in self.builds if build.is_macos)

    @property
    def minos(self) -> tuple[int, int] | None:
        """The macOS that it was built for; None when it does not say."""
        return max((build.minos[:2] for build in self.builds_for_macos), default=None)

    @property
    def is_loadable(self) -> bool:
        """Whether dyld maps it: what needs a signature, and whose symbols must bind."""
        return self.filetype in (MH_EXECUTE, MH_DYLIB, MH_BUNDLE)

    @property
    def is_two_level(self) -> bool:
        """Whether each undefined symbol names the library it comes from."""
        return bool(self.flags & MH_TWOLEVEL)

    def linkedit_range(self, *names: str) -> LinkeditRange | None:
        """Return the first range of __LINKEDIT that has one of these names and is not empty."""
        named = (entry for entry in self.linkedit if entry.name in names and entry.size)
        return next(named, None)


def is_image(head: bytes) -> bool:
    """Whether a file is thin Mach-O, by its first 4 bytes or more."""
    return head[:4] in _MAGICS


def commands_end(head: bytes) -> int | None:
    """Return where an image's load commands end by its header, from its first bytes.

    A caller learns so how much `parse` needs. None: too few bytes, or no image.
    """
    kind = _MAGICS.get(head[:4])
    if kind is None or len(head) < _SIZEOFCMDS_AT + 4:
        return None
    endian, is_64 = kind
    (size,) = struct.unpack_from(f"{endian}I", head, _SIZEOFCMDS_AT)
    # A header may claim 4 GiB, which nobody should inflate: `parse` refuses more than this anyway.
    return _header(endian, is_64).size + min(int(size), MAXIMUM_COMMANDS_SIZE)


def parse(file: Window) -> Image:
    """Read the header and load commands of a thin Mach-O file.

    Raises:
        MalformedMachO: it is no Mach-O file, or a count, size or offset leaves its bounds.
    """
    kind = _MAGICS.get(file.part(0, min(4, len(file)), "magic").copy())
    if kind is None:
        raise MalformedMachO("this is no Mach-O file", command="mach_header", offset=file.start)
    endian, is_64 = kind
    header = _header(endian, is_64)
    contents = CommandContents(endian, is_64)
    # An error names the slice as soon as the header has said which it is.
    name = ""
    try:
        words = file.unpack(header, 0, "mach_header")
        _, cputype, cpusubtype, filetype, count, size, flags, *_ = words
        name = arch_name(cputype, cpusubtype)
        read_commands(file, file.part(header.size, size, "sizeofcmds"), count, contents)
    except MalformedMachO as error:
        raise error.within(slice=name, command="mach_header") from None
    return Image(
        cputype=cputype,
        cpusubtype=cpusubtype,
        filetype=filetype,
        flags=flags,
        is_64=is_64,
        endian=endian,
        commands=tuple(contents.commands),
        segments=tuple(contents.segments),
        install_name=contents.install_name,
        dylibs=tuple(contents.dylibs),
        rpaths=tuple(contents.rpaths),
        builds=tuple(contents.builds),
        symbols=contents.symbols,
        linkedit=tuple(contents.linkedit),
    )


def _header(endian: str, is_64: bool) -> struct.Struct:
    # mach_header_64 is mach_header with a further word, `reserved`.
    return struct.Struct(endian + ("8I" if is_64 else "7I"))

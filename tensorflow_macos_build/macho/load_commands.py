"""What load commands say, as values.

Source: <mach-o/loader.h>. Offsets are counted from the start of the slice.
"""

from __future__ import annotations

from dataclasses import dataclass

from tensorflow_macos_build.macho.constants import (
    LC,
    PLATFORM_MACOS,
    PLATFORM_NAMES,
    command_name,
)


@dataclass(frozen=True, slots=True)
class LoadCommand:
    """A load command: its number, and where in the slice it lies."""

    number: int
    offset: int
    size: int

    @property
    def name(self) -> str:
        """The C name, such as "LC_RPATH"."""
        return command_name(self.number)


@dataclass(frozen=True, slots=True)
class Segment:
    """LC_SEGMENT or LC_SEGMENT_64: which range of the file is mapped, where to, and how.

    Attributes:
        name: such as "__TEXT".
        vmaddr: where it wants to lie in memory.
        vmsize: bytes of memory.
        fileoff: where its contents begin in the slice.
        filesize: bytes of contents.
        initprot: VM_PROT_… of its memory.
        nsects: how many sections follow the command.
        flags: SG_….
    """

    name: str
    vmaddr: int
    vmsize: int
    fileoff: int
    filesize: int
    initprot: int
    nsects: int
    flags: int


@dataclass(frozen=True, slots=True)
class Dylib:
    """A library that an image loads.

    Attributes:
        command: the load command's number: LC_LOAD_DYLIB, LC_REEXPORT_DYLIB…
        name: the install name to look for, such as "@rpath/libx.dylib".
    """

    command: int
    name: str

    @property
    def is_weak(self) -> bool:
        """Whether dyld goes on without it; each symbol says of itself whether it is weak, too."""
        return self.command == LC.LC_LOAD_WEAK_DYLIB

    @property
    def is_reexported(self) -> bool:
        """Whether its exports count as the image's own."""
        return self.command == LC.LC_REEXPORT_DYLIB


@dataclass(frozen=True, slots=True)
class BuildVersion:
    """LC_BUILD_VERSION, or one of the older LC_VERSION_MIN_….

    Attributes:
        platform: PLATFORM_…; 1 is macOS.
        minos: the deployment target: (major, minor, patch).
        sdk: the SDK's version.
    """

    platform: int
    minos: tuple[int, int, int]
    sdk: tuple[int, int, int]

    @property
    def platform_name(self) -> str:
        """The platform in words."""
        return PLATFORM_NAMES.get(self.platform, f"platform {self.platform}")

    @property
    def is_macos(self) -> bool:
        """Whether it is macOS itself, rather than a simulator or Catalyst."""
        return self.platform == PLATFORM_MACOS


@dataclass(frozen=True, slots=True)
class LinkeditRange:
    """A range of __LINKEDIT, called by what it holds; `align` is what dyld asks for.

    (Of a string pool only dyld of macOS 27 asks for any: llvm/llvm-project#203678.)
    """

    name: str
    offset: int
    size: int
    align: int


@dataclass(frozen=True, slots=True)
class SymbolTable:
    """LC_SYMTAB with the ranges that LC_DYSYMTAB sorts it into.

    Attributes:
        symoff: offset of the first nlist.
        nsyms: how many there are.
        stroff: offset of the string pool.
        strsize: its bytes.
        undefined: (index of the first, count) of the undefined symbols; None without LC_DYSYMTAB.
        defined: likewise for the external symbols that the image defines.
        local: likewise for those that are its own.
    """

    symoff: int
    nsyms: int
    stroff: int
    strsize: int
    undefined: tuple[int, int] | None = None
    defined: tuple[int, int] | None = None
    local: tuple[int, int] | None = None

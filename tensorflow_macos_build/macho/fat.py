"""Universal ("fat") files: which slice lies where.

A universal file is a big-endian header (`fat_header`, then one `fat_arch` or `fat_arch_64` a
slice), followed by the slices, each at an offset that its alignment divides; the gaps are zero.

Source: <mach-o/fat.h>.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import FAT_MAGIC, FAT_MAGIC_64, arch_name
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from tensorflow_macos_build.macho.window import Window

FAT_HEADER = struct.Struct(">II")
FAT_ARCH = struct.Struct(">5I")
FAT_ARCH_64 = struct.Struct(">2I2Q2I")  # its last number is `reserved`

MAXIMUM_ARCHES = 42
"""More slices than this is no universal file: a Java class file has the same magic and, where
`nfat_arch` lies, its version, which begins at 45 (Java 1.1); file(1) and LLVM draw the line so."""


@dataclass(frozen=True, slots=True)
class FatArch:
    """One entry of a universal header.

    Attributes:
        cputype: CPU_TYPE_…, such as 0x0100000c for arm64.
        cpusubtype: CPU_SUBTYPE_…, with its capability bits, as the slice's own header has it.
        offset: bytes from the start of the file to the slice.
        size: bytes of the slice.
        align: the slice's alignment as a power of two: 12 for x86_64, 14 for arm64.
    """

    cputype: int
    cpusubtype: int
    offset: int
    size: int
    align: int

    @property
    def name(self) -> str:
        """The architecture as lipo names it, such as "arm64"."""
        return arch_name(self.cputype, self.cpusubtype)

    @property
    def end(self) -> int:
        """Offset after the slice's last byte."""
        return self.offset + self.size


@dataclass(frozen=True, slots=True)
class FatHeader:
    """A universal header.

    Attributes:
        arches: the entries in the header's order.
        is_64: whether it has 64-bit offsets (FAT_MAGIC_64).
        header_size: bytes of the header and its entries.
    """

    arches: tuple[FatArch, ...]
    is_64: bool
    header_size: int


def is_fat(head: bytes) -> bool:
    """Whether a file is universal, by its first 8 bytes or more (a Java class is not)."""
    if len(head) < FAT_HEADER.size:
        return False
    magic, count = FAT_HEADER.unpack_from(head)
    return magic in (FAT_MAGIC, FAT_MAGIC_64) and count <= MAXIMUM_ARCHES


def parse(file: Window) -> FatHeader:
    """Read the header of a universal file; `fat_faults` judges what it says.

    Raises:
        MalformedMachO: it is no universal header, is cut off, or a slice lies outside the file.
    """
    if not is_fat(file.part(0, min(FAT_HEADER.size, len(file)), "fat_header").copy()):
        raise MalformedMachO("this is no universal file", command="fat_header", offset=0)
    magic, count = file.unpack(FAT_HEADER, 0, "fat_header")
    is_64 = magic == FAT_MAGIC_64
    form = FAT_ARCH_64 if is_64 else FAT_ARCH
    entries = (
        file.unpack(form, FAT_HEADER.size + index * form.size, "fat_arch") for index in range(count)
    )
    arches = tuple(FatArch(*entry[:5]) for entry in entries)
    # What overlaps or is misaligned can still be read, and is for `fat_faults`.
    for arch in arches:
        if arch.end > len(file):
            raise MalformedMachO(
                f"the slice at {arch.offset:#x}, {arch.size} bytes long, reaches outside the"
                f" {len(file)} bytes of the file",
                slice=arch.name,
                command="fat_arch",
            )
    return FatHeader(arches, is_64, FAT_HEADER.size + count * form.size)

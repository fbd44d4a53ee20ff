"""Universal ("fat") files: which slice lies where, read and laid out as lipo does it.

A universal file is a big-endian header (`fat_header`, then one `fat_arch` or `fat_arch_64` a
slice), followed by the slices, each at an offset that its alignment divides; the gaps are zero.

Source: <mach-o/fat.h>; order and alignments are those of llvm-lipo and Apple's lipo.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    CPU_ARCH_ABI64,
    CPU_SUBTYPE_MASK,
    CPU_TYPE_ARM,
    CPU_TYPE_ARM64,
    CPU_TYPE_ARM64_32,
    CPU_TYPE_I386,
    CPU_TYPE_POWERPC,
    CPU_TYPE_POWERPC64,
    CPU_TYPE_X86_64,
    FAT_MAGIC,
    FAT_MAGIC_64,
    arch_name,
)
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.macho.window import Window

_HEADER = struct.Struct(">II")
_ARCH = struct.Struct(">5I")
_ARCH_64 = struct.Struct(">2I2Q2I")

_SMALL_PAGES = frozenset({CPU_TYPE_I386, CPU_TYPE_X86_64, CPU_TYPE_POWERPC, CPU_TYPE_POWERPC64})
_LARGE_PAGES = frozenset({CPU_TYPE_ARM, CPU_TYPE_ARM64, CPU_TYPE_ARM64_32})

MAXIMUM_ARCHES = 42
"""More slices than this is no universal file: a Java class file has the same magic and, where
`nfat_arch` lies, its version, which begins at 45 (Java 1.1); file(1) and LLVM draw the line so."""

MAXIMUM_ALIGN = 15
"""The largest alignment, as a power of two, that lipo accepts (MAXSECTALIGN)."""


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
    """Tell from a file's first 8 bytes or more whether it is universal (a Java class is not)."""
    if len(head) < _HEADER.size:
        return False
    magic, count = _HEADER.unpack_from(head)
    return magic in (FAT_MAGIC, FAT_MAGIC_64) and count <= MAXIMUM_ARCHES


def parse(file: Window) -> FatHeader:
    """Read the header of a universal file; `faults` judges what it says.

    Raises:
        MalformedMachO: it is no universal header, is cut off, or a slice lies outside the file.
    """
    if not is_fat(file.part(0, min(_HEADER.size, len(file)), "fat_header").copy()):
        raise MalformedMachO("this is no universal file", command="fat_header", offset=0)
    magic, count = file.unpack(_HEADER, 0, "fat_header")
    is_64 = magic == FAT_MAGIC_64
    form = _ARCH_64 if is_64 else _ARCH
    entries = (
        file.unpack(form, _HEADER.size + index * form.size, "fat_arch") for index in range(count)
    )
    arches = tuple(FatArch(*entry[:5]) for entry in entries)
    for arch in arches:
        if arch.end > len(file):
            raise MalformedMachO(
                f"the slice at {arch.offset:#x}, {arch.size} bytes long, reaches outside the"
                f" {len(file)} bytes of the file",
                slice=arch.name,
                command="fat_arch",
            )
    return FatHeader(arches, is_64, _HEADER.size + count * form.size)


class LayoutFault(Enum):
    """What can be wrong with where slices lie, though each lies inside the file."""

    EMPTY = "no slice"
    TWICE = "two slices of one architecture"
    OVERLAP = "slices overlap each other or the header"
    ORDER = "slices are not in lipo's order"
    ALIGNMENT = "a slice's offset is not a multiple of its alignment"
    ALIGN_VALUE = "a slice's alignment is not its architecture's page size"
    WIDE_GAP = "a gap is not smaller than the alignment that follows it"
    DIRTY_GAP = "a gap holds bytes other than zero"
    TAIL = "bytes follow the last slice"


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault of a layout, and the figures that show it."""

    kind: LayoutFault
    slice: str
    evidence: str


def faults(fat: FatHeader, file: Window) -> tuple[Fault, ...]:
    """List what lipo would have done otherwise, and what codesign and dyld refuse.

    codesign wants gaps that are zero and smaller than the alignment, and nothing after the last
    slice (llvm/llvm-project#117723).
    """
    if not fat.arches:
        return (Fault(LayoutFault.EMPTY, "", "nfat_arch is 0"),)
    return (*_entry_faults(fat), *_gap_faults(fat, file))


def _entry_faults(fat: FatHeader) -> list[Fault]:
    found = []
    kinds = [(arch.cputype, arch.cpusubtype & CPU_SUBTYPE_MASK) for arch in fat.arches]
    for index, arch in enumerate(fat.arches):
        page = page_align(arch.cputype)
        if kinds[index] in kinds[:index]:
            found.append(Fault(LayoutFault.TWICE, arch.name, f"entry {index}"))
        if arch.align > MAXIMUM_ALIGN or (page is not None and arch.align > page):
            evidence = f"align is 2^{arch.align}; lipo gives {arch.name} 2^{page}"
            found.append(Fault(LayoutFault.ALIGN_VALUE, arch.name, evidence))
        elif arch.offset % (1 << arch.align):
            evidence = f"offset {arch.offset:#x} is no multiple of 2^{arch.align}"
            found.append(Fault(LayoutFault.ALIGNMENT, arch.name, evidence))
    wanted = sorted(range(len(fat.arches)), key=lambda index: _rank(fat.arches[index]))
    if wanted != list(range(len(fat.arches))):
        order = " ".join(arch.name for arch in fat.arches)
        lipo = " ".join(fat.arches[index].name for index in wanted)
        found.append(Fault(LayoutFault.ORDER, "", f"order is {order}; lipo's is {lipo}"))
    return found


def _gap_faults(fat: FatHeader, file: Window) -> list[Fault]:
    found = []
    end = fat.header_size
    for arch in sorted(fat.arches, key=lambda arch: (arch.offset, arch.end)):
        gap = arch.offset - end
        if gap < 0:
            evidence = f"starts at {arch.offset:#x}; what precedes it ends at {end:#x}"
            found.append(Fault(LayoutFault.OVERLAP, arch.name, evidence))
        elif gap >= 1 << min(arch.align, MAXIMUM_ALIGN):
            evidence = f"{gap} bytes at {end:#x} precede it, aligned to 2^{arch.align}"
            found.append(Fault(LayoutFault.WIDE_GAP, arch.name, evidence))
        elif not file.part(end, gap, "gap").is_zero():
            evidence = f"{gap} bytes at {end:#x} precede it"
            found.append(Fault(LayoutFault.DIRTY_GAP, arch.name, evidence))
        end = max(end, arch.end)
    if end < len(file):
        found.append(Fault(LayoutFault.TAIL, "", f"{len(file) - end} bytes at {end:#x}"))
    return found


@dataclass(frozen=True, slots=True)
class NewSlice:
    """A slice that a universal file is to be made of.

    Attributes:
        cputype: CPU_TYPE_… of its Mach-O header (of its first object, for a static archive).
        cpusubtype: likewise, capability bits included.
        size: bytes of the slice.
        align: its alignment as a power of two; `page_align` or, for static archives,
            `archive_align` gives lipo's.
    """

    cputype: int
    cpusubtype: int
    size: int
    align: int

    @property
    def name(self) -> str:
        """The architecture as lipo names it."""
        return arch_name(self.cputype, self.cpusubtype)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where lipo puts slices.

    Attributes:
        header: the bytes of the universal header and its entries.
        arches: the entries in file order.
        order: for each entry, the index of its slice in what was given to `layout`.
        size: bytes of the whole file.
    """

    header: bytes
    arches: tuple[FatArch, ...]
    order: tuple[int, ...]
    size: int


def layout(slices: Sequence[NewSlice], *, fat64: bool = False) -> Layout:
    """Lay slices out exactly as `lipo -create` (with `-fat64`) does.

    lipo orders by alignment, arm64's family last, and leaves equals as they were given; here equals
    are ordered by architecture, so the order of `slices` is of no account.
    The bytes between a part's end and the next offset are zero, and nothing follows the last slice.

    Raises:
        ValueError: no slices, two of one architecture, or offsets or sizes that need `fat64`
            (32-bit entries hold a slice that starts, and is, below 4 GiB).
    """
    names = [one.name for one in slices]
    if not slices or len(set(names)) != len(names):
        raise ValueError(f"a universal file needs distinct architectures, not {names}")
    form = _ARCH_64 if fat64 else _ARCH
    order = tuple(sorted(range(len(slices)), key=lambda index: _full_rank(slices[index])))
    end = _HEADER.size + len(slices) * form.size
    arches = []
    for one in (slices[index] for index in order):
        offset = -(-end >> one.align) << one.align
        arches.append(FatArch(one.cputype, one.cpusubtype, offset, one.size, one.align))
        end = offset + one.size
    return Layout(_pack(arches, form, fat64), tuple(arches), order, end)


def _pack(arches: Sequence[FatArch], form: struct.Struct, fat64: bool) -> bytes:
    limit = 1 << (64 if fat64 else 32)
    packed = [_HEADER.pack(FAT_MAGIC_64 if fat64 else FAT_MAGIC, len(arches))]
    for arch in arches:
        if max(arch.offset, arch.size) >= limit:
            raise ValueError(f"the {arch.name} slice starts or is beyond 4 GiB: it needs fat64")
        reserved = (0,) if fat64 else ()
        entry = (arch.cputype, arch.cpusubtype, arch.offset, arch.size, arch.align)
        packed.append(form.pack(*entry, *reserved))
    return b"".join(packed)


def page_align(cputype: int) -> int | None:
    """Return lipo's alignment, a power of two, for images and objects; None: an unknown processor.

    It is the architecture's page size: 4 KiB on Intel and PowerPC, 16 KiB on Arm.
    """
    if cputype in _SMALL_PAGES:
        return 12
    return 14 if cputype in _LARGE_PAGES else None


def archive_align(cputype: int) -> int:
    """Return llvm-lipo's alignment, a power of two, for static archives: a pointer's size."""
    return 3 if cputype & CPU_ARCH_ABI64 else 2


def _rank(one: FatArch | NewSlice) -> tuple[bool, int]:
    return (one.cputype == CPU_TYPE_ARM64, one.align)


def _full_rank(one: NewSlice) -> tuple[bool, int, int, int]:
    return (*_rank(one), one.cputype, one.cpusubtype)

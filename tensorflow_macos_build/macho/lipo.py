"""Where lipo puts the slices of a universal file, and in which order.

Source: llvm-lipo and Apple's lipo; their outputs are compared with this one's in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    CPU_ARCH_ABI64,
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
from tensorflow_macos_build.macho.fat import FAT_ARCH, FAT_ARCH_64, FAT_HEADER, FatArch

if TYPE_CHECKING:
    import struct
    from collections.abc import Sequence

_SMALL_PAGES = frozenset({CPU_TYPE_I386, CPU_TYPE_X86_64, CPU_TYPE_POWERPC, CPU_TYPE_POWERPC64})
_LARGE_PAGES = frozenset({CPU_TYPE_ARM, CPU_TYPE_ARM64, CPU_TYPE_ARM64_32})

MAXIMUM_ALIGN = 15
"""The largest alignment, as a power of two, that lipo accepts (MAXSECTALIGN)."""


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
class FatLayout:
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


def layout(slices: Sequence[NewSlice], *, fat64: bool = False) -> FatLayout:
    """Lay slices out exactly as `lipo -create` (with `-fat64`) does.

    lipo leaves slices that are equal in its order as they were given; here they are ordered by
    architecture, so the order of `slices` is of no account.
    The bytes between a part's end and the next offset are zero, and nothing follows the last slice.

    Raises:
        ValueError: no slices, two of one architecture, or offsets or sizes that need `fat64`
            (32-bit entries hold a slice that starts, and is, below 4 GiB).
    """
    names = [new.name for new in slices]
    if not slices or len(set(names)) != len(names):
        raise ValueError(f"a universal file needs distinct architectures, not {names}")
    form = FAT_ARCH_64 if fat64 else FAT_ARCH
    order = tuple(sorted(range(len(slices)), key=lambda index: _total_order_key(slices[index])))
    end = FAT_HEADER.size + len(slices) * form.size
    arches = []
    for new in (slices[index] for index in order):
        offset = -(-end >> new.align) << new.align  # rounded up
        arches.append(FatArch(new.cputype, new.cpusubtype, offset, new.size, new.align))
        end = offset + new.size
    return FatLayout(_pack(arches, form, fat64), tuple(arches), order, end)


def _pack(arches: Sequence[FatArch], form: struct.Struct, fat64: bool) -> bytes:
    limit = 1 << (64 if fat64 else 32)
    packed = [FAT_HEADER.pack(FAT_MAGIC_64 if fat64 else FAT_MAGIC, len(arches))]
    for arch in arches:
        if max(arch.offset, arch.size) >= limit:
            raise ValueError(f"the {arch.name} slice starts or is beyond 4 GiB: it needs fat64")
        reserved = (0,) if fat64 else ()
        entry = (arch.cputype, arch.cpusubtype, arch.offset, arch.size, arch.align)
        packed.append(form.pack(*entry, *reserved))
    return b"".join(packed)


def page_align(cputype: int) -> int | None:
    """Return lipo's alignment, a power of two, for images and objects; None: an unknown processor.

    It is the architecture's page size: 4 KiB on Intel and PowerPC, 16 KiB on Arm. (For any other
    processor llvm-lipo works it out of the segments.)
    """
    if cputype in _SMALL_PAGES:
        return 12
    return 14 if cputype in _LARGE_PAGES else None


def archive_align(cputype: int) -> int:
    """Return llvm-lipo's alignment, a power of two, for static archives: a pointer's size."""
    return 3 if cputype & CPU_ARCH_ABI64 else 2


def order_key(new: FatArch | NewSlice) -> tuple[bool, int]:
    """Return what lipo orders slices by: arm64 last, then by alignment, which saves padding.

    Source: `cmp_qsort` in cctools' lipo.c; `Slice::operator<` in LLVM's MachOUniversalWriter.h.
    """
    return (new.cputype == CPU_TYPE_ARM64, new.align)


def _total_order_key(new: NewSlice) -> tuple[bool, int, int, int]:
    return (*order_key(new), new.cputype, new.cpusubtype)

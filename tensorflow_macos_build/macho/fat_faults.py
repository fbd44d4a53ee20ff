"""What is wrong with where the slices of a universal file lie, though each lies inside it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import lipo
from tensorflow_macos_build.macho.constants import CPU_SUBTYPE_MASK

if TYPE_CHECKING:
    from tensorflow_macos_build.macho.fat import FatHeader
    from tensorflow_macos_build.macho.window import Window


class LayoutFaultKind(Enum):
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
class LayoutFault:
    """A fault of a layout, and the figures that show it."""

    kind: LayoutFaultKind
    slice: str
    evidence: str


def faults(header: FatHeader, file: Window) -> tuple[LayoutFault, ...]:
    """Return what lipo would have done otherwise, and what codesign and dyld refuse.

    codesign wants gaps that are zero and smaller than the alignment, and nothing after the last
    slice (llvm/llvm-project#117723).
    """
    if not header.arches:
        return (LayoutFault(LayoutFaultKind.EMPTY, "", "nfat_arch is 0"),)
    return (*_entry_faults(header), *_gap_faults(header, file))


def _entry_faults(header: FatHeader) -> list[LayoutFault]:
    faults = []
    kinds = [(arch.cputype, arch.cpusubtype & CPU_SUBTYPE_MASK) for arch in header.arches]
    for index, arch in enumerate(header.arches):
        page = lipo.page_align(arch.cputype)
        if kinds[index] in kinds[:index]:
            faults.append(LayoutFault(LayoutFaultKind.TWICE, arch.name, f"entry {index}"))
        if arch.align > lipo.MAXIMUM_ALIGN or (page is not None and arch.align > page):
            evidence = f"align is 2^{arch.align}; lipo gives {arch.name} 2^{page}"
            faults.append(LayoutFault(LayoutFaultKind.ALIGN_VALUE, arch.name, evidence))
        elif arch.offset % (1 << arch.align):
            evidence = f"offset {arch.offset:#x} is no multiple of 2^{arch.align}"
            faults.append(LayoutFault(LayoutFaultKind.ALIGNMENT, arch.name, evidence))
    in_order = sorted(header.arches, key=lipo.order_key)
    if in_order != list(header.arches):
        order, lipos = (" ".join(arch.name for arch in row) for row in (header.arches, in_order))
        evidence = f"order is {order}; lipo's is {lipos}"
        faults.append(LayoutFault(LayoutFaultKind.ORDER, "", evidence))
    return faults


def _gap_faults(header: FatHeader, file: Window) -> list[LayoutFault]:
    faults = []
    end = header.header_size
    for arch in sorted(header.arches, key=lambda arch: (arch.offset, arch.end)):
        gap = arch.offset - end
        if gap < 0:
            evidence = f"starts at {arch.offset:#x}; what precedes it ends at {end:#x}"
            faults.append(LayoutFault(LayoutFaultKind.OVERLAP, arch.name, evidence))
        # `align` is any 32-bit number of the file's: without a bound 1 << align takes all memory.
        elif gap >= 1 << min(arch.align, lipo.MAXIMUM_ALIGN):
            evidence = f"{gap} bytes at {end:#x} precede it, aligned to 2^{arch.align}"
            faults.append(LayoutFault(LayoutFaultKind.WIDE_GAP, arch.name, evidence))
        elif not file.part(end, gap, "gap").is_zero():
            evidence = f"{gap} bytes at {end:#x} precede it"
            faults.append(LayoutFault(LayoutFaultKind.DIRTY_GAP, arch.name, evidence))
        end = max(end, arch.end)  # a slice may lie within another
    if end < len(file):
        faults.append(LayoutFault(LayoutFaultKind.TAIL, "", f"{len(file) - end} bytes at {end:#x}"))
    return faults

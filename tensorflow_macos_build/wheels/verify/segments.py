"""What dyld refuses in an image's segments: where they lie, and what may be done to their memory.

Source: `validSegment` and `validSemanticsSegments` in dyld-1378, mach_o/UnsafeHeader.cpp.
"""

from __future__ import annotations

import struct
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import (
    CPU_TYPE_X86_64,
    LC,
    MH_DYLIB,
    MH_EXECUTE,
    MH_PIE,
    SG_READ_ONLY,
    VM_PROT_EXECUTE,
    VM_PROT_READ,
    VM_PROT_WRITE,
)
from tensorflow_macos_build.wheels.verify.commands import is_managed
from tensorflow_macos_build.wheels.verify.epochs import Epoch, dated
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.load_commands import Segment
    from tensorflow_macos_build.macho.window import Window

    Range = tuple[int, int, str]

_SEGMENTS = frozenset({LC.LC_SEGMENT, LC.LC_SEGMENT_64})

_EVERY_PROT = VM_PROT_READ | VM_PROT_WRITE | VM_PROT_EXECUTE
_EXECUTABLE = VM_PROT_READ | VM_PROT_EXECUTE
_WRITABLE = VM_PROT_READ | VM_PROT_WRITE
_HALF_OF_MEMORY = 1 << 63
"""Where a section's size is a negative number to dyld, which looks at it as `int64_t`."""

_HEADER_64, _HEADER_32 = 32, 28
"""Bytes of `mach_header_64` and `mach_header`."""


def check(window: Window, image: Image) -> Iterator[Finding]:
    """Return what dyld refuses in the segments of an image that it is to load."""
    commands = [command for command in image.commands if command.number in _SEGMENTS]
    for segment, command in zip(image.segments, commands, strict=True):
        if segment.filesize > segment.vmsize:
            if segment.vmsize or segment.initprot:
                yield _layout(f"{segment.name} has more contents than memory")
            # __LLVM, and Go's __DWARF, are not mapped, and not looked at any further.
            continue
        yield from _memory(image, segment)
        yield from _permissions(image, segment)
        area = window.part(command.offset, command.size, "cmdsize")
        yield from _sections(image, segment, area)
    if is_managed(image):
        yield from _text(image)
    yield from _together(image)


def _layout(message: str) -> Finding:
    return Finding(Code.SEGMENT_LAYOUT, message)


def _memory(image: Image, segment: Segment) -> Iterator[Finding]:
    if segment.initprot & ~_EVERY_PROT:
        yield _layout(f"{segment.name} has unknown permissions: {segment.initprot:#x}")
    # The end is compared as it wraps: one that is just the end of memory is 0.
    if segment.vmsize and segment.vmaddr + segment.vmsize >= 1 << (64 if image.is_64 else 32):
        yield _layout(f"{segment.name} ends beyond the end of memory")


def _permissions(image: Image, segment: Segment) -> Iterator[Finding]:
    for name, required, spelled, since in _required(image):
        if segment.name == name and segment.initprot != required:
            message = f"{name} is {_spelled(segment.initprot)}, not {spelled}"
            yield dated(Code.SEGMENT_PERMISSIONS, message, image, since)
    if segment.name == "__DATA_CONST" and not segment.flags & SG_READ_ONLY:
        # Dylibs that are meant for dyld's shared cache, which have this command, may lack it.
        split = image.linkedit_range("LC_SEGMENT_SPLIT_INFO")
        if image.filetype != MH_DYLIB or split is None:
            message = "__DATA_CONST has no SG_READ_ONLY"
            yield dated(Code.SEGMENT_PERMISSIONS, message, image, Epoch.FALL_2025)


def _required(image: Image) -> Iterator[tuple[str, int, str, Epoch]]:
    """Return each segment whose permissions dyld looks at, what they must be, and since when."""
    if is_managed(image):
        yield "__TEXT", _EXECUTABLE, "r-x", Epoch.FALL_2019
    linkedit = Epoch.FALL_2025 if image.filetype == MH_EXECUTE else Epoch.FALL_2015
    yield "__LINKEDIT", VM_PROT_READ, "r--", linkedit
    yield "__DATA", _WRITABLE, "rw-", Epoch.FALL_2025
    yield "__DATA_CONST", _WRITABLE, "rw-", Epoch.FALL_2025


def _spelled(prot: int) -> str:
    """Return permissions as dyld's messages write them."""
    bits = zip("rwx", (VM_PROT_READ, VM_PROT_WRITE, VM_PROT_EXECUTE), strict=True)
    return "".join(letter if prot & bit else "-" for letter, bit in bits)


def _sections(image: Image, segment: Segment, area: Window) -> Iterator[Finding]:
    """Check the section_64 (or section) structures that fill the rest of the load command."""
    # sectname, segname (skipped), addr, size
    form = struct.Struct(image.endian + ("16s16x2Q" if image.is_64 else "16s16x2I"))
    # `commands` tells of a number that does not fit: here as many are read as there is room for.
    # sizeof of segment_command_64 and section_64, and of the two of 32 bits (<mach-o/loader.h>).
    start, stride = (72, 80) if image.is_64 else (56, 68)
    number = min(segment.nsects, (len(area) - start) // stride)
    for at in range(start, start + number * stride, stride):
        raw, address, size = area.unpack(form, at, "section")
        name = raw.rstrip(b"\0").decode("utf-8", "backslashreplace")
        if size >= _HALF_OF_MEMORY or address < segment.vmaddr:
            yield _layout(f"section {name} lies outside {segment.name}")
        elif address + size > segment.vmaddr + segment.vmsize:
            message = f"section {name} ends after {segment.name}"
            yield dated(Code.SEGMENT_LAYOUT, message, image, Epoch.FALL_2020)


def _text(image: Image) -> Iterator[Finding]:
    text = next((segment for segment in image.segments if segment.name == "__TEXT"), None)
    if text is None:
        yield _layout("no __TEXT")
        return
    if text.fileoff:
        yield _layout(f"__TEXT begins at {text.fileoff:#x}, not at 0")
    header = _HEADER_64 if image.is_64 else _HEADER_32
    commands = sum(command.size for command in image.commands)
    if min(text.filesize, text.vmsize) < header + commands:
        yield _layout("the load commands do not fit into __TEXT")


def _together(image: Image) -> Iterator[Finding]:
    memory = [(seg.vmaddr, seg.vmaddr + seg.vmsize, seg.name) for seg in image.segments]
    file = [(seg.fileoff, seg.fileoff + seg.filesize, seg.name) for seg in image.segments]
    for what, ranges in (("memory", memory), ("contents", file)):
        for first, second in _overlapping(ranges):
            yield _layout(f"{first} and {second} overlap in {what}")
    since = Epoch.FALL_2025 if image.filetype == MH_EXECUTE else Epoch.FALL_2019
    for message in _disorder(image):
        yield dated(Code.SEGMENT_LAYOUT, message, image, since)
    names = Counter(segment.name for segment in image.segments)
    for name in (name for name, number in names.items() if number > 1 and is_managed(image)):
        message = f"{names[name]} segments are called {name}"
        yield dated(Code.SEGMENT_LAYOUT, message, image, Epoch.FALL_2025)


def _overlapping(ranges: Iterable[Range]) -> Iterator[tuple[str, str]]:
    """Return pairs of names, one for each range that begins before an earlier one has ended.

    dyld compares every pair; sorted, a file of thousands of segments is done as soon as one of few.
    """
    reach: Range | None = None
    for start, end, name in sorted(ranges):
        if reach is not None and start < reach[1] and end > reach[0]:
            yield reach[2], name
        if reach is None or end > reach[1]:
            reach = (start, end, name)


def _disorder(image: Image) -> Iterator[str]:
    legacy = (
        image.filetype == MH_EXECUTE
        and image.cputype == CPU_TYPE_X86_64
        and not image.flags & MH_PIE
    )
    # dyld leaves the last segment out, __LINKEDIT as a rule (`i < ranges.count()-1`).
    for first, second in pairwise(image.segments[:-1]):
        if second.filesize and second.fileoff < first.fileoff:
            yield f"{second.name} comes after {first.name} and lies before it in the file"
        if second.vmaddr < first.vmaddr and not legacy:
            yield f"{second.name} comes after {first.name} and lies before it in memory"

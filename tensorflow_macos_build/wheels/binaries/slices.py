"""What a wheel's member is to lipo: an image, a static archive, a universal file, or none of them.

Only a member's beginning is inflated to tell, except for a static archive, whose objects must all
be for one processor.
"""

from __future__ import annotations

import contextlib
import mmap
import tempfile
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.macho import archive, fat, image, lipo
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.dist_info.tags import MacosVersion

HEAD = 1 << 14
"""Bytes that are inflated of a binary at first; most have no more load commands."""

MAGIC = 8
"""Bytes that tell what a member is: a static archive's magic has eight, the others four."""

_LARGEST = 1 << 32
"""Bytes from which on a file is no machine code: its offsets have 32 bits."""


class CodeKind(Enum):
    """What lipo can make of a file."""

    IMAGE = "image"
    STATIC = "static archive"
    UNIVERSAL = "universal file"
    OTHER = "other file"


@dataclass(frozen=True, slots=True)
class JoinableSlice:
    """What a universal file would hold of a member.

    Attributes:
        kind: IMAGE or STATIC.
        new: its place in a layout: processor, size, alignment.
        minos: the macOS that it needs, for a static archive the latest of its objects'; None when
            it does not say.
        filetype: the image's type by its C name; "archive" for static archives.
        offset: where it begins in the member: 0, unless the member is a universal file of this one
            slice, as gfortran's libraries are.
    """

    kind: CodeKind
    new: lipo.NewSlice
    minos: MacosVersion | None
    filetype: str
    offset: int = 0

    @property
    def arch(self) -> str:
        """The architecture as lipo names it."""
        return self.new.name


class Unjoinable(ValueError):
    """A sound file that lipo refuses as a slice; the message says why, as the end of a sentence."""


def kind_of(head: bytes) -> CodeKind:
    """Return what lipo can make of a file whose first `MAGIC` bytes, or more, are given."""
    if image.is_image(head):
        return CodeKind.IMAGE
    if fat.is_fat(head):
        return CodeKind.UNIVERSAL
    return CodeKind.STATIC if archive.is_archive(head) else CodeKind.OTHER


def read_slice(wheel: Archive, member: Member) -> JoinableSlice | None:
    """Return what a universal file would hold of a member; None if lipo would refuse it.

    Raises:
        Unjoinable: lipo would refuse it, for a reason that a person should know.
        BrokenWheel: the member is damaged, or is no sound Mach-O file or static archive.
    """
    head = wheel.head(member, HEAD)
    try:
        match kind_of(head):
            case CodeKind.IMAGE:
                return _image(wheel, member, head, 0, member.size)
            case CodeKind.STATIC:
                return _static(wheel, member)
            case CodeKind.UNIVERSAL:
                return _only_slice(wheel, member, head)
            case CodeKind.OTHER:
                return None
    except MalformedMachO as error:
        raise wheel.broken(member.name, f"it is malformed: {error.evidence}") from None


def minimums(wheel: Archive, member: Member) -> Mapping[str, MacosVersion | None]:
    """Return the macOS that a member's machine code needs, by architecture as lipo names it.

    None stands for code that does not say. Empty: the member is no machine code, or none that can
    be read, so that no loader will take it.

    Raises:
        BrokenWheel: the member's data is damaged.
    """
    if member.size >= _LARGEST:
        return {}
    try:
        match kind_of(wheel.head(member, MAGIC)):
            case CodeKind.OTHER:
                return {}
            case CodeKind.IMAGE:
                head = wheel.head(member, HEAD)
                parsed = _parsed(wheel, member, head, 0, member.size)
                return {parsed.arch: parsed.minos}
            case CodeKind.STATIC | CodeKind.UNIVERSAL:
                with _spooled(wheel, member) as content:
                    return _latest(_code(content))
    except MalformedMachO:
        return {}


def _code(content: Window) -> Iterator[tuple[str, MacosVersion | None]]:
    """Yield the architecture and the minimum of every image and every object in a file."""
    head = content.part(0, min(MAGIC, len(content)), "magic").copy()
    match kind_of(head):
        case CodeKind.UNIVERSAL:
            for arch in fat.parse(content).arches:
                yield from _code_of_slice(content.part(arch.offset, arch.size, "slice"))
        case CodeKind.STATIC | CodeKind.IMAGE | CodeKind.OTHER:
            yield from _code_of_slice(content)


def _code_of_slice(content: Window) -> Iterator[tuple[str, MacosVersion | None]]:
    """Yield likewise for a file that is not universal, as no loader takes one in another."""
    head = content.part(0, min(MAGIC, len(content)), "magic").copy()
    match kind_of(head):
        case CodeKind.STATIC:
            objects = archive.parse(content)
            yield from ((part.arch, part.minos) for part in objects if part.arch is not None)
        case CodeKind.IMAGE:
            parsed = image.parse(content)
            yield parsed.arch, parsed.minos
        case CodeKind.UNIVERSAL | CodeKind.OTHER:
            return


def _latest(code: Iterator[tuple[str, MacosVersion | None]]) -> dict[str, MacosVersion | None]:
    latest: dict[str, MacosVersion | None] = {}
    for arch, minos in code:
        known = latest.get(arch)
        # Of an archive's objects a linker may take any, so that the latest counts for the whole.
        latest[arch] = known if minos is None else max(minos, known or minos)
    return latest


def _image(wheel: Archive, member: Member, head: bytes, offset: int, size: int) -> JoinableSlice:
    """Read an image of `size` bytes at `offset`, whose first bytes are `head`."""
    parsed = _parsed(wheel, member, head, offset, size)
    align = lipo.page_align(parsed.cputype)
    if align is None:
        raise MalformedMachO(f"its processor type {parsed.cputype} is unknown")
    new = lipo.NewSlice(parsed.cputype, parsed.cpusubtype, size, align)
    return JoinableSlice(CodeKind.IMAGE, new, parsed.minos, parsed.filetype_name, offset)


def _parsed(wheel: Archive, member: Member, head: bytes, offset: int, size: int) -> Image:
    length = image.commands_end(head)
    # What is too short, or no image, `parse` refuses in its own words.
    if length is not None and length > len(head):
        head = wheel.head(member, offset + length)[offset:]
    return image.parse(Window(head, 0, size))


def _only_slice(wheel: Archive, member: Member, head: bytes) -> JoinableSlice | None:
    """Read a universal file of one image; None if it has more, or is not laid out as by lipo."""
    arches = fat.parse(Window(head, 0, member.size)).arches
    # lipo never puts a slice that far in; and what stands before it is inflated at once.
    if len(arches) != 1 or arches[0].offset > 1 << lipo.MAXIMUM_ALIGN:
        return None
    (only,) = arches
    head = wheel.head(member, only.offset + HEAD)
    new = lipo.NewSlice(only.cputype, only.cpusubtype, only.size, only.align)
    # Only what lipo would put around the slice can be left out: `thin` makes it again.
    if head[: only.offset] != wrapping(new) or only.end != member.size:
        return None
    if kind_of(head[only.offset :]) is not CodeKind.IMAGE:
        return None
    slice = _image(wheel, member, head[only.offset :], only.offset, only.size)
    return replace(slice, new=new) if slice.arch == only.name else None


def wrapping(new: lipo.NewSlice) -> bytes:
    """Return what stands before the slice in a universal file that has it alone."""
    alone = lipo.layout([new])
    return alone.header + bytes(alone.arches[0].offset - len(alone.header))


def _static(wheel: Archive, member: Member) -> JoinableSlice:
    """Read a static archive.

    Its objects may be Mach-O files, LLVM IR objects, or both: llvm-lipo 19 only asks that all are
    for one processor. An archive of IR alone has no alignment there, any other a pointer's size.
    """
    firsts: dict[tuple[int, int], archive.ArchiveObject] = {}
    minos: MacosVersion | None = None
    is_bitcode = True
    with _spooled(wheel, member) as content:
        for part in archive.parse(content):
            if part.cputype is None or part.cpusubtype is None:
                what = "LLVM IR for no Mac" if part.is_bitcode else "no object file"
                raise Unjoinable(f"lipo refuses its {printable(part.name)}, which is {what}")
            firsts.setdefault((part.cputype, part.cpusubtype), part)
            minos = max(minos or part.minos, part.minos) if part.minos else minos
            is_bitcode = is_bitcode and part.is_bitcode
    if len(firsts) > 1:
        parts = " and ".join(sorted({f"{part.name} for {part.arch}" for part in firsts.values()}))
        raise Unjoinable(f"its objects are for different processors: {printable(parts)}")
    if not firsts:
        raise Unjoinable("it holds no object, so lipo cannot tell what it is for")
    ((cputype, cpusubtype),) = firsts
    align = 0 if is_bitcode else lipo.archive_align(cputype)
    new = lipo.NewSlice(cputype, cpusubtype, member.size, align)
    return JoinableSlice(CodeKind.STATIC, new, minos, "archive")


@contextlib.contextmanager
def _spooled(wheel: Archive, member: Member) -> Iterator[Window]:
    """Yield a window on all of a member's content, from a file that has no name."""
    # Mapped, so that the kernel may drop what is not looked at: libraries have hundreds of MB.
    with tempfile.TemporaryFile() as content:
        for piece in wheel.stream(member):
            content.write(piece)
        content.flush()
        with mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield Window.whole(mapped)

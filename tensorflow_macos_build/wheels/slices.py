"""What a wheel's member is to lipo: an image, a static archive, a universal file, or none of them.

Only a member's beginning is inflated to tell, except for a static archive, whose objects must all
be of one architecture.
"""

from __future__ import annotations

import mmap
import struct
import tempfile
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import archive, fat, image
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from tensorflow_macos_build.wheels.archive import Archive, Member

HEAD = 1 << 14
"""Bytes that are inflated to tell what a member is, at first."""


class Kind(Enum):
    """What lipo can make of a file."""

    IMAGE = "image"
    STATIC = "static archive"
    UNIVERSAL = "universal file"
    OTHER = "other file"


@dataclass(frozen=True, slots=True)
class Slice:
    """What a universal file would hold of a member.

    Attributes:
        kind: IMAGE or STATIC.
        new: its place in a layout: processor, size, alignment.
        minos: the macOS that it needs; None when it does not say (an object, a static archive).
        filetype: the image's type by its C name; "archive" for static archives.
        offset: where it begins in the member: 0, unless the member is a universal file of this one
            slice, as gfortran's libraries are.
    """

    kind: Kind
    new: fat.NewSlice
    minos: tuple[int, int] | None
    filetype: str
    offset: int = 0

    @property
    def arch(self) -> str:
        """The architecture as lipo names it."""
        return self.new.name


def kind_of(head: bytes) -> Kind:
    """Tell from a file's first 8 bytes or more what lipo can make of it."""
    if image.is_image(head):
        return Kind.IMAGE
    if fat.is_fat(head):
        return Kind.UNIVERSAL
    return Kind.STATIC if archive.is_archive(head) else Kind.OTHER


def read_slice(wheel: Archive, member: Member) -> Slice | None:
    """Give what a universal file would hold of a member; None if lipo would refuse it.

    Raises:
        BrokenWheel: the member is damaged, or is no sound Mach-O file or static archive.
    """
    head = wheel.head(member, HEAD)
    try:
        match kind_of(head):
            case Kind.IMAGE:
                return _image(wheel, member, head, 0, member.size)
            case Kind.STATIC:
                return _static(wheel, member)
            case Kind.UNIVERSAL:
                return _only_slice(wheel, member, head)
            case Kind.OTHER:
                return None
    except MalformedMachO as error:
        raise wheel.broken(member.name, f"it is malformed: {error}") from None


def _image(wheel: Archive, member: Member, head: bytes, offset: int, size: int) -> Slice:
    """Read an image of `size` bytes at `offset`, whose first bytes are `head`."""
    if len(head) >= 24:
        length = 32 + min(*struct.unpack_from("<L", head, 20), image.MAXIMUM_COMMANDS_SIZE)
        head = head if length <= len(head) else wheel.head(member, offset + length)[offset:]
    found = image.parse(Window(head, 0, size))
    align = fat.page_align(found.cputype)
    if align is None:
        raise MalformedMachO(f"its processor type {found.cputype} is unknown")
    minos = [build.minos[:2] for build in found.builds if build.is_macos]
    new = fat.NewSlice(found.cputype, found.cpusubtype, size, align)
    return Slice(Kind.IMAGE, new, max(minos, default=None), found.filetype_name, offset)


def _only_slice(wheel: Archive, member: Member, head: bytes) -> Slice | None:
    """Read a universal file of one image; None if it has more, or is not laid out as by lipo."""
    arches = fat.parse(Window(head, 0, member.size)).arches
    if len(arches) != 1 or arches[0].offset > 1 << fat.MAXIMUM_ALIGN:
        return None
    (only,) = arches
    head = wheel.head(member, only.offset + HEAD)
    new = fat.NewSlice(only.cputype, only.cpusubtype, only.size, only.align)
    if head[: only.offset] != wrapping(new) or only.end != member.size:
        return None
    if kind_of(head[only.offset :]) is not Kind.IMAGE:
        return None
    found = _image(wheel, member, head[only.offset :], only.offset, only.size)
    return replace(found, new=new) if found.arch == only.name else None


def wrapping(new: fat.NewSlice) -> bytes:
    """Give what stands before the slice in a universal file that has it alone."""
    alone = fat.layout([new])
    return alone.header + bytes(alone.arches[0].offset - len(alone.header))


def _static(wheel: Archive, member: Member) -> Slice | None:
    """Read a static archive; None when it holds no object, as lipo cannot tell what it is for."""
    with tempfile.TemporaryFile() as content:
        for piece in wheel.stream(member):
            content.write(piece)
        content.flush()
        with mmap.mmap(content.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            objects = list(archive.parse(Window.whole(mapped)))
    found = {(one.cputype, one.cpusubtype) for one in objects}
    if len(found) > 1:
        raise MalformedMachO("it holds objects of several architectures, or files of other kinds")
    cputype, cpusubtype = next(iter(found), (None, None))
    if cputype is None or cpusubtype is None:
        return None
    new = fat.NewSlice(cputype, cpusubtype, member.size, fat.archive_align(cputype))
    return Slice(Kind.STATIC, new, None, "archive")

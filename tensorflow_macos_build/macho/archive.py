"""Static archives (`.a`): which objects they hold, of which architecture.

Source: <ar.h>, and the BSD form of long names ("#1/length", the name before the contents) that
Apple's tools write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import bitcode, image
from tensorflow_macos_build.macho.constants import arch_name
from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.window import Window

ARMAG = b"!<arch>\n"
_HEADER_SIZE = 60  # struct ar_hdr: all its fields are text, padded by spaces
_ARFMAG = b"`\n"
_BSD_NAME = b"#1/"
_INDEXES = (
    "__.SYMDEF",
    "__.SYMDEF SORTED",
    "__.SYMDEF_64",
    "__.SYMDEF_64 SORTED",
    "/",
    "//",
    "/SYM64/",
)
"""Members that are tables of the others' symbols and names: ranlib's (<mach-o/ranlib.h>), and those
of System V and GNU archives."""


@dataclass(frozen=True, slots=True)
class ArchiveObject:
    """A file in an archive.

    Attributes:
        name: its name; the archive's own index is left out.
        arch: its architecture as lipo names it; None when it is no object to lipo.
        cputype: CPU_TYPE_… of a Mach-O file, or that an LLVM IR object is for; else None.
        cpusubtype: CPU_SUBTYPE_…, likewise.
        minos: the macOS that a Mach-O file was built for; None when it does not say.
        is_bitcode: whether it is an LLVM IR object.
    """

    name: str
    arch: str | None
    cputype: int | None
    cpusubtype: int | None
    minos: tuple[int, int] | None = None
    is_bitcode: bool = False


def is_archive(head: bytes) -> bool:
    """Whether a file is a static archive, by its first 8 bytes or more."""
    return head.startswith(ARMAG)


def parse(file: Window) -> Iterator[ArchiveObject]:
    """Return the objects of an archive in order.

    Raises:
        MalformedMachO: it is no archive, or a member's header lies.
    """
    if not is_archive(file.part(0, min(len(ARMAG), len(file)), "ARMAG").copy()):
        raise MalformedMachO("this is no static archive", offset=file.start)
    at = len(ARMAG)
    while at < len(file):
        header = file.part(at, _HEADER_SIZE, "ar_hdr").copy()
        size = _number(header[48:58], file.start + at)
        if header[58:] != _ARFMAG:
            raise MalformedMachO("ar_fmag is missing", command="ar_hdr", offset=file.start + at)
        contents = file.part(at + _HEADER_SIZE, size, "archive member")
        name = header[:16].rstrip(b" ")
        if name.startswith(_BSD_NAME):
            # The name is padded by NULs, so that the object behind it is aligned.
            length = _number(name[len(_BSD_NAME) :], file.start + at)
            name = contents.part(0, length, "archive member's name").copy().rstrip(b"\0")
            contents = contents.part(length, size - length, "archive member")
        text = name.decode("utf-8", "backslashreplace")
        if text not in _INDEXES:
            yield _object(text, contents)
        at += _HEADER_SIZE + size + size % 2  # headers lie at even offsets


def _object(name: str, contents: Window) -> ArchiveObject:
    magic = contents.part(0, min(4, len(contents)), "magic").copy()
    if bitcode.is_bitcode(magic):
        cpu = bitcode.cpu(contents)
        arch = None if cpu is None else arch_name(*cpu)
        cputype, cpusubtype = cpu or (None, None)
        return ArchiveObject(name, arch, cputype, cpusubtype, is_bitcode=True)
    if not image.is_image(magic):
        return ArchiveObject(name, None, None, None)
    parsed = image.parse(contents)
    return ArchiveObject(name, parsed.arch, parsed.cputype, parsed.cpusubtype, parsed.minos)


def _number(text: bytes, offset: int) -> int:
    digits = text.strip(b" ")
    if not digits.isdigit():
        raise MalformedMachO(f"{text!r} is no size", command="ar_hdr", offset=offset)
    return int(digits)

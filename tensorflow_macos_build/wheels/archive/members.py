"""What a wheel's members are, and what a wheel may claim of them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.errors import WorkFailed, printable

if TYPE_CHECKING:
    from pathlib import Path


class CompressionMethod(IntEnum):
    """How a member's data is stored; the numbers are the format's (APPNOTE.TXT 4.4.5)."""

    STORED = 0
    DEFLATED = 8


class BrokenWheel(WorkFailed):
    """A wheel that is not a sound zip file, or holds what no wheel may hold."""


@dataclass(frozen=True)
class ArchiveLimits:
    """What a wheel may claim before it is refused as a bomb.

    Attributes:
        members: number of members; TensorFlow's wheels have 10,000.
        total: sum of the members' declared sizes, in bytes.
        ratio: that sum over the file's own size; judged only above `ratio_from` bytes. Deflate
            makes at most 1,032 of one byte.
        ratio_from: declared total from which `ratio` is judged, in bytes: what is less can do no
            harm, and a small file of zeros is no bomb.
    """

    members: int = 500_000
    total: int = 64 << 30
    ratio: int = 200
    ratio_from: int = 256 << 20


class Member(NamedTuple):
    """One file in a wheel, as both of its headers describe it.

    A tuple, as rows of RECORD are: wheels have ten thousand of each, and a frozen dataclass takes
    four times as long to make.

    Attributes:
        name: path in the wheel, parts joined by slashes.
        method: how the data is stored.
        crc: CRC-32 of the content, as declared.
        size: content's bytes, as declared.
        compressed: bytes of the data as it lies in the file.
        offset: where that data begins in the file.
        executable: whether installers let it be executed.
    """

    name: str
    method: CompressionMethod
    crc: int
    size: int
    compressed: int
    offset: int
    executable: bool


def broken(path: Path, name: str, what: str) -> BrokenWheel:
    """Make the error of the member `name`, or of the whole wheel when `name` is empty."""
    where = f"{path.name}: {printable(name)}" if name else path.name
    return BrokenWheel(printable(what), where=where, hint="get the wheel again from where it came")

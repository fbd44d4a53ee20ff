"""Writing wheels so that the same members give the same bytes on every machine.

Times are the format's zero, modes are 0644 or 0755, headers hold the sizes (no data descriptors),
and ZIP64 records stand only where a number needs them. Data comes ready made: what is deflated
arrives deflated, so that no byte depends on a version of zlib.

Format: PKWARE's APPNOTE.TXT 6.3.10; numbers of sections are that document's.
"""

from __future__ import annotations

import stat
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build.wheels.archive import records
from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.inflate.engine import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

# Versions needed to extract (4.4.3.2): 2.0 for deflate, 4.5 for ZIP64.
_VERSION = 20
_VERSION_ZIP64 = 45
# UNIX (4.4.2.2). What external attributes hold is the system's own (4.4.15): since Info-ZIP their
# upper half is st_mode then.
_CREATED_ON_UNIX = 3 << 8
_DATE_1980_01_01 = (1 << 5) | 1  # day and month; years count from 1980 (MS-DOS), so no is earlier


@dataclass(frozen=True, slots=True)
class NewMember:
    """What is to be written of one member besides its data.

    Attributes:
        name: path in the wheel, parts joined by slashes.
        method: how the data that follows is stored.
        crc: CRC-32 of the content.
        size: the content's bytes.
        compressed: the data's bytes.
        executable: whether the file gets mode 0755 instead of 0644.
    """

    name: str
    method: CompressionMethod
    crc: int
    size: int
    compressed: int
    executable: bool = False


class Sink(Protocol):
    """What a wheel's bytes go to: a file, or something on the way to one."""

    def write(self, piece: bytes, /) -> int:
        """Take all of `piece`."""


class WheelWriter:
    """Writes members one after another, then the directory; it never seeks."""

    def __init__(self, stream: Sink) -> None:
        self._stream = stream
        self._offset = 0
        self._directory: list[bytes] = []

    def add(self, entry: NewMember, data: Iterable[bytes]) -> None:
        """Write one member.

        Raises:
            ValueError: `data` is not as long as `entry` says; the file is then useless.
        """
        start = self._offset
        self._put(_local(entry))
        before = self._offset
        for piece in data:
            self._put(piece)
        if self._offset - before != entry.compressed:
            raise ValueError(f"{entry.name}: {self._offset - before} bytes, not {entry.compressed}")
        self._directory.append(_central(entry, start))

    def add_stored(self, name: str, content: bytes, *, executable: bool = False) -> None:
        """Write one member whose content is at hand, as it is."""
        size = len(content)
        entry = NewMember(name, CompressionMethod.STORED, crc32(content), size, size, executable)
        self.add(entry, (content,))

    def finish(self) -> None:
        """Write the central directory and the end record."""
        start, count = self._offset, len(self._directory)
        for header in self._directory:
            self._put(header)
        length = self._offset - start
        # All ones means a look at the ZIP64 record, so a number that is just that needs one, too.
        if count >= records.MASK16 or start >= records.MASK32 or length >= records.MASK32:
            self._put(_end64(count, length, start, self._offset))
        count16 = min(count, records.MASK16)
        sizes = min(length, records.MASK32), min(start, records.MASK32)
        self._put(records.END.pack(records.END_SIGNATURE, 0, 0, count16, count16, *sizes, 0))

    def _put(self, piece: bytes) -> None:
        self._stream.write(piece)
        self._offset += len(piece)


def order(names: Iterable[str], dist_info: str) -> list[str]:
    """Sort members' names by code point, those of the folder `dist_info` last, RECORD at the end.

    The format recommends dist-info at the end, so that it can be changed without a rewrite (PyPA's
    binary distribution format, "Recommended archiver features").
    """

    def key(name: str) -> tuple[bool, bool, str]:
        return name == f"{dist_info}/RECORD", name.startswith(f"{dist_info}/"), name

    return sorted(names, key=key)


def _local(entry: NewMember) -> bytes:
    name, flags = _encoded(entry.name)
    # In a local header the ZIP64 field must have both sizes, though one alone is large (4.5.3).
    wide = _wide(entry.size, entry.compressed) if _is_large(entry) else b""
    sizes = (records.MASK32, records.MASK32) if wide else (entry.compressed, entry.size)
    fixed = records.LOCAL.pack(
        records.LOCAL_SIGNATURE,
        _VERSION_ZIP64 if wide else _VERSION,
        flags,
        entry.method,
        0,
        _DATE_1980_01_01,
        entry.crc,
        *sizes,
        len(name),
        len(wide),
    )
    return fixed + name + wide


def _central(entry: NewMember, offset: int) -> bytes:
    name, flags = _encoded(entry.name)
    large = _is_large(entry)
    # The order of the numbers is fixed (4.5.3), and those that fit elsewhere are left out.
    numbers = [entry.size, entry.compressed] if large else []
    numbers += [offset] if offset >= records.MASK32 else []
    wide = _wide(*numbers) if numbers else b""
    version = _VERSION_ZIP64 if wide else _VERSION
    sizes = (records.MASK32, records.MASK32) if large else (entry.compressed, entry.size)
    mode = stat.S_IFREG | (0o755 if entry.executable else 0o644)
    fixed = records.CENTRAL.pack(
        records.CENTRAL_SIGNATURE,
        _CREATED_ON_UNIX | version,
        version,
        flags,
        entry.method,
        0,
        _DATE_1980_01_01,
        entry.crc,
        *sizes,
        len(name),
        len(wide),
        *(0, 0, 0),
        mode << 16,
        min(offset, records.MASK32),
    )
    return fixed + name + wide


def _end64(count: int, length: int, start: int, position: int) -> bytes:
    versions = (_CREATED_ON_UNIX | _VERSION_ZIP64, _VERSION_ZIP64)
    # 44: the record's 56 bytes without its signature and this very number.
    record = records.END64.pack(
        records.END64_SIGNATURE, 44, *versions, 0, 0, count, count, length, start
    )
    return record + records.LOCATOR64.pack(records.LOCATOR64_SIGNATURE, 0, position, 1)


def _is_large(entry: NewMember) -> bool:
    return max(entry.size, entry.compressed) >= records.MASK32


def _wide(*numbers: int) -> bytes:
    return struct.pack(f"<2H{len(numbers)}Q", records.EXTRA_ZIP64, 8 * len(numbers), *numbers)


def _encoded(name: str) -> tuple[bytes, int]:
    # Pure ASCII goes without the flag, as every tool reads that alike.
    return name.encode("utf-8"), 0 if name.isascii() else records.FLAG_UTF8

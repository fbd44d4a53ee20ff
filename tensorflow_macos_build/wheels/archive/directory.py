"""The structure of a wheel's zip file: both headers of every member, checked against each other.

The members must tile the file from its first byte to the central directory, so that nothing
hides, overlaps or is said twice. What does not is refused with the wheel and the member named.

Format: PKWARE's APPNOTE.TXT 6.3.10; numbers of sections are that document's.
"""

from __future__ import annotations

import functools
import os
import stat
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.wheels.archive import member_names, records
from tensorflow_macos_build.wheels.archive.members import (
    ArchiveLimits,
    BrokenWheel,
    CompressionMethod,
    Member,
    broken,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_HIDDEN = records.FLAG_ENCRYPTED | records.FLAG_STRONG_ENCRYPTION | records.FLAG_MASKED
_METHODS = {int(method): method for method in CompressionMethod}
_EXECUTABLE = 0o111
"""The bits of which any makes installers let a regular file be executed."""
_MAX_DEFLATE_RATIO = 1032
"""No deflate stream grows by more: a match of 258 bytes takes at least two bits."""


_REPEATED = slice(6, 32)
"""What a member's two headers have alike, in the central one's bytes: from the version that is
needed to extract it to the lengths of its name and its extra field (4.3.7 and 4.3.12)."""


class DirectoryEntry(NamedTuple):
    """What the central directory says of one member.

    Attributes:
        local: the local header that says the very same, up to its extra field.
        name: path in the wheel, parts joined by slashes; a folder's ends with one.
        flags: its general purpose bit flag.
        method: how its data is stored.
        crc: CRC-32 of its content.
        size: the content's bytes.
        compressed: its data's bytes.
        header: where its local header begins in the file.
        mode: its st_mode, as UNIX has it.
        has_extra: whether it has an extra field.
    """

    local: bytes
    name: str
    flags: int
    method: int
    crc: int
    size: int
    compressed: int
    header: int
    mode: int
    has_extra: bool


class DirectoryReader:
    """Reads the structure of one open file; `members` is the whole of its work."""

    def __init__(self, path: Path, descriptor: int, limits: ArchiveLimits) -> None:
        self._path = path
        self._descriptor = descriptor
        self._limits = limits
        self._size = os.fstat(descriptor).st_size

    def members(self) -> Mapping[str, Member]:
        start, length, count = self._directory()
        entries = self._entries(self._read(start, length), count)
        self._check_names(entries)
        self._check_limits(entries)
        entries.sort(key=lambda entry: entry.header)
        starts = [entry.header for entry in entries] + [start]
        if starts[0] != 0:
            raise self._broken("", "bytes stand before its first member")
        members = {}
        for entry, end in zip(entries, starts[1:], strict=True):
            member = self._member(entry, end)
            # A name that ends with a slash is a folder; installers make those that files lie in.
            if not entry.name.endswith("/"):
                members[entry.name] = member
        return MappingProxyType(members)

    def _directory(self) -> tuple[int, int, int]:
        """Find the central directory: its offset, its length, its number of entries."""
        # Readers search backwards for the end record, as a comment may follow it; in a comment a
        # second one can hide. So it must be the file's very end.
        position = self._size - records.END.size
        tail = self._read(position, records.END.size) if position >= 0 else b""
        if tail[:4] != records.END_SIGNATURE:
            raise self._no_end()
        _, disk, start_disk, here, count, length, start, comment = records.END.unpack(tail)
        if comment:
            raise self._broken("", "it is cut short: the comment that it declares is missing")
        locator = self._locator64(position)
        if locator is not None:
            position = locator
            disk, start_disk, here, count, length, start = self._end64(
                position, (disk, start_disk, here, count, length, start)
            )
        # A number that does not fit is all ones here and stands in the ZIP64 record (4.4.1.4).
        elif records.MASK32 in (length, start) or records.MASK16 in (here, count):
            raise self._broken("", "its ZIP64 records are missing")
        if (disk, start_disk) != (0, 0) or here != count:
            raise self._broken("", "it is a part of a zip file on several disks")
        if start + length != position:
            raise self._broken("", "its central directory is not where its end record says")
        if count > self._limits.members:
            raise self._broken("", f"it has {count} members, more than {self._limits.members}")
        return start, length, count

    def _no_end(self) -> BrokenWheel:
        tail = self._read(
            max(0, self._size - records.END.size - records.MASK16),
            records.END.size + records.MASK16,
        )
        at = tail.rfind(records.END_SIGNATURE)
        if at < 0:
            return self._broken("", "it is not a whole zip file: the end record is missing")
        return self._broken("", "a comment or other bytes follow its end record")

    def _locator64(self, end: int) -> int | None:
        position = end - records.LOCATOR64.size
        if position < 0:
            return None
        signature, disk, offset, disks = records.LOCATOR64.unpack(
            self._read(position, records.LOCATOR64.size)
        )
        if signature != records.LOCATOR64_SIGNATURE:
            return None
        if (disk, disks) != (0, 1) or offset + records.END64.size != position:
            raise self._broken("", "its ZIP64 end record is not where its locator says")
        return int(offset)

    def _end64(self, position: int, small: Sequence[int]) -> tuple[int, ...]:
        signature, size, _, _, *large = records.END64.unpack(
            self._read(position, records.END64.size)
        )
        # Its size does not count the signature and itself (4.3.14.1); more would be the
        # extensible data sector, whose use is reserved.
        if signature != records.END64_SIGNATURE or size != records.END64.size - 12:
            raise self._broken("", "its ZIP64 end record is malformed")
        for index, (narrow, wide) in enumerate(zip(small, large, strict=True)):
            # Disks and counts have 16 bits in the small record, length and offset 32.
            if narrow not in (wide, records.MASK32 if index > 3 else records.MASK16):
                raise self._broken("", "its two end records contradict each other")
        return tuple(large)

    def _entries(self, directory: bytes, count: int) -> list[DirectoryEntry]:
        entries, position = [], 0
        while position < len(directory):
            entry, position = self._entry(directory, position)
            entries.append(entry)
        if len(entries) != count:
            raise self._broken("", f"its directory holds {len(entries)} entries, not {count}")
        return entries

    def _entry(self, directory: bytes, position: int) -> tuple[DirectoryEntry, int]:
        fixed = directory[position : position + records.CENTRAL.size]
        if len(fixed) < records.CENTRAL.size or fixed[:4] != records.CENTRAL_SIGNATURE:
            raise self._broken("", "its central directory is malformed")
        _, _, _, flags, method, _, _, crc, compressed, size, *rest = records.CENTRAL.unpack(fixed)
        name_length, extra_length, comment_length, disk, _, attributes, header = rest
        name_at = position + records.CENTRAL.size
        extra_at = name_at + name_length
        end = extra_at + extra_length + comment_length
        if end > len(directory):
            raise self._broken("", "its central directory is cut short")
        raw_name = directory[name_at:extra_at]
        name = self._decoded(raw_name, flags)
        # Nearly every member has neither an extra field nor a number that would need one.
        if extra_length or records.MASK32 in (size, compressed, header):
            fields = self._extra_fields(name, directory[extra_at : extra_at + extra_length])
            size, compressed, header = self._wide(name, fields, (size, compressed, header))
            if records.EXTRA_UNICODE_PATH in fields:
                raise self._broken(name, "it has a second name in an extra field")
        if disk or comment_length:
            raise self._broken(name, "it has a comment or lies on another disk")
        local = records.LOCAL_SIGNATURE + fixed[_REPEATED] + raw_name
        declared = (crc, size, compressed, header, attributes >> 16, bool(extra_length))
        return DirectoryEntry(local, name, flags, method, *declared), end

    def _decoded(self, raw_name: bytes, flags: int) -> str:
        if raw_name.isascii():
            return raw_name.decode("ascii")
        shown = raw_name.decode("ascii", "backslashreplace")
        # Without flag 11 a name is in code page 437 (appendix D.1), and readers guess otherwise.
        if not flags & records.FLAG_UTF8:
            raise self._broken(shown, "its name is neither ASCII nor marked as UTF-8")
        try:
            return raw_name.decode("utf-8")
        except UnicodeDecodeError:
            raise self._broken(shown, "its name is not UTF-8") from None

    def _extra_fields(self, name: str, extra: bytes) -> dict[int, bytes]:
        fields: dict[int, bytes] = {}
        position = 0
        while position + 4 <= len(extra):
            kind, length = struct.unpack_from("<2H", extra, position)
            if kind in fields:
                raise self._broken(name, "it has the same extra field twice")
            fields[kind] = extra[position + 4 : position + 4 + length]
            position += 4 + length
        # Some tools, zipalign for one, pad with fewer than the four bytes of a field's head.
        if position > len(extra) or extra[position:].strip(b"\x00"):
            raise self._broken(name, "its extra fields are malformed")
        return fields

    def _wide(
        self, name: str, fields: Mapping[int, bytes], small: tuple[int, ...]
    ) -> tuple[int, ...]:
        """Put the ZIP64 field's numbers where the header's own say that they are too narrow.

        The field has just those numbers whose place in the header is all ones, in the order size,
        compressed size, offset of the header (4.5.3).
        """
        missing = small.count(records.MASK32)
        if not missing:
            return small
        field = fields.get(records.EXTRA_ZIP64, b"")
        if len(field) < 8 * missing:
            raise self._broken(name, "its ZIP64 sizes are missing")
        wide = iter(struct.unpack_from(f"<{missing}Q", field))
        return tuple(next(wide) if number == records.MASK32 else number for number in small)

    def _check_names(self, entries: Sequence[DirectoryEntry]) -> None:
        seen: set[str] = set()
        for entry in entries:
            if reason := member_names.fault(entry.name):
                raise self._broken(entry.name, reason)
            if entry.name in seen:
                raise self._broken(entry.name, "it is in the wheel twice")
            seen.add(entry.name)
        for later, earlier in member_names.collisions(entry.name for entry in entries):
            raise self._broken(later, f"it cannot be unpacked beside `{earlier}` on a Mac")

    def _check_limits(self, entries: Sequence[DirectoryEntry]) -> None:
        limits, total = self._limits, sum(entry.size for entry in entries)
        if total > limits.total:
            raise self._broken("", f"it declares {total} bytes, more than {limits.total}")
        if total > limits.ratio_from and total > limits.ratio * self._size:
            raise self._broken("", f"it would grow {total // self._size} times when unpacked")
        for entry in entries:
            if entry.size > _MAX_DEFLATE_RATIO * entry.compressed + _MAX_DEFLATE_RATIO:
                raise self._broken(entry.name, "it declares more bytes than its data can hold")

    def _member(self, entry: DirectoryEntry, end: int) -> Member:
        """Check one member's local header against `entry`; `end` is where its space ends."""
        self._check_kind(entry)
        # One read for all of it: the name must be as long as the directory has it.
        head = self._read(entry.header, len(entry.local))
        data = entry.header + len(head)
        # Nearly always the two headers are the same bytes.
        if head != entry.local or entry.has_extra:
            data += self._compare_local(entry, head)
        self._check_space(entry, data + entry.compressed, end)
        return Member(
            entry.name,
            _METHODS[entry.method],
            entry.crc,
            entry.size,
            entry.compressed,
            data,
            # Whatever system made the wheel, but not where the mode has no kind of file: so do pip
            # (zip_item_is_executable) and installer (WheelFile.get_contents); uv asks for no kind.
            executable=bool(entry.mode & _EXECUTABLE) and stat.S_ISREG(entry.mode),
        )

    def _compare_local(self, entry: DirectoryEntry, head: bytes) -> int:
        """Check that a local header agrees with `entry`; return the bytes of its extra field."""
        fixed, name = head[: records.LOCAL.size], head[records.LOCAL.size :]
        if len(fixed) < records.LOCAL.size or fixed[:4] != records.LOCAL_SIGNATURE:
            raise self._broken(entry.name, "its local header is not where the directory says")
        _, _, flags, method, _, _, crc, compressed, size, name_length, extra_length = (
            records.LOCAL.unpack(fixed)
        )
        extra = self._read(entry.header + records.LOCAL.size + name_length, extra_length)
        fields = self._extra_fields(entry.name, extra)
        size, compressed = self._wide(entry.name, fields, (size, compressed))
        raw_name = entry.local[records.LOCAL.size :]
        if name_length != len(raw_name) or name != raw_name:
            raise self._broken(entry.name, "its local header gives it another name")
        if (flags, method) != (entry.flags, entry.method):
            raise self._broken(entry.name, "its two headers differ in method or flags")
        local = (crc, size, compressed)
        # A writer that could not seek back left these numbers zero and wrote them after the data.
        later = entry.flags & records.FLAG_DESCRIPTOR
        if local != (entry.crc, entry.size, entry.compressed) and not (later and not any(local)):
            raise self._broken(entry.name, "its two headers differ in CRC or sizes")
        return int(extra_length)

    def _check_kind(self, entry: DirectoryEntry) -> None:
        """Refuse what is no plain file or empty folder, stored or deflated."""
        folder = entry.name.endswith("/")
        if reason := _kind_fault(entry.flags, entry.method, stat.S_IFMT(entry.mode), folder):
            raise self._broken(entry.name, reason)
        if folder and (entry.size or entry.crc):
            raise self._broken(entry.name, "it is a folder that holds data")
        if entry.method == CompressionMethod.STORED and entry.size != entry.compressed:
            raise self._broken(entry.name, "it is stored and has two sizes")

    def _check_space(self, entry: DirectoryEntry, data_end: int, end: int) -> None:
        """Check that the data, and its descriptor when there is one, end where the next begins."""
        left = end - data_end
        if left < 0:
            raise self._broken(entry.name, "its data overlaps what follows it")
        if not entry.flags & records.FLAG_DESCRIPTOR:
            if left:
                raise self._broken(entry.name, f"{left} bytes stand after its data unexplained")
            return
        # CRC and sizes, these in 4 or 8 bytes, and before them a signature or none (4.3.9): how
        # long it is, is told by the space alone. One byte more than the longest form is enough.
        descriptor = self._read(data_end, min(left, 25))
        forms = {12: "<3L", 16: "<4x3L", 20: "<L2Q", 24: "<4xL2Q"}
        if left not in forms or (
            left in (16, 24) and descriptor[:4] != records.DESCRIPTOR_SIGNATURE
        ):
            raise self._broken(entry.name, "its data descriptor is malformed")
        if struct.unpack(forms[left], descriptor) != (entry.crc, entry.compressed, entry.size):
            raise self._broken(entry.name, "its data descriptor contradicts the directory")

    def _read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def _broken(self, name: str, what: str) -> BrokenWheel:
        return broken(self._path, name, what)


@functools.cache
def _kind_fault(flags: int, method: int, kind: int, folder: bool) -> str | None:
    """Return why a member of these flags, this method and this S_IFMT is refused; None: it is not.

    All members of a wheel have the same few of them.
    """
    if flags & _HIDDEN:
        return "it is encrypted"
    if method not in _METHODS:
        return f"its compression method {method} is not one of wheels"
    if kind == stat.S_IFLNK:
        return "it is a symbolic link, which installers write as a text file"
    # No kind at all is sound: Python's ZipFile.writestr sets permissions alone, others nothing.
    if kind not in (0, stat.S_IFDIR if folder else stat.S_IFREG):
        return "it is neither a file nor a folder"
    return None

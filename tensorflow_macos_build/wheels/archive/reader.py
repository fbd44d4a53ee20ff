"""Wheels as zip files, read without trust.

Every member has two descriptions, one in the central directory and one before its data; tools
differ in which they believe: one wheel installed other files by uv than by pip (CVE-2025-54368).
Here both are read and must agree (`directory`). Contents are streamed: memory does not grow with a
member's size, and inflating stops at the declared size.

Format: PKWARE's APPNOTE.TXT 6.3.10, methods stored and deflated.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive.directory import DirectoryReader
from tensorflow_macos_build.wheels.archive.members import (
    ArchiveLimits,
    BrokenWheel,
    CompressionMethod,
    Member,
    broken,
)
from tensorflow_macos_build.wheels.inflate import engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_Piece = TypeVar("_Piece", bytes, memoryview)

CHUNK = 1 << 18
"""Bytes that are read or inflated at a time."""

_CODES = 290
"""Bytes before a deflate block's content at most: its header's 17 bits, 19 lengths of 3 bits, and
by those the lengths of 320 codes in 7 bits each (RFC 1951, 3.2.7)."""

_TEXT_LIMIT = 64 << 20
"""Largest member that is read at once unless its reader says otherwise, in bytes."""


@dataclass(frozen=True)
class Archive:
    """An open wheel. Its methods may be called from several threads at once.

    Attributes:
        path: the wheel's file.
        members: its files by name, in the order of their data; folders are left out.
    """

    path: Path
    members: Mapping[str, Member]
    _descriptor: int = field(repr=False)

    def raw(self, member: Member, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Return the member's data as it lies in the file, in pieces of at most `chunk` bytes."""
        return self.range(member.offset, member.compressed, chunk=chunk)

    def range(self, offset: int, length: int, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Return `length` bytes of the wheel's file from `offset`, in pieces.

        Raises:
            BrokenWheel: the file has become shorter since it was opened.
        """
        end = offset + length
        # pread() leaves the descriptor's own position alone: threads do not disturb each other.
        while offset < end:
            piece = os.pread(self._descriptor, min(chunk, end - offset), offset)
            if not piece:
                raise self.broken("", "the file ends too early; it changed while it was read")
            yield piece
            offset += len(piece)

    def stream(self, member: Member, *, chunk: int = CHUNK) -> Iterator[bytes]:
        """Return the member's content in pieces of at most `chunk` bytes; check size and CRC.

        Raises:
            BrokenWheel: the data is not what the headers declare. Everything given until then
                must be dropped.
        """
        # Nearly every member of a wheel is small: it is read, inflated and checked in one go each.
        if member.size <= chunk and member.compressed <= CHUNK:
            content = self._whole(member)
            if content is not None:
                if content:
                    yield content
                return
        yield from self._checked(member, self._content(member, chunk))

    def views(self, member: Member) -> Iterator[bytes | memoryview]:
        """Return what `stream` does; a piece is there until the next one is asked for.

        Of large members that takes a tenth less time: zlib's Python interface makes room for each
        piece anew, and moves what it has as that grows.
        """
        if member.method is CompressionMethod.STORED or member.size <= CHUNK:
            return self.stream(member)
        return self._checked(member, self._in_place(member))

    def _checked(self, member: Member, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
        size = crc = 0
        for piece in pieces:
            size += len(piece)
            if size > member.size:
                raise self.broken(member.name, f"its content is longer than {member.size} bytes")
            crc = engine.crc32(piece, crc)
            yield piece
        if size != member.size:
            raise self.broken(member.name, f"it holds {size} bytes and declares {member.size}")
        if crc != member.crc:
            raise self.broken(
                member.name, f"its CRC-32 is {crc:08x} and {member.crc:08x} is declared"
            )

    def _whole(self, member: Member) -> bytes | None:
        """Return the content of a small member; None where something is wrong with it."""
        content = os.pread(self._descriptor, member.compressed, member.offset)
        zlib = engine.for_size(member.size)
        if member.method is not CompressionMethod.STORED:
            inflater = zlib.raw_inflater()
            try:
                # One byte more than is declared, so that more content does not pass for the end.
                content = inflater.decompress(content, member.size + 1)
            except zlib.error:
                return None
            if not inflater.eof or inflater.unused_data:
                return None
        is_sound = len(content) == member.size and zlib.crc32(content, 0) == member.crc
        return content if is_sound else None

    def head(self, member: Member, size: int) -> bytes:
        """Return the first `size` bytes of the member's content, or all if it has fewer.

        Raises:
            BrokenWheel: they cannot be inflated. The rest of the member is not judged.
        """
        # Data nearly always holds as many bytes of content as it has, behind a block's codes.
        length = min(size + _CODES, CHUNK)
        head = self._begun(member, min(length, member.compressed), size)
        if len(head) == size:
            return head
        head = b""
        for piece in self._content(member, size, raw=length):
            head += piece
            if len(head) >= size:
                break
        return head[:size]

    def _begun(self, member: Member, length: int, size: int) -> bytes:
        """Return what the first `length` bytes of data hold of the first `size` of content."""
        data = os.pread(self._descriptor, length, member.offset)
        if member.method is CompressionMethod.STORED:
            return data[:size]
        zlib = engine.for_size(member.size)
        with contextlib.suppress(zlib.error):
            return zlib.raw_inflater().decompress(data, size)
        return b""

    def read(self, member: Member, *, limit: int = _TEXT_LIMIT) -> bytes:
        """Return the whole content of a small member.

        Raises:
            BrokenWheel: it declares more than `limit` bytes, or its data is broken.
        """
        if member.size > limit:
            raise self.broken(member.name, f"it is larger than the {limit} bytes read at once")
        return b"".join(self.stream(member))

    def sha256(self, member: Member) -> bytes:
        """Return the SHA-256 of the member's content; size and CRC are checked on the way."""
        digest = hashlib.sha256()
        for piece in self.stream(member):
            digest.update(piece)
        return digest.digest()

    def broken(self, name: str, what: str) -> BrokenWheel:
        """Make the error that says what is wrong with the member called `name`."""
        return broken(self.path, name, what)

    def _in_place(self, member: Member) -> Iterator[memoryview]:
        # It imports ctypes, which nobody needs for a wheel of small files.
        from tensorflow_macos_build.wheels.inflate.stream import (  # noqa: PLC0415
            BrokenStream,
            Inflater,
        )

        by = engine.for_size(member.size)
        try:
            with contextlib.closing(Inflater(by=by, unwatched=member.compressed)) as inflater:
                yield from inflater.run(self.raw(member))
        except BrokenStream as error:
            raise self.broken(member.name, str(error)) from None

    def _content(self, member: Member, chunk: int, raw: int = CHUNK) -> Iterator[bytes]:
        if member.method is CompressionMethod.STORED:
            yield from self.raw(member, chunk=chunk)
            return
        zlib = engine.for_size(member.size)
        inflater = zlib.raw_inflater()
        try:
            for compressed in self.raw(member, chunk=raw):
                if inflater.eof:
                    raise self.broken(member.name, "bytes follow the end of its deflate stream")
                yield from _inflated(inflater, compressed, chunk)
        except zlib.error as error:
            raise self.broken(member.name, f"its data cannot be inflated ({error})") from None
        if not inflater.eof:
            raise self.broken(member.name, "its deflate stream has no end")
        if inflater.unused_data:
            raise self.broken(member.name, "bytes follow the end of its deflate stream")


@contextlib.contextmanager
def open_archive(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Archive]:
    """Open a wheel and check its structure; no content is inflated yet.

    Raises:
        UsageError: there is no such file, or it may not be read.
        BrokenWheel: it is not a sound zip file, or exceeds `limits`.
    """
    try:
        descriptor = files.open_regular(path)
    except OSError as error:
        raise UsageError(
            f"the wheel cannot be opened: {error.strerror}",
            where=str(path),
            hint="give the path of a wheel that you may read",
        ) from None
    try:
        members = DirectoryReader(path, descriptor, limits or ArchiveLimits()).members()
        yield Archive(path, members, descriptor)
    finally:
        os.close(descriptor)


def _inflated(inflater: engine.Decompressor, compressed: bytes, chunk: int) -> Iterator[bytes]:
    while True:
        piece = inflater.decompress(compressed, chunk)
        compressed = inflater.unconsumed_tail
        if piece:
            yield piece
        # A full piece may have left content in the window though all input is consumed.
        if inflater.eof or (not compressed and len(piece) < chunk):
            return

"""One architecture's slice of universal files, copied as it lies or deflated anew."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import tempfile
import zlib
from typing import TYPE_CHECKING, BinaryIO

from tensorflow_macos_build.macho import fat, lipo
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.reader import CHUNK
from tensorflow_macos_build.wheels.archive.writer import NewMember
from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.deflate import splice
from tensorflow_macos_build.wheels.dist_info import fused_json
from tensorflow_macos_build.wheels.inflate import engine
from tensorflow_macos_build.wheels.inflate.engine import crc32

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.members import BrokenWheel, Member
    from tensorflow_macos_build.wheels.deflate.universal import Span
    from tensorflow_macos_build.wheels.new_wheel import Assembly
    from tensorflow_macos_build.wheels.open_wheel import OpenWheel

_LEVEL = 6
"""zlib's default, and that of the tools that make wheels."""

_FAT_HEAD = 1 << lipo.MAXIMUM_ALIGN
"""Holds a universal header and the gap behind it."""


class SliceCutter:
    """Writes one architecture's slices into a new wheel.

    Attributes:
        copied: how many slices were copied as they lay.
        deflated: how many had to be deflated anew.
    """

    def __init__(self, whole: OpenWheel, arch: str) -> None:
        self._whole = whole
        self._arch = arch
        self.copied = 0
        self.deflated = 0

    def is_universal(self, member: Member) -> bool:
        """Whether a member is a universal file."""
        head = self._whole.archive.head(member, slices.MAGIC)
        return slices.kind_of(head) is slices.CodeKind.UNIVERSAL

    def cut(
        self, made: Assembly, member: Member, path: str, spans: Mapping[str, Span] | None
    ) -> None:
        """Write the slice of a universal file under a path.

        Args:
            made: the new wheel.
            member: the universal file.
            path: the slice's path.
            spans: what fused.json says of its slices; None: nothing.

        Raises:
            BrokenWheel: the file is malformed, has no such slice, or is not the one that
                fused.json is about.
        """
        if spans is None:
            self._deflate(made, member, path)
            return
        self._check_content(member, spans)
        fat_arch = self._fat_arch(member)
        span = spans[fat_arch.name]
        before = _wrapping(fat_arch, span)
        if self._is_in_place(member, span, spans):
            self._copy(made, member, path, span, before)
        else:
            self._deflate(made, member, path, before)

    def _check_content(self, member: Member, spans: Mapping[str, Span]) -> None:
        """Check, by CRCs alone, that fused.json is about this member's content.

        Nothing is inflated: the slices' CRCs and those of the gaps must make the member's.
        """
        universal = self._universal(member)
        crc, end = 0, 0
        for fat_arch in universal.arches:
            span, gap = spans.get(fat_arch.name), fat_arch.offset - end
            # lipo fills up to an alignment and orders by offset: more or less is another's file.
            if span is None or span.size != fat_arch.size or not 0 <= gap <= _FAT_HEAD:
                raise changed(self._whole, member)
            # Before the first slice stands the header; between slices there are zeros.
            filling = bytes(gap) if end else self._whole.archive.head(member, gap)
            crc = splice.crc32_combine(crc, crc32(filling), gap)
            crc = splice.crc32_combine(crc, span.crc, span.size)
            end = fat_arch.end
        if (crc, end, len(universal.arches)) != (member.crc, member.size, len(spans)):
            raise changed(self._whole, member)

    def _is_in_place(self, member: Member, span: Span, spans: Mapping[str, Span]) -> bool:
        """Whether the slices' streams lie where fused.json says; zipping anew moves them."""
        after = member.compressed - max(other.end for other in spans.values())
        # Behind the last stream lies nothing, or the empty block that ends stored slices
        # (`UniversalMember.close`).
        if after not in (0, len(splice.END)) or not span.start < span.end:
            return False
        piece = next(iter(self._range(member, span)))
        # What is deflated anew may still be as long: a binary must begin at that very byte.
        try:
            if member.method is CompressionMethod.DEFLATED:
                inflater = engine.preferred().raw_inflater()
                piece = inflater.decompress(piece, slices.MAGIC)
        except engine.preferred().error:
            return False
        return slices.kind_of(piece) in (slices.CodeKind.IMAGE, slices.CodeKind.STATIC)

    def _range(self, member: Member, span: Span) -> Iterator[bytes]:
        return self._whole.archive.range(member.offset + span.start, span.end - span.start)

    def _copy(self, made: Assembly, member: Member, path: str, span: Span, before: bytes) -> None:
        """Copy a slice's stream; one that something followed gets an empty block to end it."""
        deflated = member.method is CompressionMethod.DEFLATED
        head = b"".join(splice.stored([before])) if deflated else before
        end = splice.END if deflated and span.end < member.compressed else b""
        compressed = len(head) + span.end - span.start + len(end)
        crc = splice.crc32_combine(crc32(before), span.crc, span.size)
        numbers = (member.method, crc, len(before) + span.size, compressed)
        entry = NewMember(path, *numbers, member.executable)
        data = itertools.chain([head], self._range(member, span), [end])
        # The hash of the half's own file, which this is again, byte for byte.
        made.add(entry, data, bytes.fromhex(span.sha256))
        self.copied += 1

    def _fat_arch(self, member: Member) -> fat.FatArch:
        """Return where the slice lies in the content of a universal file."""
        for fat_arch in self._universal(member).arches:
            if fat_arch.name == self._arch:
                return fat_arch
        raise self._whole.archive.broken(member.name, f"it has no slice for {self._arch}")

    def _universal(self, member: Member) -> fat.FatHeader:
        head = self._whole.archive.head(member, _FAT_HEAD)
        try:
            universal = fat.parse(Window(head, 0, member.size))
            if universal.header_size > len(head) or not universal.arches:
                raise MalformedMachO("its universal header is too long, or empty")
        except MalformedMachO as error:
            what = f"it is malformed: {error.evidence}"
            raise self._whole.archive.broken(member.name, what) from None
        return universal

    def _deflate(self, made: Assembly, member: Member, path: str, before: bytes = b"") -> None:
        fat_arch = self._fat_arch(member)
        digest, crc = hashlib.sha256(), 0
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        # The header that comes first has the data's size and CRC, so the data waits in a file.
        with tempfile.TemporaryFile() as data:
            for piece in itertools.chain([before], self._content(member, fat_arch)):
                digest.update(piece)
                crc = crc32(piece, crc)
                data.write(deflater.compress(piece))
            data.write(deflater.flush())
            compressed = data.tell()
            data.seek(0)
            numbers = (CompressionMethod.DEFLATED, crc, len(before) + fat_arch.size, compressed)
            entry = NewMember(path, *numbers, member.executable)
            made.add(entry, _pieces(data), digest.digest())
        self.deflated += 1

    def _content(self, member: Member, fat_arch: fat.FatArch) -> Iterator[bytes]:
        position = 0
        # To the member's end, though the slice may be over: there its size and CRC are checked.
        for piece in self._whole.archive.stream(member):
            start, end = fat_arch.offset - position, fat_arch.end - position
            if part := piece[max(0, start) : max(0, end)]:
                yield part
            position += len(piece)


def _wrapping(fat_arch: fat.FatArch, span: Span) -> bytes:
    """Return what stood before the slice in the half's file, if that was universal too."""
    if span.align is None:
        return b""
    return slices.wrapping(
        lipo.NewSlice(fat_arch.cputype, fat_arch.cpusubtype, span.size, span.align)
    )


def changed(whole: OpenWheel, member: Member) -> BrokenWheel:
    """Make the error that fused.json is about another content of a member."""
    return whole.archive.broken(
        member.name, f"{fused_json.NAME} is not about this file: the wheel was changed since"
    )


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with contextlib.closing(stream):
        while piece := stream.read(CHUNK):
            yield piece

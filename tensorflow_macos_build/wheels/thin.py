"""Taking one architecture out of a fused wheel.

A wheel that `fuse` made is split by its fused.json: slices are copied as they lie deflated in the
file, so nothing is inflated but merged headers, and the files are those of the wheel that they came
from. A universal2 wheel of another maker has no such record, and one that was zipped anew has
another layout: there universal files are inflated, and their slices deflated anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import tempfile
import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.macho import fat, lipo
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.archive.members import ArchiveLimits, CompressionMethod, Member
from tensorflow_macos_build.wheels.archive.reader import CHUNK
from tensorflow_macos_build.wheels.archive.writer import NewMember, order
from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.deflate import splice
from tensorflow_macos_build.wheels.dist_info import fused_json, record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.fuse import headers
from tensorflow_macos_build.wheels.new_wheel import Assembly, new_wheel
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.members import BrokenWheel
    from tensorflow_macos_build.wheels.deflate.universal import Span

_LEVEL = 6
_DIRECTIVES = 1 << 10
"""Holds what stands around the two texts of a merged header."""

_FAT_HEAD = 1 << 15
"""Holds a universal header and the gap behind it: alignments are at most 2^15 (MAXSECTALIGN)."""


@dataclass(frozen=True)
class Thinned:
    """A wheel for one architecture.

    Attributes:
        wheel: where it is.
        sha256: of its file, 64 hexadecimal digits.
        copied: how many slices were copied as they lay.
        deflated: how many had to be deflated anew.
        left_out: paths of the fused wheel that the half had not, sorted.
    """

    wheel: Path
    sha256: str
    copied: int
    deflated: int
    left_out: tuple[str, ...]


def thin(
    wheel: Path,
    arch: str,
    out: Path,
    *,
    limits: ArchiveLimits | None = None,
    ticker: Ticker | None = None,
) -> Thinned:
    """Write the wheel of one architecture into the folder `out`.

    Raises:
        UsageError: there is no such architecture, or the wheel is not for it and the other too.
        BrokenWheel: the wheel is damaged, or its fused.json is not about it.
    """
    if arch not in tags.ARCHES:
        known = " or ".join(tags.ARCHES)
        what = f"there is no architecture `{arch}`" if arch else "no architecture is asked for"
        raise UsageError(what, where="--arch", hint=f"say {known}")
    with open_wheel(wheel, limits) as whole:
        if set(whole.lowest) != set(tags.ARCHES):
            raise UsageError(
                f"the wheel is for {' and '.join(whole.lowest)}, so nothing is to be taken out",
                where=wheel.name,
                hint="give a wheel for both architectures",
            )
        split = _Split(whole, arch, _record(whole))
        with new_wheel(out / str(split.name), limits) as made:
            digest = split.write(made, ticker)
        return Thinned(
            out / str(split.name), digest, split.copied, split.deflated, split.left_out()
        )


def _record(whole: OpenWheel) -> fused_json.FusedRecord | None:
    path = f"{whole.dist_info}/{fused_json.NAME}"
    try:
        found = fused_json.read(whole.archive, whole.dist_info)
    except fused_json.BadRecord as error:
        raise whole.archive.broken(path, str(error)) from None
    if found is not None:
        whole.check(whole.archive.members[path])
    return found


class _Split:
    """One architecture's part of a wheel; `write` is the whole of its work."""

    def __init__(self, whole: OpenWheel, arch: str, told: fused_json.FusedRecord | None) -> None:
        self._whole = whole
        self._arch = arch
        self._other = next(one for one in tags.ARCHES if one != arch)
        self._told = told or fused_json.FusedRecord({})
        self.name, self._stem, self._data, self._description = self._describe()
        self.copied = 0
        self.deflated = 0

    def left_out(self) -> tuple[str, ...]:
        """Name what only the other architecture's wheel had, or is its own of what both had."""
        left = {*self._told.only.get(self._other, ()), *self._told.renamed.get(self._other, {})}
        return tuple(sorted(left & self._whole.archive.members.keys()))

    def write(self, made: Assembly, ticker: Ticker | None) -> str:
        members, dist_info = self._whole.archive.members, self._whole.dist_info
        own = {f"{dist_info}/{name}" for name in ("WHEEL", fused_json.NAME)}
        gone = own | record.own_paths(dist_info) | set(self.left_out())
        kept = {*members} - gone | {f"{dist_info}/WHEEL"}
        sources = {self._own_path(path): path for path in kept}
        self._check_paths(sources, len(kept))
        paths = order(sources, f"{self._stem}.dist-info")
        for index, path in enumerate(paths):
            if ticker is not None:
                ticker(index, len(paths), path)
            if sources[path] in own:
                made.store(path, self._description)
            else:
                self._add(made, self._as_in_half(members[sources[path]]), path)
        return made.finish(f"{self._stem}.dist-info/RECORD")

    def _own_path(self, path: str) -> str:
        """Return the path that a file has in the half."""
        renamed = self._told.renamed.get(self._arch, {}).get(path, path)
        folder, slash, rest = renamed.partition("/")
        whole = self._whole
        own = {whole.dist_info: f"{self._stem}.dist-info", whole.data: self._data}
        return f"{own[folder]}/{rest}" if slash and folder in own else renamed

    def _check_paths(self, sources: Mapping[str, str], count: int) -> None:
        """Refuse names of fused.json that no half can have had."""
        reasons = (reason for path in sources if (reason := member_names.fault(path)))
        reason = next(reasons, None)
        if reason is None and len(sources) < count:
            reason = "it gives two files one name"
        if reason is not None:
            where = f"{self._whole.dist_info}/{fused_json.NAME}"
            raise self._whole.archive.broken(where, f"it names no half: {reason}")

    def _describe(self) -> tuple[tags.WheelName, str, str, bytes]:
        """Return the half's own name, dist-info's stem, data folder and WHEEL.

        Those of the fused wheel, narrowed, where they are unknown. A half of another project keeps
        the fused wheel's name, which is the one that its METADATA has.
        """
        whole, origin = self._whole, self._told.halves.get(self._arch)
        if origin is None or (own := self._own_name(origin)) is None:
            needs = {self._arch: whole.lowest[self._arch]}
            narrowed = replace(whole.name, platforms=tags.platform_tags(needs))
            wheel = replace(whole.wheel_file, tags=narrowed.tags)
            return narrowed, whole.stem, whole.data, format_wheel(wheel)
        text = origin.description.encode()
        if own.project != whole.name.project:
            name = replace(whole.name, platforms=own.platforms, build=own.build)
            return name, whole.stem, whole.data, text
        return own, origin.stem or whole.stem, origin.data or whole.data, text

    def _own_name(self, origin: fused_json.FusedHalf) -> tags.WheelName | None:
        try:
            own = tags.parse_name(origin.wheel)
            lowest = tags.lowest(own.platforms)
        except tags.BadName:
            return None
        return own if set(lowest) == {self._arch} else None

    def _as_in_half(self, member: Member) -> Member:
        """Take away what only the other architecture's wheel let be executed."""
        alone = member.name in self._told.executable.get(self._other, ())
        return replace(member, executable=False) if alone else member

    def _add(self, made: Assembly, member: Member, path: str) -> None:
        known = member.name
        if (spans := self._told.universal.get(known)) is not None:
            self._check_content(member, spans)
            if self._is_in_place(member, spans):
                self._copy_slice(made, member, path, spans[self._arch])
            else:
                self._deflate_slice(made, member, path, self._wrapping(member, spans[self._arch]))
        elif (places := self._told.headers.get(known)) is not None:
            made.store(path, self._text(member, places), executable=member.executable)
        elif not self._told.halves and self._is_universal(member):
            self._deflate_slice(made, member, path)
        else:
            made.copy(self._whole, member, path)

    def _text(self, member: Member, places: Mapping[str, tuple[int, int]]) -> bytes:
        """Return the half's own text in a merged header, which must be what those texts make."""
        content = self._whole.read(member, limit=2 * headers.LIMIT + _DIRECTIVES)
        texts = {arch: content[start : start + size] for arch, (start, size) in places.items()}
        try:
            same = headers.merge(**texts).content == content
        except headers.Unmergeable:
            same = False
        if not same:
            raise self._changed(member)
        return texts[self._arch]

    def _changed(self, member: Member) -> BrokenWheel:
        return self._whole.archive.broken(
            member.name, f"{fused_json.NAME} is not about this file: the wheel was changed since"
        )

    def _check_content(self, member: Member, spans: Mapping[str, Span]) -> None:
        """Check, by CRCs alone, that fused.json is about this member's content."""
        universal = self._universal(member)
        crc = end = 0
        head = self._whole.archive.head(member, min(place.offset for place in universal.arches))
        for place in universal.arches:
            told = spans.get(place.name)
            if told is None or told.size != place.size:
                break
            gap = head if end == 0 else bytes(place.offset - end)
            crc = splice.crc32_combine(crc, zlib.crc32(gap), len(gap))
            crc = splice.crc32_combine(crc, told.crc, told.size)
            end = place.end
        if (crc, end, len(universal.arches)) != (member.crc, member.size, len(spans)):
            raise self._changed(member)

    def _is_in_place(self, member: Member, spans: Mapping[str, Span]) -> bool:
        """Whether the slices' streams lie where fused.json says; zipping anew moves them."""
        span = spans[self._arch]
        after = member.compressed - max(one.end for one in spans.values())
        if after not in (0, len(splice.END)) or not span.start < span.end:
            return False
        piece = next(iter(self._range(member, span)))
        try:
            if member.method is CompressionMethod.DEFLATED:
                piece = zlib.decompressobj(-zlib.MAX_WBITS).decompress(piece, 8)
        except zlib.error:
            return False
        return slices.kind_of(piece) in (slices.CodeKind.IMAGE, slices.CodeKind.STATIC)

    def _range(self, member: Member, span: Span) -> Iterator[bytes]:
        return self._whole.archive.range(member.offset + span.start, span.end - span.start)

    def _copy_slice(self, made: Assembly, member: Member, path: str, span: Span) -> None:
        """Copy a slice's stream; one that something followed gets an empty block to end it."""
        before = self._wrapping(member, span)
        deflated = member.method is CompressionMethod.DEFLATED
        head = b"".join(splice.stored([before])) if deflated else before
        end = splice.END if deflated and span.end < member.compressed else b""
        compressed = len(head) + span.end - span.start + len(end)
        crc = splice.crc32_combine(zlib.crc32(before), span.crc, span.size)
        numbers = (member.method, crc, len(before) + span.size, compressed)
        entry = NewMember(path, *numbers, member.executable)
        data = itertools.chain([head], self._range(member, span), [end])
        made.add(entry, data, bytes.fromhex(span.sha256))
        self.copied += 1

    def _wrapping(self, member: Member, span: Span) -> bytes:
        """Return what stood before the slice in the half's file, if that was universal too."""
        if span.align is None:
            return b""
        places = self._universal(member).arches
        place = next(place for place in places if place.name == self._arch)
        new = lipo.NewSlice(place.cputype, place.cpusubtype, span.size, span.align)
        return slices.wrapping(new)

    def _is_universal(self, member: Member) -> bool:
        return slices.kind_of(self._whole.archive.head(member, 8)) is slices.CodeKind.UNIVERSAL

    def _universal(self, member: Member) -> fat.FatHeader:
        head = self._whole.archive.head(member, _FAT_HEAD)
        try:
            found = fat.parse(Window(head, 0, member.size))
            if found.header_size > len(head) or not found.arches:
                raise MalformedMachO("its universal header is too long, or empty")
        except MalformedMachO as error:
            raise self._whole.archive.broken(
                member.name, f"it is malformed: {error.evidence}"
            ) from None
        return found

    def _deflate_slice(
        self, made: Assembly, member: Member, path: str, before: bytes = b""
    ) -> None:
        found = [one for one in self._universal(member).arches if one.name == self._arch]
        if not found:
            raise self._whole.archive.broken(member.name, f"it has no slice for {self._arch}")
        digest, engine = hashlib.sha256(), zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        crc = 0
        with tempfile.TemporaryFile() as data:
            for piece in itertools.chain([before], self._part(member, found[0])):
                digest.update(piece)
                crc = zlib.crc32(piece, crc)
                data.write(engine.compress(piece))
            data.write(engine.flush())
            compressed = data.tell()
            data.seek(0)
            numbers = (CompressionMethod.DEFLATED, crc, len(before) + found[0].size, compressed)
            entry = NewMember(path, *numbers, member.executable)
            made.add(entry, _pieces(data), digest.digest())
        self.deflated += 1

    def _part(self, member: Member, place: fat.FatArch) -> Iterator[bytes]:
        position = 0
        for piece in self._whole.archive.stream(member):
            start, end = place.offset - position, place.end - position
            if part := piece[max(0, start) : max(0, end)]:
                yield part
            position += len(piece)


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with contextlib.closing(stream):
        while piece := stream.read(CHUNK):
            yield piece

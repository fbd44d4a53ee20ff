"""The load commands of a wheel's binaries, read without inflating what comes after them.

The slices of a universal file lie one after another, so the second one's load commands are deep
inside the member. Where fuse made the wheel, its record says where each slice's deflate stream
begins; elsewhere the member is inflated up to there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import fat, image
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.binaries.slices import HEAD, MAGIC, CodeKind, kind_of
from tensorflow_macos_build.wheels.dist_info import folders, fused_json
from tensorflow_macos_build.wheels.inflate import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.macho.fat import FatArch
    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.deflate.universal import Span


def images(archive: Archive) -> dict[str, tuple[Image, ...]]:
    """Return the images of every linked binary, one a slice, by member; static archives are none.

    Raises:
        BrokenWheel: a binary is malformed, or cannot be inflated.
    """
    spans = _spans(archive)
    by_member: dict[str, tuple[Image, ...]] = {}
    for name, member in archive.members.items():
        # No name tells a binary from other files: modules end in .so, programs in nothing.
        kind = kind_of(archive.head(member, MAGIC).ljust(MAGIC, b"\0"))
        try:
            if kind is CodeKind.IMAGE:
                parsed = _parsed(archive.stream(member), member.size)
                by_member.update({name: (parsed,)} if parsed is not None else {})
            elif kind is CodeKind.UNIVERSAL:
                by_member[name] = tuple(_slices(archive, member, spans.get(name, {})))
        except MalformedMachO as error:
            raise archive.broken(name, f"it is malformed: {error.evidence}") from None
    return by_member


def slice_sizes(archive: Archive, member: Member) -> dict[str, int]:
    """Return the bytes of a member's machine code by architecture; {} of what is none.

    Static archives count as none: their header does not say whose they are.

    Raises:
        BrokenWheel: it is malformed, or cannot be inflated.
    """
    kind = kind_of(archive.head(member, MAGIC).ljust(MAGIC, b"\0"))
    try:
        if kind is CodeKind.UNIVERSAL:
            window = Window(archive.head(member, HEAD), 0, member.size)
            return {arch.name: arch.size for arch in fat.parse(window).arches}
        if kind is CodeKind.IMAGE:
            parsed = _parsed(archive.stream(member), member.size)
            return {} if parsed is None else {parsed.arch: member.size}
    except MalformedMachO as error:
        raise archive.broken(member.name, f"it is malformed: {error.evidence}") from None
    return {}


def architectures(path: Path) -> frozenset[str]:
    """Return the architectures of a thin or universal Mach-O file on the disk, as lipo names them.

    Raises:
        MalformedMachO: it is none.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(HEAD)
        if fat.is_fat(head):
            return frozenset(arch.name for arch in fat.parse(Window(head, 0, size)).arches)
        stream.seek(0)
        parsed = _parsed(iter(lambda: stream.read(HEAD), b""), size)
        if parsed is None:
            raise MalformedMachO("it is a static archive")
        return frozenset({parsed.arch})


def _spans(archive: Archive) -> Mapping[str, Mapping[str, Span]]:
    """Read fuse's record, where there is one; what it says is only a short cut."""
    dist_info = folders.only(archive.members)
    try:
        record = fused_json.read(archive, dist_info) if dist_info is not None else None
    except fused_json.BadRecord:
        return {}
    return {} if record is None else record.universal


def _slices(archive: Archive, member: Member, spans: Mapping[str, Span]) -> Iterator[Image]:
    head = archive.head(member, HEAD)
    for arch in fat.parse(Window(head, 0, member.size)).arches:
        parsed = _jumped(archive, member, arch, spans.get(arch.name))
        # A deflate stream cannot be entered in its middle: without a record the member is inflated
        # from its beginning once for each slice.
        parsed = parsed or _parsed(_skipped(archive.stream(member), arch.offset), arch.size)
        if parsed is not None:
            yield parsed


def _jumped(archive: Archive, member: Member, arch: FatArch, span: Span | None) -> Image | None:
    """Read a slice where fuse's record says that it begins; None where nothing such is there."""
    if span is None or span.size != arch.size or not 0 <= span.start < member.compressed:
        return None
    raw = archive.range(member.offset + span.start, member.compressed - span.start, chunk=HEAD)
    # The record may be of a wheel that was zipped anew since: then this inflates to nonsense or not
    # at all, and the slice is looked for where the universal header says.
    try:
        parsed = _parsed(_inflated(raw), arch.size)
    except (MalformedMachO, engine.preferred().error):
        return None
    if parsed is None or (parsed.cputype, parsed.cpusubtype) != (arch.cputype, arch.cpusubtype):
        return None
    return parsed


def _inflated(raw: Iterable[bytes]) -> Iterator[bytes]:
    inflater = engine.preferred().raw_inflater()
    for piece in raw:
        # Without a bound of its own: a piece of HEAD bytes inflates to 17 MB at most (1,032 times).
        yield inflater.decompress(piece)


def _skipped(pieces: Iterable[bytes], offset: int) -> Iterator[bytes]:
    for piece in pieces:
        if offset < len(piece):
            yield piece[offset:]
        offset = max(0, offset - len(piece))


def _parsed(pieces: Iterable[bytes], size: int) -> Image | None:
    """Take as many pieces as the load commands fill, and parse those; None for an archive."""
    head = b""
    for piece in pieces:
        head += piece
        # What is no image, such as an archive, tells no end: a piece as large as others' is enough.
        if len(head) >= min(image.commands_end(head) or HEAD, size):
            break
    if kind_of(head.ljust(MAGIC, b"\0")) is CodeKind.STATIC:
        return None
    return image.parse(Window(head, 0, size))

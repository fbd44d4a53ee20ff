"""fused.json of a fused wheel that another tool has changed since: what is still true, made anew.

Libraries that came in are files of both halves, or of one; slices that were edited are measured
again. Where their deflate streams lie is not recorded any more, so that `thin` deflates them.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho import fat, lipo
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.binaries import slices
from tensorflow_macos_build.wheels.deflate.universal import Span
from tensorflow_macos_build.wheels.dist_info import tags
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel, parse_wheel
from tensorflow_macos_build.wheels.inflate.engine import crc32

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.members import Member
    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.dist_info.fused_json import FusedHalf, FusedRecord


def renewed(
    old: FusedRecord,
    before: Collection[str],
    after: Archive,
    needs: Mapping[str, tags.MacosVersion],
) -> FusedRecord:
    """Return the record of a fused wheel as it is now.

    Args:
        old: the record of the wheel as it was.
        before: the paths that it had.
        after: the wheel as it is.
        needs: the macOS that it needs now, by architecture.

    Raises:
        BrokenWheel: a universal file of the wheel is malformed.
    """
    universal: dict[str, Mapping[str, Span]] = {}
    only = {arch: list(paths) for arch, paths in old.only.items()}
    for path, member in after.members.items():
        # Of files that are not universal the record has names alone, and those stay.
        if path in before and path not in old.universal:
            continue
        code = [arch for arch in tags.ARCHES if arch in slices.minimums(after, member)]
        if path in old.universal or len(code) == len(tags.ARCHES):
            universal[path] = _spans(after, member, old.universal.get(path, {}))
        elif len(code) == 1:
            only[code[0]].append(path)
    return replace(
        old,
        halves={arch: _origin(half, arch, needs[arch]) for arch, half in old.halves.items()},
        universal=universal,
        only={arch: tuple(paths) for arch, paths in only.items()},
    )


def _origin(half: FusedHalf, arch: str, needs: tags.MacosVersion) -> FusedHalf:
    """Return a half's name and WHEEL, with a later macOS where what came in needs that."""
    try:
        name = tags.parse_name(half.wheel)
        if tags.rounded(needs) <= tags.rounded(tags.lowest(name.platforms)[arch]):
            return half
        wheel = parse_wheel(half.description.encode())
    except (tags.BadName, BadMetadata, KeyError):
        return half  # `thin` names a half whose record is not sound after the fused wheel
    name = replace(name, platforms=tags.platform_tags({arch: needs}))
    text = format_wheel(replace(wheel, tags=name.tags)).decode("utf-8")
    return replace(half, wheel=str(name), description=text)


def _spans(wheel: Archive, member: Member, old: Mapping[str, Span]) -> dict[str, Span]:
    """Measure the slices of a universal file; what was in a file of its own still is."""
    head = wheel.head(member, slices.HEAD)
    try:
        arches = fat.parse(Window(head, 0, member.size)).arches
    except MalformedMachO as error:
        raise wheel.broken(member.name, f"it is malformed: {error.evidence}") from None
    spans = {}
    for arch in arches:
        align = old[arch.name].align if arch.name in old else None
        new = lipo.NewSlice(arch.cputype, arch.cpusubtype, arch.size, align or 0)
        digest = hashlib.sha256(b"" if align is None else slices.wrapping(new))
        crc = 0
        for piece in _content(wheel, member, arch):
            digest.update(piece)
            crc = crc32(piece, crc)
        # An empty range is never where a slice lies, so `thin` does not copy from there.
        spans[arch.name] = Span(0, 0, arch.size, crc, digest.hexdigest(), align)
    return spans


def _content(wheel: Archive, member: Member, arch: fat.FatArch) -> Iterator[bytes]:
    position = 0
    for piece in wheel.stream(member):
        yield piece[max(0, arch.offset - position) : max(0, arch.end - position)]
        position += len(piece)

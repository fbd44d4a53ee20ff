"""Taking one architecture out of a fused wheel.

A wheel that `fuse` made is split by its fused.json: slices are copied as they lie deflated in the
file, so nothing is inflated but merged headers, and the files are those of the wheel that they came
from. A universal2 wheel of another maker has no such record, and one that was zipped anew has
another layout: there universal files are inflated, and their slices deflated anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.archive.writer import order
from tensorflow_macos_build.wheels.dist_info import fused_json, record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import format_wheel
from tensorflow_macos_build.wheels.fuse import headers
from tensorflow_macos_build.wheels.new_wheel import Assembly, new_wheel
from tensorflow_macos_build.wheels.open_wheel import OpenWheel, open_wheel
from tensorflow_macos_build.wheels.thin.slice_cutter import SliceCutter, changed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.archive.members import ArchiveLimits, Member

_DIRECTIVES = 1 << 10
"""Holds what stands around the two texts of a merged header."""


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
        half = _HalfWriter(whole, arch, _record(whole))
        with new_wheel(out / str(half.name), limits) as made:
            digest = half.write(made, ticker)
        path, cutter = out / str(half.name), half.cutter
        return Thinned(path, digest, cutter.copied, cutter.deflated, half.left_out())


def _record(whole: OpenWheel) -> fused_json.FusedRecord | None:
    path = f"{whole.dist_info}/{fused_json.NAME}"
    try:
        fused = fused_json.read(whole.archive, whole.dist_info)
    except fused_json.BadRecord as error:
        raise whole.archive.broken(path, str(error)) from None
    if fused is not None:
        # What it says is acted on, so it must be the file that RECORD names.
        whole.check(whole.archive.members[path])
    return fused


class _HalfWriter:
    """Writes one architecture's part of a wheel; `write` is the whole of its work."""

    def __init__(self, whole: OpenWheel, arch: str, fused: fused_json.FusedRecord | None) -> None:
        self._whole = whole
        self._arch = arch
        self._other = next(other for other in tags.ARCHES if other != arch)
        # A wheel of another maker has no record: nothing is known of it but what is in its files.
        self._fused = fused or fused_json.FusedRecord({})
        self.name, self._stem, self._data, self._description = self._describe()
        self.cutter = SliceCutter(whole, arch)

    def left_out(self) -> tuple[str, ...]:
        """Return what only the other architecture's wheel had, or is its own of what both had."""
        left = {*self._fused.only.get(self._other, ()), *self._fused.renamed.get(self._other, {})}
        # The record may name files that another tool has taken out since.
        return tuple(sorted(left & self._whole.archive.members.keys()))

    def write(self, made: Assembly, ticker: Ticker | None) -> str:
        """Write every file of the half; return the SHA-256 of the wheel."""
        members, dist_info = self._whole.archive.members, self._whole.dist_info
        own = {f"{dist_info}/{name}" for name in ("WHEEL", fused_json.NAME)}
        gone = own | record.own_paths(dist_info) | set(self.left_out())
        kept = {*members} - gone | {f"{dist_info}/WHEEL"}
        sources = {self._own_path(path): path for path in kept}
        self._check_paths(sources, len(kept))
        paths = order(sources, f"{self._stem}.dist-info")
        for index, path in enumerate(paths):
            if ticker is not None:
                ticker(index, len(paths), path, unit="files")
            if sources[path] in own:
                made.store(path, self._description)
            else:
                self._add(made, self._as_in_half(members[sources[path]]), path)
        return made.finish(f"{self._stem}.dist-info/RECORD")

    def _own_path(self, path: str) -> str:
        """Return the path that a file has in the half."""
        original = self._fused.renamed.get(self._arch, {}).get(path, path)
        return self._whole.renamed(original, self._stem, self._data)

    def _check_paths(self, sources: Mapping[str, str], count: int) -> None:
        """Refuse names of fused.json that no half can have had: anybody may have written it."""
        reasons = (reason for path in sources if (reason := member_names.fault(path)))
        reason = next(reasons, None)
        if reason is None and len(sources) < count:
            reason = "it gives two files one name"
        if reason is not None:
            where = f"{self._whole.dist_info}/{fused_json.NAME}"
            raise self._whole.archive.broken(where, f"it names no half: {reason}")

    def _describe(self) -> tuple[tags.WheelName, str, str, bytes]:
        """Return the half's own name, dist-info's stem, data folder and WHEEL.

        Those of the fused wheel, narrowed, where they are unknown.
        """
        whole, origin = self._whole, self._fused.halves.get(self._arch)
        if origin is None or (own := self._own_name(origin)) is None:
            needs = {self._arch: whole.lowest[self._arch]}
            narrowed = replace(whole.name, platforms=tags.platform_tags(needs))
            wheel = replace(whole.wheel_file, tags=narrowed.tags)
            return narrowed, whole.stem, whole.data, format_wheel(wheel)
        # The half's WHEEL comes back as it was, its generator included.
        text = origin.description.encode()
        # A half of another project keeps the fused wheel's name, as its METADATA has that, too.
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
        alone = member.name in self._fused.executable.get(self._other, ())
        return member._replace(executable=False) if alone else member

    def _add(self, made: Assembly, member: Member, path: str) -> None:
        spans = self._fused.universal.get(member.name)
        ranges = self._fused.headers.get(member.name)
        if spans is not None:
            self.cutter.cut(made, member, path, spans)
        elif ranges is not None:
            made.store(path, self._text(member, ranges), executable=member.executable)
        # A universal file of a fused wheel that is not recorded was one in both halves.
        elif not self._fused.halves and self.cutter.is_universal(member):
            self.cutter.cut(made, member, path, None)
        else:
            made.copy(self._whole, member, path)

    def _text(self, member: Member, ranges: Mapping[str, tuple[int, int]]) -> bytes:
        """Return the half's own text in a merged header, which must be what those texts make."""
        content = self._whole.read(member, limit=2 * headers.LIMIT + _DIRECTIVES)
        texts = {arch: content[start : start + size] for arch, (start, size) in ranges.items()}
        try:
            # Offsets that are wrong, or of another file, give texts that merge to something else.
            same = headers.merge(**texts).content == content
        except headers.Unmergeable:
            same = False
        if not same:
            raise changed(self._whole, member)
        return texts[self._arch]

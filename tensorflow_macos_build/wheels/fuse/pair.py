"""Two thin wheels that belong together: read, checked against each other, named by architecture."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_version

from tensorflow_macos_build.errors import UsageError, printable
from tensorflow_macos_build.wheels.dist_info import folders as dist_info
from tensorflow_macos_build.wheels.dist_info import metadata, tags

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.reader import Archive, BrokenWheel, Member


_STRAY_ROWS = 100
"""Rows of RECORD for files that are not there, up to which all are told rather than that alone."""


_ROW_LIMIT = 1 << 10
"""Bytes of a row of RECORD besides a path with its quotes doubled: a SHA-512 takes 94, a size 20.
A stray row's path has to fit in too."""

_WHEEL_LIMIT = 1 << 20
"""Largest WHEEL that is read, in bytes: 10,000 tags; real ones have under 10 KB."""

_TEXT_LIMIT = 16 << 20
"""Largest other file of dist-info that is read; METADATA with a long description has 1 MB."""

_MISSING = "the wheel has no such file"


class NoHalf(UsageError):
    """A wheel that cannot be a half of a universal2 wheel."""


class Mismatch(NoHalf):
    """Two wheels that cannot be the halves of one."""


@dataclass(frozen=True)
class OpenWheel:
    """A thin wheel, open, its own description read.

    Attributes:
        archive: the open wheel.
        name: its file name's parts.
        stem: what its dist-info folder begins with, as spelled there.
        data: its data folder, which may be spelled otherwise; that of `stem` where it has none.
        lowest: the macOS that its tags promise, by architecture.
        wheel: its WHEEL file.
        rows: its RECORD.
    """

    archive: Archive
    name: tags.WheelName
    stem: str
    data: str
    lowest: Mapping[str, tags.Os]
    wheel: metadata.WheelFile
    rows: Mapping[str, metadata.Row]

    @property
    def dist_info(self) -> str:
        """The name of its dist-info folder."""
        return f"{self.stem}.dist-info"

    @property
    def arch(self) -> str:
        """The one architecture of a thin wheel."""
        return next(iter(self.lowest))

    def content(self, name: str) -> bytes:
        """Return a file of its dist-info folder.

        Raises:
            BrokenWheel: there is none, or it is damaged.
        """
        return _content(self.archive, f"{self.dist_info}/{name}")

    def read(self, member: Member, *, limit: int) -> bytes:
        """Return a small member's content, checked against RECORD too.

        Raises:
            BrokenWheel: it is larger than `limit`, damaged, or not what RECORD says.
        """
        content = self.archive.read(member, limit=limit)
        self._compare(member, content)
        return content

    def check(self, member: Member) -> None:
        """Check a small member's content against RECORD.

        Raises:
            BrokenWheel: it is damaged, or not what RECORD says.
        """
        self._compare(member, self.archive.read(member))

    def _compare(self, member: Member, content: bytes) -> None:
        claimed = self.digest(member.name)
        if hashlib.new(claimed.algorithm, content).digest() != claimed.value:
            raise self.record_mismatch(member)

    def record_mismatch(self, member: Member) -> BrokenWheel:
        """Make the error that a member is not what RECORD says."""
        return self.archive.broken(member.name, "its content is not the one that RECORD names")

    def digest(self, path: str) -> metadata.Digest:
        """Return what RECORD says of a member's content; signatures of RECORD have no row."""
        found = self.rows[path].digest
        assert found is not None, f"`read_half` takes no RECORD without the hash of {path}"
        return found


def read_half(
    archive: Archive, name: tags.WheelName | None = None, *, any_platform: bool = False
) -> OpenWheel:
    """Read a wheel's own description.

    Args:
        archive: the open wheel.
        name: the name that it should have; its file's name unless told.
        any_platform: whether its platform tags may be others than those of macOS.

    Raises:
        NoHalf: its name is not that of a wheel for macOS.
        BrokenWheel: dist-info is missing, damaged, or does not describe this wheel.
    """
    name, lowest = _name(str(name) if name else archive.path.name, any_platform=any_platform)
    stem = _stem(archive, name)
    data = _data(archive, stem)
    wheel_path, record_path, metadata_path = (
        f"{stem}.dist-info/{file}" for file in ("WHEEL", "RECORD", "METADATA")
    )
    if metadata_path not in archive.members:
        raise archive.broken(metadata_path, _MISSING)
    if reasons := dist_info.metadata_faults(_content(archive, metadata_path), name):
        raise archive.broken(metadata_path, "; ".join(reasons))
    try:
        wheel = metadata.parse_wheel(_content(archive, wheel_path, _WHEEL_LIMIT))
    except metadata.BadMetadata as error:
        raise archive.broken(wheel_path, str(error)) from None
    try:
        most = len(archive.members) + _STRAY_ROWS
        rows = metadata.parse_record(
            _content(archive, record_path, _record_limit(archive)), most=most
        )
    except metadata.BadMetadata as error:
        raise archive.broken(record_path, str(error)) from None
    if faults := _record_faults(archive, rows, f"{stem}.dist-info"):
        record_mismatch = archive.broken(record_path, "RECORD does not describe this wheel")
        record_mismatch.detail = "\n".join(map(printable, faults[:20]))
        raise record_mismatch
    return OpenWheel(archive, name, stem, data, lowest, wheel, MappingProxyType(rows))


def _name(text: str, *, any_platform: bool) -> tuple[tags.WheelName, dict[str, tags.Os]]:
    judge = tags.promises if any_platform else tags.lowest
    try:
        name = tags.parse_name(text)
        return name, judge(name.platforms)
    except tags.BadName as error:
        raise NoHalf(
            str(error), where=text, hint="give wheels for macOS, named as indexes name them"
        ) from None


def _stem(archive: Archive, name: tags.WheelName) -> str:
    folders = dist_info.folders(archive.members)
    if len(folders) != 1:
        raise archive.broken("", f"it has {len(folders)} dist-info folders, not one")
    if reason := dist_info.fault(folders[0], name):
        raise archive.broken(folders[0], reason)
    return dist_info.stem(folders[0])


def _data(archive: Archive, stem: str) -> str:
    """Return the wheel's data folder: pip takes any spelling, uv the dist-info folder's alone."""
    tops = {path.partition("/")[0] for path in archive.members if "/" in path}
    spellings = sorted(
        top
        for top in tops
        if top.endswith(".data")
        and dist_info.identity(top.removesuffix(".data")) == dist_info.identity(stem)
    )
    if len(spellings) > 1:
        raise archive.broken("", f"it has {len(spellings)} data folders: {', '.join(spellings)}")
    return spellings[0] if spellings else f"{stem}.data"


def _content(archive: Archive, path: str, limit: int = _TEXT_LIMIT) -> bytes:
    member = archive.members.get(path)
    if member is None:
        raise archive.broken(path, _MISSING)
    return archive.read(member, limit=limit)


def _record_limit(archive: Archive) -> int:
    """Return the bytes that a RECORD of the wheel's files can have, however it is quoted."""
    names = sum(len(name.encode("utf-8")) for name in archive.members)
    rows = len(archive.members) + _STRAY_ROWS
    return 2 * names + rows * _ROW_LIMIT


def _record_faults(archive: Archive, rows: Mapping[str, metadata.Row], dist_info: str) -> list[str]:
    wrong = [
        f"`{path}` has {member.size} bytes and RECORD says {rows[path].size}"
        for path, member in archive.members.items()
        if path in rows and rows[path].size not in (None, member.size)
        if path != f"{dist_info}/WHEEL"
    ]
    return metadata.unlisted(archive.members, rows, dist_info) + wrong


@dataclass(frozen=True)
class Pair:
    """The two halves of a universal2 wheel.

    Attributes:
        halves: by architecture, arm64 first.
        name: the fused wheel's name, but for its platforms and its build tag.
        named: the architecture whose half is called as the fused wheel is, when the halves are of
            two projects; None when they are of one.
    """

    halves: Mapping[str, OpenWheel]
    name: tags.WheelName
    named: str | None

    @property
    def dist_info(self) -> str:
        """The fused wheel's dist-info folder."""
        return f"{self.name.stem}.dist-info"

    def paths(self) -> dict[str, dict[str, Member]]:
        """Return each path of the fused wheel with the halves' members for it, by architecture."""
        found: dict[str, dict[str, Member]] = {}
        for arch, half in self.halves.items():
            for path, member in half.archive.members.items():
                found.setdefault(self._renamed(half, path), {})[arch] = member
        return dict(sorted(found.items()))

    def _renamed(self, half: OpenWheel, path: str) -> str:
        folder, slash, rest = path.partition("/")
        own = {half.dist_info: self.dist_info, half.data: f"{self.name.stem}.data"}
        return f"{own[folder]}/{rest}" if slash and folder in own else path


def match(first: OpenWheel, second: OpenWheel, *, alias: str | None, build: str | None) -> Pair:
    """Check that two wheels belong together; their order is of no account.

    Args:
        first: one half.
        second: the other.
        alias: the project that the fused wheel is of, when the halves have different names.
        build: the fused wheel's build tag; None: that of both halves.

    Raises:
        Mismatch: they don't; all reasons are given at once.
    """
    halves = {half.arch: half for half in sorted((first, second), key=lambda half: half.arch)}
    faults = [*_architecture_faults(first, second), *_faults(first, second, alias, build)]
    if faults:
        raise Mismatch(
            "these two wheels are not the halves of one",
            detail="\n".join([str(first.name), str(second.name), *(f"- {one}" for one in faults)]),
            hint="give the arm64 and the x86_64 wheel of one release for one Python",
        )
    named = [half for half in halves.values() if alias in (None, half.name.project)]
    main = min(named, key=lambda half: half.stem)
    distribution, _, version = main.stem.partition("-")
    pythons, abis = (tuple(sorted(part)) for part in (main.name.pythons, main.name.abis))
    name = tags.WheelName(distribution, version, build or main.name.build, pythons, abis, ())
    of_two = first.name.project != second.name.project
    return Pair(MappingProxyType(halves), name, main.arch if of_two else None)


def _architecture_faults(first: OpenWheel, second: OpenWheel) -> Iterator[str]:
    for half in (first, second):
        if len(half.lowest) > 1:
            yield f"{half.name} is for both architectures already"
    if first.lowest.keys() == second.lowest.keys() and len(first.lowest) == 1:
        yield f"both are for {first.arch}"


def _faults(
    first: OpenWheel, second: OpenWheel, alias: str | None, build: str | None
) -> Iterator[str]:
    one, other = first.name, second.name
    projects = {one.project, other.project}
    if alias is None and len(projects) > 1:
        yield f"their names differ: {one.project}, {other.project}; see --as"
    if alias is not None and alias not in projects:
        yield f"neither is of the project {alias}"
    told = {
        "versions": ({canonicalize_version(name.version) for name in (one, other)}),
        "Python tags": {".".join(sorted(name.pythons)).lower() for name in (one, other)},
        "ABI tags": {".".join(sorted(name.abis)).lower() for name in (one, other)},
        "build tags": {build or name.build or "none" for name in (one, other)},
        "Wheel-Version": {half.wheel.version for half in (first, second)},
        "Root-Is-Purelib": {str(half.wheel.purelib).lower() for half in (first, second)},
    }
    for what, values in told.items():
        if len(values) > 1:
            advice = "; see --build-tag" if what == "build tags" else ""
            yield f"their {what} differ: {', '.join(sorted(values))}{advice}"

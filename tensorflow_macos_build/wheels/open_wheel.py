"""A wheel that is open, its own description read: name, tags, dist-info and RECORD.

What opens here is one wheel in itself: its file name, its dist-info folder, WHEEL, METADATA and
RECORD name the same files, project and version. Members' contents are checked against RECORD as
they are read.

Source: PyPA's binary distribution format.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, printable
from tensorflow_macos_build.wheels.archive.reader import open_archive
from tensorflow_macos_build.wheels.dist_info import data_folders, folders, metadata, record, tags
from tensorflow_macos_build.wheels.dist_info.wheel_file import WheelFile, parse_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.wheels.archive.members import ArchiveLimits, BrokenWheel, Member
    from tensorflow_macos_build.wheels.archive.reader import Archive

_STRAY_ROWS = 100
"""Rows of RECORD for files that are not there, up to which they are named and not just counted."""

_ROW_LIMIT = 1 << 10
"""Bytes of a row of RECORD besides a path with its quotes doubled: a SHA-512 takes 94, a size 20.
A stray row's path has to fit in too."""

_SHOWN_FAULTS = 20

_WHEEL_LIMIT = 1 << 20
"""Largest WHEEL that is read, in bytes: 10,000 tags; real ones have under 10 KB."""

_TEXT_LIMIT = 16 << 20
"""Largest other file of dist-info that is read; METADATA with a long description has 1 MB."""


class UnfitWheel(UsageError):
    """A sound file that is no wheel for macOS, or not one that a wheel for it can be made of."""


@dataclass(frozen=True)
class OpenWheel:
    """A wheel, open, its own description read; `read_wheel` makes it.

    Attributes:
        archive: its file, open.
        name: its file name's parts.
        stem: what its dist-info folder begins with, as spelled there.
        data: its data folder, which may be spelled otherwise; that of `stem` where it has none.
        lowest: the macOS that its tags promise, by architecture.
        wheel_file: its WHEEL file.
        rows: its RECORD.
    """

    archive: Archive
    name: tags.WheelName
    stem: str
    data: str
    lowest: Mapping[str, tags.MacosVersion]
    wheel_file: WheelFile
    rows: Mapping[str, record.RecordRow]

    @property
    def dist_info(self) -> str:
        """The name of its dist-info folder."""
        return f"{self.stem}.dist-info"

    @property
    def arch(self) -> str:
        """The one architecture of a thin wheel."""
        return next(iter(self.lowest))

    def renamed(self, path: str, stem: str, data: str) -> str:
        """Return a member's path in a wheel whose own folders are called otherwise.

        Args:
            path: in this wheel.
            stem: what the other's dist-info folder begins with.
            data: the other's data folder.
        """
        folder, slash, rest = path.partition("/")
        names = {self.dist_info: f"{stem}.dist-info", self.data: data}
        return f"{names[folder]}/{rest}" if slash and folder in names else path

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

    def digest(self, path: str) -> record.Digest:
        """Return what RECORD says of a member's content; signatures of RECORD have no row."""
        digest = self.rows[path].digest
        assert digest is not None, f"`read_wheel` takes no RECORD without the hash of {path}"
        return digest


@contextlib.contextmanager
def open_wheel(
    path: Path, limits: ArchiveLimits | None = None, *, any_platform: bool = False
) -> Iterator[OpenWheel]:
    """Open a wheel and read its own description.

    Args:
        path: its file.
        limits: what it may claim.
        any_platform: as in `read_wheel`.

    Raises:
        UsageError: there is no such file, or it may not be read.
        UnfitWheel: its name is not that of a wheel for macOS.
        BrokenWheel: it is no sound zip file, exceeds `limits`, or does not describe itself.
    """
    with open_archive(path, limits) as archive:
        yield read_wheel(archive, any_platform=any_platform)


def read_wheel(
    archive: Archive, name: tags.WheelName | None = None, *, any_platform: bool = False
) -> OpenWheel:
    """Read the own description of a wheel whose file is open.

    Args:
        archive: its file.
        name: the name that it should have; None: its file's.
        any_platform: whether its platform tags may be others than those of macOS.

    Raises:
        UnfitWheel: its name is not that of a wheel for macOS.
        BrokenWheel: dist-info is missing, damaged, or does not describe this wheel.
    """
    name, lowest = _parse_name(str(name) if name else archive.path.name, any_platform=any_platform)
    stem = _stem(archive, name)
    data = _data(archive, stem)
    _check_metadata(archive, f"{stem}.dist-info/METADATA", name)
    wheel_file = _wheel_file(archive, f"{stem}.dist-info/WHEEL")
    rows = _rows(archive, f"{stem}.dist-info")
    return OpenWheel(archive, name, stem, data, lowest, wheel_file, MappingProxyType(rows))


def _parse_name(
    text: str, *, any_platform: bool
) -> tuple[tags.WheelName, dict[str, tags.MacosVersion]]:
    lowest_of = tags.promises if any_platform else tags.lowest
    try:
        name = tags.parse_name(text)
        return name, lowest_of(name.platforms)
    except tags.BadName as error:
        raise UnfitWheel(
            str(error), where=text, hint="give wheels for macOS, named as indexes name them"
        ) from None


def _stem(archive: Archive, name: tags.WheelName) -> str:
    several = folders.folders(archive.members)
    # pip stops at a second one, too (`wheel_dist_info_dir`).
    if len(several) != 1:
        raise archive.broken("", f"it has {len(several)} dist-info folders, not one")
    if reason := folders.fault(several[0], name):
        raise archive.broken(several[0], reason)
    return folders.stem(several[0])


def _data(archive: Archive, stem: str) -> str:
    """Return the wheel's data folder."""
    # pip takes it in any spelling, uv in the dist-info folder's alone.
    spellings = data_folders.of_stem(archive.members, stem)
    if len(spellings) > 1:
        raise archive.broken("", f"it has {len(spellings)} data folders: {', '.join(spellings)}")
    return spellings[0] if spellings else f"{stem}.data"


def _check_metadata(archive: Archive, path: str, name: tags.WheelName) -> None:
    if reasons := metadata.name_faults(_content(archive, path), name):
        raise archive.broken(path, "; ".join(reasons))


def _wheel_file(archive: Archive, path: str) -> WheelFile:
    try:
        # Not under the limit of METADATA: a million Tag lines took 640 MB when they were parsed.
        return parse_wheel(_content(archive, path, _WHEEL_LIMIT))
    except metadata.BadMetadata as error:
        raise archive.broken(path, str(error)) from None


def _rows(archive: Archive, dist_info: str) -> dict[str, record.RecordRow]:
    """Read RECORD, which must name every member and nothing else."""
    # A bound on rows beside that on bytes: 7 MB of RECORD can have 3 million rows of files that are
    # not there, which took 821 MB when they were parsed.
    path, most = f"{dist_info}/RECORD", len(archive.members) + _STRAY_ROWS
    try:
        rows = record.parse_record(_content(archive, path, _record_limit(archive)), most=most)
    except metadata.BadMetadata as error:
        raise archive.broken(path, str(error)) from None
    if faults := _record_faults(archive, rows, dist_info):
        broken = archive.broken(path, "RECORD does not describe this wheel")
        broken.detail = "\n".join(map(printable, faults[:_SHOWN_FAULTS]))
        raise broken
    return rows


def _content(archive: Archive, path: str, limit: int = _TEXT_LIMIT) -> bytes:
    member = archive.members.get(path)
    if member is None:
        raise archive.broken(path, "the wheel has no such file")
    return archive.read(member, limit=limit)


def _record_limit(archive: Archive) -> int:
    """Return the bytes that a RECORD of the wheel's files can have, however it is quoted."""
    names = sum(len(name.encode("utf-8")) for name in archive.members)
    rows = len(archive.members) + _STRAY_ROWS
    # A path grows by its quotes alone, each of which is written twice (RFC 4180, section 2).
    return 2 * names + rows * _ROW_LIMIT


def _record_faults(
    archive: Archive, rows: Mapping[str, record.RecordRow], dist_info: str
) -> list[str]:
    # Hashes are checked as members are read. WHEEL may be another than its row says: whatever is
    # made of the wheel gets a WHEEL of its own.
    wrong = [
        f"`{path}` has {member.size} bytes and RECORD says {rows[path].size}"
        for path, member in archive.members.items()
        if path in rows and rows[path].size not in (None, member.size)
        if path != f"{dist_info}/WHEEL"
    ]
    return record.membership_faults(archive.members, rows, dist_info) + wrong

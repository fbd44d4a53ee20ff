"""The wheel's own papers: its file name, dist-info, WHEEL, METADATA and RECORD.

Source: PyPA's binary distribution format and "recording installed projects".
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive import member_names
from tensorflow_macos_build.wheels.dist_info import data_folders, folders, install_paths, tags
from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata, name_faults
from tensorflow_macos_build.wheels.dist_info.record import ALGORITHMS, own_paths, record_rows
from tensorflow_macos_build.wheels.dist_info.wheel_file import expanded_tags, parse_wheel
from tensorflow_macos_build.wheels.verify.findings import Code, Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tensorflow_macos_build.wheels.dist_info.tags import WheelName

_KEPT = 1000
"""Rows of RECORD that are kept of those that say nothing of a member."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a member was found to be: its bytes' number and hashes, by hashlib's names."""

    size: int
    digests: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Listing:
    """What RECORD says of a wheel's members.

    Attributes:
        rows: hash and size as written, by member.
        stray: the first paths that are no members.
        strays: how many these are in all.
        malformed: what is wrong with the first malformed rows.
        malformations: how many these are in all.
        unreadable: why it cannot be read at all; "" when it can.
    """

    rows: Mapping[str, tuple[str, str]]
    stray: tuple[str, ...] = ()
    strays: int = 0
    malformed: tuple[str, ...] = ()
    malformations: int = 0
    unreadable: str = ""

    def algorithm(self, member: str) -> str:
        """The name of the hash that a member is listed with; "" when there is none."""
        return self.rows.get(member, ("", ""))[0].partition("=")[0]


def read_record(record: bytes, members: Collection[str]) -> Listing:
    """Read RECORD; of millions of rows for what is not in the wheel only a few are kept."""
    rows: dict[str, tuple[str, str]] = {}
    stray: dict[str, None] = {}
    malformed: list[str] = []
    strays = malformations = 0
    try:
        for number, row in enumerate(record_rows(record), 1):
            if len(row) != 3 or row[0] in rows or row[0] in stray:
                what = "is listed twice" if len(row) == 3 else "does not have three fields"
                malformations += 1
                if len(malformed) < _KEPT:
                    malformed.append(f"row {number} ({row[:1]}) {what}")
            elif row[0] in members:
                rows[row[0]] = (row[1], row[2])
            else:
                strays += 1
                if len(stray) < _KEPT:
                    stray[row[0]] = None
    except BadMetadata as error:
        return Listing({}, unreadable=str(error))
    return Listing(rows, tuple(sorted(stray)), strays, tuple(malformed), malformations)


def check_folder(named: WheelName, folder: str, members: Collection[str]) -> Iterator[Finding]:
    """Compare the names of the dist-info and data folders with the file name."""
    if reason := folders.fault(folder, named):
        yield Finding(Code.DIST_INFO, reason, folder)
    for path in data_folders.outside_schemes(members):
        message = f"a data folder holds {', '.join(data_folders.SCHEMES)}, and nothing else"
        yield Finding(Code.DATA_FOLDER, message, path)
    for path in data_folders.folders_of_scripts(members):
        message = "it is a folder; uv takes only files for scripts"
        yield Finding(Code.DATA_FOLDER, message, path)
    for later, earlier in _installed_twice(members):
        message = f"it is installed at the same path as {earlier}"
        yield Finding(Code.DATA_FOLDER, message, later, weight=Severity.WARNING)
    for data in data_folders.misspelled(members, folder):
        message = f"it is not spelled like {folder}"
        yield Finding(Code.DATA_FOLDER, message, data, weight=Severity.WARNING)


def _installed_twice(members: Collection[str]) -> Iterator[tuple[str, str]]:
    # Without a data folder files are installed as they are unpacked, which `open_archive` judges.
    if data_folders.data_folders(members):
        yield from member_names.collisions(members, install_paths.installed)


def check_platforms(named: WheelName) -> Iterator[Finding]:
    """Find platform tags that no installer on a Mac asks for."""
    asked = {platform for platform in named.platforms if tags.is_asked_for(platform)}
    for platform in named.platforms:
        if tags.is_of_mac(platform) and platform not in asked:
            promised = tags.promises([platform]).keys()
            spared = promised and promised <= tags.promises(asked).keys()
            instead = tags.nearest(platform)
            hint = f"; they ask for {instead}" if instead else ""
            message = f"no installer asks for {platform}{hint}"
            weight = Severity.WARNING if spared else None
            yield Finding(Code.PLATFORM_TAG, message, weight=weight)


def check_metadata(named: WheelName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare METADATA's Name and Version with the file name."""
    for fault in name_faults(text, named):
        yield Finding(Code.METADATA_MISMATCH, fault, path)


def check_wheel(named: WheelName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare WHEEL's Tag and Build with the file name, and judge its version."""
    try:
        file = parse_wheel(text)
        stated = expanded_tags(file.tags)
    except BadMetadata as error:
        yield Finding(Code.WHEEL_FILE, str(error), path)
        return
    if stated != named.expanded:
        only_file, only_name = (
            ", ".join(sorted(map(str, stated - named.expanded))) or "none",
            ", ".join(sorted(map(str, named.expanded - stated))) or "none",
        )
        message = f"tags only in WHEEL: {only_file}; only in the file name: {only_name}"
        yield Finding(Code.WHEEL_TAGS, message, path)
    if file.build != named.build:
        message = f"Build is `{file.build or ''}`, the file name says `{named.build or ''}`"
        yield Finding(Code.WHEEL_BUILD, message, path)


def check_record(
    path: str, listing: Listing, contents: Mapping[str, Contents | None]
) -> Iterator[Finding]:
    """Compare RECORD with what the wheel holds, both ways.

    `contents` has every member, in the order of the wheel; None stands for one that is broken.
    """
    if listing.unreadable:
        yield Finding(Code.RECORD_MALFORMED, listing.unreadable, path)
        return
    folder = path.rpartition("/")[0]
    own = own_paths(folder)
    for message in (*listing.malformed, *_rest(listing.malformations, listing.malformed)):
        yield Finding(Code.RECORD_MALFORMED, message, path)
    for name in sorted(contents.keys() - listing.rows.keys() - own):
        yield Finding(Code.RECORD_MISSING, "RECORD does not list it", name)
    for name in listing.stray:
        yield Finding(Code.RECORD_STRAY, "RECORD lists it; the wheel does not hold it", name)
    for message in _rest(listing.strays, listing.stray):
        yield Finding(Code.RECORD_STRAY, message, path)
    if listing.rows.get(path) != ("", ""):
        told = "is not listed" if path not in listing.rows else "is listed with a hash or a size"
        yield Finding(Code.RECORD_SELF, f"RECORD itself {told}", path)
    for name, (stated, size) in listing.rows.items():
        found = contents.get(name)
        if found is not None and name not in own:
            yield from _check_row(name, stated, size, found)
    yield from _check_order(path, list(contents), folder)


def _rest(number: int, shown: Collection[str]) -> tuple[str, ...]:
    left = number - len(shown)
    return (f"{left} more rows of this kind",) if left else ()


def _check_row(name: str, stated: str, size: str, found: Contents) -> Iterator[Finding]:
    algorithm, _, expected = stated.partition("=")
    if algorithm not in ALGORITHMS:
        yield Finding(Code.RECORD_HASH, f"`{stated}` is no SHA-256 or stronger hash", name)
    elif (actual := _encoded(found.digests[algorithm])) != expected:
        message = f"RECORD says {expected}, the content's {algorithm} is {actual}"
        yield Finding(Code.RECORD_HASH, message, name)
    if size != str(found.size):
        message = f"RECORD says {size or 'no size'}, the content has {found.size} bytes"
        yield Finding(Code.RECORD_SIZE, message, name)


def _check_order(path: str, members: list[str], folder: str) -> Iterator[Finding]:
    first = next((at for at, name in enumerate(members) if name.startswith(f"{folder}/")), 0)
    late = [name for name in members[first:] if not name.startswith(f"{folder}/")]
    if late:
        message = f"{len(late)} files follow the first of {folder}, which should come last"
        yield Finding(Code.RECORD_ORDER, message, path)


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

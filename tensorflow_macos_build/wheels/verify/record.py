"""RECORD against what the wheel holds, both ways.

Source: PyPA's "Recording installed projects", and "The .dist-info directory" of its binary
distribution format.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata
from tensorflow_macos_build.wheels.dist_info.record import (
    ALGORITHMS,
    encode_digest,
    own_paths,
    record_rows,
)
from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_MOST_ODD_ROWS = 1000
"""Rows of RECORD that are kept of those that say nothing of a member."""


@dataclass(frozen=True, slots=True)
class MemberContents:
    """What a member was found to be: its bytes' number and hashes, by hashlib's names."""

    size: int
    digests: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class RecordListing:
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


def read_record(record: bytes, members: Collection[str]) -> RecordListing:
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
                if len(malformed) < _MOST_ODD_ROWS:
                    malformed.append(f"row {number} ({row[:1]}) {what}")
            # Rows of members are as many as the wheel has files; of others there is no end.
            elif row[0] in members:
                rows[row[0]] = (row[1], row[2])
            else:
                strays += 1
                if len(stray) < _MOST_ODD_ROWS:
                    stray[row[0]] = None
    except BadMetadata as error:
        return RecordListing({}, unreadable=str(error))
    return RecordListing(rows, tuple(sorted(stray)), strays, tuple(malformed), malformations)


def check_record(
    path: str, listing: RecordListing, contents: Mapping[str, MemberContents | None]
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
    # No file can hold its own hash: RECORD's row has neither hash nor size.
    if listing.rows.get(path) != ("", ""):
        how = "is not listed" if path not in listing.rows else "is listed with a hash or a size"
        yield Finding(Code.RECORD_SELF, f"RECORD itself {how}", path)
    for name, (stated, size) in listing.rows.items():
        content = contents.get(name)
        if content is not None and name not in own:
            yield from _check_row(name, stated, size, content)
    yield from _check_order(path, list(contents), folder)


def _rest(number: int, shown: Collection[str]) -> tuple[str, ...]:
    left = number - len(shown)
    return (f"{left} more rows of this kind",) if left else ()


def _check_row(name: str, stated: str, size: str, content: MemberContents) -> Iterator[Finding]:
    algorithm, _, expected = stated.partition("=")
    if algorithm not in ALGORITHMS:
        yield Finding(Code.RECORD_HASH, f"`{stated}` is no SHA-256 or stronger hash", name)
    elif (actual := encode_digest(content.digests[algorithm])) != expected:
        message = f"RECORD says {expected}, the content's {algorithm} is {actual}"
        yield Finding(Code.RECORD_HASH, message, name)
    # As text: `+1`, `01` and digits of other scripts are numbers to int(), and not to all readers.
    if size != str(content.size):
        message = f"RECORD says {size or 'no size'}, the content has {content.size} bytes"
        yield Finding(Code.RECORD_SIZE, message, name)


def _check_order(path: str, members: list[str], folder: str) -> Iterator[Finding]:
    # "Archivers are encouraged to place the .dist-info files physically at the end of the archive",
    # so that metadata can be amended without writing all of it again.
    first = next((at for at, name in enumerate(members) if name.startswith(f"{folder}/")), 0)
    late = [name for name in members[first:] if not name.startswith(f"{folder}/")]
    if late:
        message = f"{len(late)} files follow the first of {folder}, which should come last"
        yield Finding(Code.RECORD_ORDER, message, path)

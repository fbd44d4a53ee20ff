"""RECORD of a wheel's dist-info: hash and size of every file.

Source: PyPA's binary distribution format and "recording installed projects".
"""

from __future__ import annotations

import base64
import binascii
import csv
import hashlib
import io
import re
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.wheels.dist_info.metadata import BadMetadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

ALGORITHMS = ("sha256", "sha384", "sha512")
"""The hashes that a RECORD may use; the specification wants SHA-256 or better."""

_DIGEST_SIZES = {name: hashlib.new(name).digest_size for name in ALGORITHMS}
"""Bytes of a digest, by its algorithm."""

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files of dist-info that sign RECORD; they are neither listed in it nor true of another one."""

MOST_ROWS = 500_000
"""As many rows as a wheel may have members (`members.ArchiveLimits`)."""

_SIZE = re.compile(r"[0-9]{1,19}")
"""Digits of a 63-bit number; int() would take signs, blanks and other scripts' digits too."""


class Digest(NamedTuple):
    """A hash as RECORD gives it: the algorithm's name in hashlib, and its bytes."""

    algorithm: str
    value: bytes


class RecordRow(NamedTuple):
    """One line of RECORD; `size` is None where it is left out."""

    digest: Digest | None
    size: int | None


def record_rows(content: bytes) -> Iterator[list[str]]:
    """Return RECORD's rows as they stand there, one at a time: it may have millions.

    Raises:
        BadMetadata: it is not CSV in UTF-8.
    """
    number = 0
    # Decoded as it is read: a str of the whole may take four times the bytes.
    # newline: a path in quotes may hold a line's end, and csv itself tells which ones end a row.
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") as text:
        try:
            # Without `strict` csv makes something of a quote in the wrong place, other readers
            # something else.
            for row in csv.reader(text, strict=True):
                yield row
                number += 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadMetadata(f"it cannot be read after {number} rows ({error})") from None


def parse_record(content: bytes, *, most: int = MOST_ROWS) -> dict[str, RecordRow]:
    """Read a RECORD file: its rows by path.

    Args:
        content: the file.
        most: rows from which on it is refused: about as many as the wheel has files.

    Raises:
        BadMetadata: it is not CSV of three columns in UTF-8, a path is listed twice, or a hash or
            a size is malformed.
    """
    rows: dict[str, RecordRow] = {}
    for line in record_rows(content):
        if not line:
            continue
        if len(line) != 3 or (line[2] and not _SIZE.fullmatch(line[2])):
            raise BadMetadata(f"it cannot be read after {len(rows)} rows (no path, hash and size)")
        path, digest, size = line
        if path in rows:
            raise BadMetadata(f"`{path}` is listed twice")
        if len(rows) == most:
            raise BadMetadata(f"it has more than {most} rows, and the wheel fewer files")
        rows[path] = RecordRow(_parse_digest(path, digest), int(size) if size else None)
    return rows


def format_record(rows: Mapping[str, tuple[bytes, int]], record: str) -> bytes:
    """Write a RECORD file.

    Args:
        rows: SHA-256 and size by path, in the order to write.
        record: the path of RECORD itself, which comes last and without a hash.
    """
    text = io.StringIO(newline="")
    # csv's own line ending is CRLF; the specification takes that and LF.
    writer = csv.writer(text, lineterminator="\n")
    for path, (digest, size) in rows.items():
        writer.writerow((path, f"sha256={encode_digest(digest)}", size))
    writer.writerow((record, "", ""))
    return text.getvalue().encode("utf-8")


def own_paths(dist_info: str) -> frozenset[str]:
    """Return the paths of RECORD and its signatures, which it does not vouch for."""
    return frozenset(f"{dist_info}/{name}" for name in ("RECORD", *SIGNATURES))


def membership_faults(
    names: Iterable[str], rows: Mapping[str, RecordRow], dist_info: str
) -> list[str]:
    """List what RECORD and the wheel's members do not agree on, a sentence each."""
    free = own_paths(dist_info)
    members = set(names)
    lacking = [
        f"`{name}` is in the wheel and has no hash in RECORD"
        for name in sorted(members - free)
        if name not in rows or rows[name].digest is None
    ]
    return lacking + [
        f"`{name}` is in RECORD and not in the wheel"
        for name in sorted(rows.keys() - members - free)
    ]


def _parse_digest(path: str, text: str) -> Digest | None:
    if not text:
        return None
    algorithm, _, value = text.partition("=")
    if algorithm not in ALGORITHMS:
        raise BadMetadata(f"`{path}` has a hash of the kind `{algorithm}`")
    # RECORD has URL-safe base64 without the padding, which the decoder wants.
    padded = value + "=" * (-len(value) % 4)
    try:
        # Without `validate` letters of no base64 are passed over, and many texts mean one hash.
        digest = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadMetadata(f"the hash of `{path}` is not URL-safe base64") from None
    if len(digest) != _DIGEST_SIZES[algorithm]:
        raise BadMetadata(f"the hash of `{path}` is not as long as {algorithm} makes them")
    return Digest(algorithm, digest)


def encode_digest(digest: bytes) -> str:
    """Return a hash as RECORD has it."""
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

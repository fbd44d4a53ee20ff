"""The files of a wheel's dist-info that describe the wheel itself: WHEEL and RECORD.

Sources: PyPA's binary distribution format and the "recording installed projects" specification.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import csv
import email.parser
import email.policy
import hashlib
import io
import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import parse_tag

from tensorflow_macos_build import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from email.message import Message

    from packaging.tags import Tag

ALGORITHMS = ("sha256", "sha384", "sha512")
"""The hashes that a RECORD may use; the specification wants SHA-256 or better."""

SIGNATURES = ("RECORD.jws", "RECORD.p7s")
"""Files of dist-info that sign RECORD; they are neither listed in it nor true of another one."""


FIELDS_LIMIT = 4 << 20
"""Most bytes of WHEEL's or METADATA's fields that are read: parsed ones take many times that."""

_MAXIMUM_TAGS = 10_000
"""Tags that WHEEL may stand for: a line may be of the form a.b-c.d-e.f, and means eight then."""


MOST_ROWS = 500_000
"""As many rows as a wheel may have members (`members.Limits`)."""

_PIECE = 1 << 20
"""Bytes that are decoded at a time."""

_SIZE = re.compile(r"[0-9]{1,19}")
_END_OF_FIELDS = re.compile(rb"\n\r?\n|\r\r")


class BadMetadata(ValueError):
    """A file of dist-info does not obey its specification; the message says how."""


@dataclass(frozen=True, slots=True)
class WheelFile:
    """What a wheel's WHEEL file says.

    Attributes:
        version: Wheel-Version, such as "1.0".
        purelib: Root-Is-Purelib.
        tags: its Tag lines in order, as they stand there; `expanded` judges them.
        build: Build; None when there is none.
    """

    version: str
    purelib: bool
    tags: tuple[str, ...]
    build: str | None


@dataclass(frozen=True, slots=True)
class Digest:
    """A hash as RECORD gives it: the algorithm's name in hashlib, and its bytes."""

    algorithm: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """One line of RECORD; `size` is None where it is left out."""

    digest: Digest | None
    size: int | None


def parse_wheel(content: bytes) -> WheelFile:
    """Read a WHEEL file.

    Raises:
        BadMetadata: a field is missing or malformed, or its version is not 1.x.
    """
    fields = parse_fields(content)
    version = str(fields.get("Wheel-Version", "")).strip()
    if not re.fullmatch(r"1\.[0-9]+", version):
        raise BadMetadata(f"Wheel-Version is `{version}`; this tool knows version 1")
    purelib = str(fields.get("Root-Is-Purelib", "")).strip().lower()
    if purelib not in ("true", "false"):
        raise BadMetadata(f"Root-Is-Purelib is `{purelib}`, not true or false")
    tags = tuple(str(tag).strip() for tag in fields.get_all("Tag", []))
    build = fields.get("Build")
    return WheelFile(version, purelib == "true", tags, str(build).strip() if build else None)


def parse_fields(content: bytes) -> Message[str, str]:
    """Read the fields of WHEEL or METADATA; a description after them is left out.

    Raises:
        BadMetadata: the fields are endless, or the file is not UTF-8: pip refuses it then, whether
            it is the fields or the description.
    """
    end = _END_OF_FIELDS.search(content)
    fields = content[: end.start()] if end else content
    if len(fields) > FIELDS_LIMIT:
        raise BadMetadata(f"its fields take more than the {FIELDS_LIMIT} bytes that are read")
    try:
        _check_utf8(content)
        text = fields.decode("utf-8")
    except UnicodeDecodeError:
        raise BadMetadata("it is not UTF-8") from None
    return email.parser.HeaderParser(policy=email.policy.compat32).parsestr(text)


def _check_utf8(content: bytes) -> None:
    """Decode piece by piece, as a description may be large and its text is of no use here."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(content), _PIECE):
        decoder.decode(content[start : start + _PIECE])
    decoder.decode(b"", final=True)


def expanded(lines: Iterable[str]) -> frozenset[Tag]:
    """Return the tags that WHEEL's `Tag` lines stand for together.

    Raises:
        BadMetadata: there is none, a line is no tag, or they stand for more than a wheel can have.
    """
    tags: set[Tag] = set()
    for line in lines:
        parts = line.split("-")
        if len(parts) != 3:
            raise BadMetadata(f"`Tag: {line}` is no PYTHON-ABI-PLATFORM")
        if len(tags) + math.prod(part.count(".") + 1 for part in parts) > _MAXIMUM_TAGS:
            raise BadMetadata(f"its tags stand for more than {_MAXIMUM_TAGS}")
        try:
            tags |= parse_tag(line)
        except ValueError:
            raise BadMetadata(f"`Tag: {line}` is no PYTHON-ABI-PLATFORM") from None
    if not tags:
        raise BadMetadata("it has no Tag")
    return frozenset(tags)


def format_wheel(file: WheelFile) -> bytes:
    """Write a WHEEL file: a line a tag in the given order, this tool as the generator."""
    lines = [
        f"Wheel-Version: {file.version}",
        f"Generator: tensorflow_macos_build ({__version__})",
        f"Root-Is-Purelib: {'true' if file.purelib else 'false'}",
        *(f"Tag: {tag}" for tag in file.tags),
        *([f"Build: {file.build}"] if file.build else []),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def record_rows(content: bytes) -> Iterator[list[str]]:
    """Return RECORD's rows as they stand there, one at a time: it may have millions.

    Raises:
        BadMetadata: it is not CSV in UTF-8.
    """
    number = 0
    with io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="") as text:
        try:
            for row in csv.reader(text, strict=True):
                yield row
                number += 1
        except (UnicodeDecodeError, csv.Error) as error:
            raise BadMetadata(f"it cannot be read after {number} rows ({error})") from None


def parse_record(content: bytes, *, most: int = MOST_ROWS) -> dict[str, Row]:
    """Read a RECORD file: its rows by path.

    Args:
        content: the file.
        most: rows from which on it is refused: about as many as the wheel has files.

    Raises:
        BadMetadata: it is not CSV of three columns in UTF-8, a path is listed twice, or a hash or
            a size is malformed.
    """
    rows: dict[str, Row] = {}
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
        rows[path] = Row(_parse_digest(path, digest), int(size) if size else None)
    return rows


def format_record(rows: Mapping[str, tuple[bytes, int]], record: str) -> bytes:
    """Write a RECORD file.

    Args:
        rows: SHA-256 and size by path, in the order to write.
        record: the path of RECORD itself, which comes last and without a hash.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    for path, (digest, size) in rows.items():
        writer.writerow((path, f"sha256={_base64(digest)}", size))
    writer.writerow((record, "", ""))
    return text.getvalue().encode("utf-8")


def unlisted(names: Iterable[str], rows: Mapping[str, Row], dist_info: str) -> list[str]:
    """List what RECORD and the wheel's members do not agree on, a sentence each."""
    free = {f"{dist_info}/{name}" for name in ("RECORD", *SIGNATURES)}
    members = set(names)
    found = [
        f"`{name}` is in the wheel and has no hash in RECORD"
        for name in sorted(members - free)
        if name not in rows or rows[name].digest is None
    ]
    return found + [
        f"`{name}` is in RECORD and not in the wheel"
        for name in sorted(rows.keys() - members - free)
    ]


def _parse_digest(path: str, text: str) -> Digest | None:
    if not text:
        return None
    algorithm, _, value = text.partition("=")
    if algorithm not in ALGORITHMS:
        raise BadMetadata(f"`{path}` has a hash of the kind `{algorithm}`")
    padded = value + "=" * (-len(value) % 4)
    try:
        digest = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadMetadata(f"the hash of `{path}` is not URL-safe base64") from None
    if len(digest) != hashlib.new(algorithm).digest_size:
        raise BadMetadata(f"the hash of `{path}` is not as long as {algorithm} makes them")
    return Digest(algorithm, digest)


def _base64(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")

"""The wheel's own papers: its file name, dist-info, WHEEL, METADATA and RECORD.

Source: PyPA's binary distribution format and "recording installed projects".
"""

from __future__ import annotations

import base64
import csv
import email.parser
import email.policy
import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.tags import Tag, parse_tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from tensorflow_macos_build.wheels.verify.findings import Code, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_MAXIMUM_TAGS = 10_000
_SELF_SIGNED = ("RECORD.jws", "RECORD.p7s")
_STRONG = ("sha256", "sha384", "sha512")


@dataclass(frozen=True, slots=True)
class FileName:
    """What a wheel's file name says.

    Attributes:
        name: the distribution, normalised.
        version: its version.
        build: the build tag as written, or "".
        tags: the compatibility tags, expanded.
    """

    name: str
    version: Version
    build: str
    tags: frozenset[Tag]

    @property
    def platforms(self) -> frozenset[str]:
        """The platform tags."""
        return frozenset(tag.platform for tag in self.tags)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a member was found to be: its bytes' number and hashes, by hashlib's names."""

    size: int
    digests: Mapping[str, bytes]


def parse_name(file_name: str) -> FileName | None:
    """Read a wheel's file name; None when it is not one."""
    try:
        name, version, build, tags = parse_wheel_filename(file_name)
    except ValueError:  # InvalidWheelFilename, InvalidVersion, or more digits than int() takes
        return None
    return FileName(name, version, "".join(map(str, build)), tags)


def dist_info(members: Mapping[str, object]) -> tuple[str, ...]:
    """Give the wheel's top-level folders that end in .dist-info, sorted."""
    tops = {name.partition("/")[0] for name in members if "/" in name}
    return tuple(sorted(top for top in tops if top.endswith(".dist-info")))


def record_algorithms(record: bytes) -> Mapping[str, str]:
    """Give, for each file that RECORD lists, the hash that it is listed with."""
    try:
        rows = list(csv.reader(io.StringIO(record.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error):
        return {}
    return {row[0]: row[1].partition("=")[0] for row in rows if len(row) == 3}


def judge_folder(named: FileName, folder: str) -> Iterator[Finding]:
    """Compare the dist-info folder's name with the file name."""
    name, _, version = folder.removesuffix(".dist-info").rpartition("-")
    if canonicalize_name(name) != named.name or _version(version) != named.version:
        message = f"{folder} is not that of {named.name} {named.version}"
        yield Finding(Code.DIST_INFO, folder, "", message)


def judge_metadata(named: FileName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare METADATA's Name and Version with the file name."""
    fields = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(text)
    name, version = str(fields.get("Name", "")), str(fields.get("Version", ""))
    if canonicalize_name(name) != named.name:
        message = f"Name is `{name}`, the file name says `{named.name}`"
        yield Finding(Code.METADATA_MISMATCH, path, "", message)
    if _version(version) != named.version:
        message = f"Version is `{version}`, the file name says `{named.version}`"
        yield Finding(Code.METADATA_MISMATCH, path, "", message)


def judge_wheel(named: FileName, path: str, text: bytes) -> Iterator[Finding]:
    """Compare WHEEL's Tag and Build with the file name, and judge its version."""
    fields = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(text)
    version = str(fields.get("Wheel-Version", ""))
    if version.partition(".")[0] != "1":
        yield Finding(Code.WHEEL_FILE, path, "", f"Wheel-Version is `{version}`, not 1.x")
    if str(fields.get("Root-Is-Purelib", "")).lower() not in ("true", "false"):
        yield Finding(Code.WHEEL_FILE, path, "", "Root-Is-Purelib is neither true nor false")
    lines = [str(line) for line in fields.get_all("Tag", [])]
    for line in lines:
        if not _is_tag(line):
            yield Finding(Code.WHEEL_FILE, path, "", f"`Tag: {line}` is no PYTHON-ABI-PLATFORM")
    tags = frozenset(tag for line in lines if _is_tag(line) for tag in parse_tag(line))
    if tags != named.tags:
        only_file, only_name = (
            ", ".join(sorted(map(str, tags - named.tags))) or "none",
            ", ".join(sorted(map(str, named.tags - tags))) or "none",
        )
        message = f"tags only in WHEEL: {only_file}; only in the file name: {only_name}"
        yield Finding(Code.WHEEL_TAGS, path, "", message)
    build = str(fields.get("Build", ""))
    if build != named.build:
        message = f"Build is `{build}`, the file name says `{named.build}`"
        yield Finding(Code.WHEEL_BUILD, path, "", message)


def judge_record(
    path: str, record: bytes, contents: Mapping[str, Contents | None]
) -> Iterator[Finding]:
    """Compare RECORD with what the wheel holds, both ways.

    `contents` has every member, in the order of the wheel; None stands for one that is broken.
    """
    try:
        rows = list(csv.reader(io.StringIO(record.decode("utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        yield Finding(Code.RECORD_MALFORMED, path, "", f"it is no CSV text in UTF-8: {error}")
        return
    folder = path.rpartition("/")[0]
    signatures = [f"{folder}/{name}" for name in _SELF_SIGNED]
    listed: dict[str, tuple[str, str]] = {}
    for number, row in enumerate(rows, 1):
        if len(row) != 3 or row[0] in listed:
            what = "is listed twice" if len(row) == 3 else "does not have three fields"
            yield Finding(Code.RECORD_MALFORMED, path, "", f"row {number} ({row[:1]}) {what}")
            continue
        listed[row[0]] = (row[1], row[2])
    for name in sorted(contents.keys() - listed.keys() - {path, *signatures}):
        yield Finding(Code.RECORD_MISSING, name, "", "RECORD does not list it")
    for name in sorted(listed.keys() - contents.keys()):
        yield Finding(Code.RECORD_STRAY, name, "", "RECORD lists it; the wheel does not hold it")
    if listed.get(path) != ("", ""):
        told = "is not listed" if path not in listed else "is listed with a hash or a size"
        yield Finding(Code.RECORD_SELF, path, "", f"RECORD itself {told}")
    for name, (stated, size) in listed.items():
        found = contents.get(name)
        if found is not None and name not in (path, *signatures):
            yield from _judge_row(name, stated, size, found)
    yield from _judge_order(path, list(contents), folder)


def _judge_row(name: str, stated: str, size: str, found: Contents) -> Iterator[Finding]:
    algorithm, _, expected = stated.partition("=")
    if algorithm not in _STRONG:
        yield Finding(Code.RECORD_HASH, name, "", f"`{stated}` is no SHA-256 or stronger hash")
    elif (actual := _encoded(found.digests[algorithm])) != expected:
        message = f"RECORD says {expected}, the content's {algorithm} is {actual}"
        yield Finding(Code.RECORD_HASH, name, "", message)
    if size != str(found.size):
        message = f"RECORD says {size or 'no size'}, the content has {found.size} bytes"
        yield Finding(Code.RECORD_SIZE, name, "", message)


def _judge_order(path: str, members: list[str], folder: str) -> Iterator[Finding]:
    first = next((at for at, name in enumerate(members) if name.startswith(f"{folder}/")), 0)
    late = [name for name in members[first:] if not name.startswith(f"{folder}/")]
    if late:
        message = f"{len(late)} files follow the first of {folder}, which should come last"
        yield Finding(Code.RECORD_ORDER, path, "", message)


def _is_tag(line: str) -> bool:
    """Tell whether a tag has three parts that stand for a number of tags one can have."""
    parts = line.split("-")
    return len(parts) == 3 and math.prod(part.count(".") + 1 for part in parts) <= _MAXIMUM_TAGS


def _encoded(digest: bytes) -> str:
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:
        return None

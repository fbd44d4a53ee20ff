"""What fuse leaves in the wheel's dist-info, so that thin can undo it by copying: fused.json.

It names both halves and every path that is not simply the same in both: where a universal file's
slices lie in the member's data, where the texts of a merged header lie, which files one side alone
had, or alone let be executed, and which stand under another name. The offsets are true only of the
very member that they were made for: a universal file's size and CRC prove it, and that a header's
texts merge to it again.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.wheels.deflate.universal import Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.wheels.archive.reader import Archive

NAME = "fused.json"
"""The record's name in dist-info."""

_LIMIT = 16 << 20
_LIMIT_BESIDE_MEMBERS = 1 << 20
_LIMIT_BY_MEMBER = 1 << 10
"""Largest record that is read, in bytes: both halves' WHEEL, two slices of each member, and its
name in every list. TensorFlow's has 80 KB for 10,000 members."""

_MOST_VALUES = 1024
_MOST_VALUES_BY_MEMBER = 16
"""Lists and tables that are read: parsed, an empty one takes 30 times its two bytes."""

_SCHEMA = ("fused", 1)


class BadRecord(ValueError):
    """A wheel's fused.json is not one that this tool writes."""


@dataclass(frozen=True)
class FusedHalf:
    """A half.

    Attributes:
        wheel: its file's name.
        description: its own WHEEL file.
        stem: what its dist-info folder begins with; "": as the fused wheel's.
        data: its data folder; "": as the fused wheel's.
    """

    wheel: str
    description: str
    stem: str = ""
    data: str = ""


@dataclass(frozen=True)
class FusedRecord:
    """The content of fused.json.

    Attributes:
        halves: by architecture.
        universal: slices by path, then by architecture.
        headers: offset and length of the texts by path, then by architecture.
        only: paths that one architecture's wheel alone has.
        executable: paths of both that one architecture's wheel alone lets be executed.
        renamed: paths of files that both have and the fused wheel has beside each other: by
            architecture, the half's own path by that in the fused wheel.
        one_sided: machine code that by a rule is there for one architecture alone.
    """

    halves: Mapping[str, FusedHalf]
    universal: Mapping[str, Mapping[str, Span]] = field(default_factory=dict)
    headers: Mapping[str, Mapping[str, tuple[int, int]]] = field(default_factory=dict)
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    executable: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    one_sided: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def dump(record: FusedRecord) -> bytes:
    """Write the record as JSON with sorted keys."""
    body = {
        "halves": {arch: asdict(origin) for arch, origin in record.halves.items()},
        "universal": {
            path: {arch: asdict(span) for arch, span in spans.items()}
            for path, spans in record.universal.items()
        },
        "headers": {
            path: {arch: list(text) for arch, text in texts.items()}
            for path, texts in record.headers.items()
        },
        "only": {arch: list(paths) for arch, paths in record.only.items()},
        "executable": {arch: list(paths) for arch, paths in record.executable.items()},
        "renamed": {arch: dict(paths) for arch, paths in record.renamed.items()},
        "one_sided": {arch: list(paths) for arch, paths in record.one_sided.items()},
    }
    document = documents.document(*_SCHEMA, body)
    # Sorted keys: neither the order of the wheels on the command line nor that of threads shows.
    return (json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read(wheel: Archive, dist_info: str) -> FusedRecord | None:
    """Read a wheel's record; None when it has none.

    Raises:
        BadRecord: it is not one, or says more than there is to say of the wheel.
        BrokenWheel: its data is damaged.
    """
    member = wheel.members.get(f"{dist_info}/{NAME}")
    if member is None:
        return None
    names = [name.encode("utf-8") for name in wheel.members]
    # JSON may write a byte of a name as \u00XX, which is six.
    by_member = _LIMIT_BY_MEMBER * len(names) + 6 * sum(map(len, names))
    if member.size > min(_LIMIT, _LIMIT_BESIDE_MEMBERS + by_member):
        raise BadRecord(f"its {member.size} bytes are more than {len(names)} files can need")
    content = wheel.read(member)
    # Counted before it is parsed. The brackets of names count too, wherever a name stands.
    values, in_names = (sum(map(text.count, (b"[", b"{"))) for text in (content, b"".join(names)))
    if values > _MOST_VALUES + _MOST_VALUES_BY_MEMBER * len(names) + 6 * in_names:
        raise BadRecord(f"it has more values than {len(names)} files can need")
    return parse(content)


def parse(content: bytes) -> FusedRecord:
    """Read a record.

    Raises:
        BadRecord: it is not one.
    """
    try:
        document = documents.read(content, *_SCHEMA)
    except documents.NotTheDocument as error:
        raise BadRecord(f"it cannot be read ({error})") from None
    return FusedRecord(
        {arch: FusedHalf(**origin) for arch, origin in document["halves"].items()},
        {
            path: {arch: Span(**span) for arch, span in spans.items()}
            for path, spans in document["universal"].items()
        },
        {
            path: {arch: (text[0], text[1]) for arch, text in texts.items()}
            for path, texts in document["headers"].items()
        },
        {arch: tuple(paths) for arch, paths in document["only"].items()},
        {arch: tuple(paths) for arch, paths in document["executable"].items()},
        # What came later is not in wheels that were fused before.
        document.get("renamed", {}),
        {arch: tuple(paths) for arch, paths in document.get("one_sided", {}).items()},
    )

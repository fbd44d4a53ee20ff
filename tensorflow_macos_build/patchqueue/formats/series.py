"""A quilt series: the patch files in order, with comments (quilt(1), "series")."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tensorflow_macos_build.patchqueue.formats.refused import Malformed

# quilt(1): a name, perhaps `-pN` and other options of patch, perhaps a comment
_ENTRY = re.compile(r"(?P<name>[^\s#]\S*)(?P<options>(?:[ \t]+-\S+)*)[ \t]*(?:[ \t]#.*)?\s*")

MAX_BYTES = 16 << 20
"""Bytes of the largest series that is read."""

MAX_ENTRIES = 100_000
"""Patches that a series may list."""


@dataclass(frozen=True, slots=True)
class SeriesEntry:
    """One patch of a series.

    Attributes:
        name: the patch file's path, relative to the series' folder.
        strip: path components to take off the names in it (`-pN`; 1 without one).
        lead: the bytes of the lines before it: comments, blank lines.
        raw: the bytes of its own line.
    """

    name: str
    strip: int
    lead: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Series:
    """A series file: its entries, and the bytes of the lines after the last one."""

    entries: tuple[SeriesEntry, ...]
    tail: bytes

    def emit(self) -> bytes:
        """Return the bytes that the series was read from."""
        return b"".join(entry.lead + entry.raw for entry in self.entries) + self.tail


def parse(content: bytes) -> Series:
    """Read a series.

    Raises:
        Malformed: a line is neither a comment nor a file name with options that are taken, a name
            leaves the folder or comes twice; `line` counts from 1.
    """
    entries: list[SeriesEntry] = []
    names: set[str] = set()
    lead = b""
    for number, raw in enumerate(content.splitlines(keepends=True), 1):
        # kept with the entry that follows: a comment is about the patch below it
        if not raw.strip() or raw.lstrip().startswith(b"#"):
            lead += raw
            continue
        try:
            entry = _entry(lead, raw)
        except Malformed as error:
            raise Malformed(error.what, number) from None
        if entry.name in names:
            raise Malformed(f"`{entry.name}` is listed twice", number)
        if len(entries) >= MAX_ENTRIES:
            raise Malformed(f"the series lists more than {MAX_ENTRIES} patches", number)
        names.add(entry.name)
        entries.append(entry)
        lead = b""
    return Series(tuple(entries), lead)


def _entry(lead: bytes, raw: bytes) -> SeriesEntry:
    try:
        matched = _ENTRY.fullmatch(raw.decode("utf-8"))
    except UnicodeDecodeError:
        matched = None
    if matched is None:
        raise Malformed("the line is neither a comment nor a file name with options")
    strip = 1  # quilt's own default
    for option in matched["options"].split():
        if re.fullmatch(r"-p[0-9]", option) is None:
            raise Malformed(f"the option `{option}` is not taken; only -p0 to -p9 are")
        strip = int(option[2:])
    name = matched["name"]
    if name.startswith("/") or ".." in name.split("/") or "\0" in name:
        raise Malformed(f"`{name}` leaves the series' folder")
    return SeriesEntry(name, strip, lead, raw)

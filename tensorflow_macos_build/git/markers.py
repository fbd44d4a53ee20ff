"""Conflict markers: reading the hunks that git marked in a file (diff3 style, long markers)."""

from __future__ import annotations

import functools
import io
import re
from dataclasses import dataclass
from enum import Enum

MARKER_SIZE = 71
"""How many characters long the conflict markers are that git writes in a quarantine.

No real file has lines of so many `<`, so a marker can be told from what a file itself holds (git's
default of 7 is also how reStructuredText underlines a heading).
"""

SIZES = (MARKER_SIZE, MARKER_SIZE + 1)
"""git makes the markers of a merge inside a merge (a rename that meets an addition) one longer
(extra_marker_size in merge-ort.c)."""


@dataclass(frozen=True)
class ConflictHunk:
    """One conflicting region: its lines in the base, upstream, and in the patched file."""

    base: tuple[bytes, ...]
    ours: tuple[bytes, ...]
    theirs: tuple[bytes, ...]


class _Side(Enum):
    OURS = b"<"
    BASE = b"|"
    THEIRS = b"="
    END = b">"


_NEXT = {
    _Side.END: (_Side.OURS,),
    _Side.OURS: (_Side.BASE, _Side.THEIRS),  # two files made at one path have no base to show
    _Side.BASE: (_Side.THEIRS,),
    _Side.THEIRS: (_Side.END,),
}


def parse(content: bytes, size: int = MARKER_SIZE) -> tuple[ConflictHunk | bytes, ...]:
    """Take a marked file apart: conflicting regions, and single lines outside of them.

    A file whose markers are out of order holds none of git's, and comes back as its lines.
    """
    parts: list[ConflictHunk | bytes] = []
    for part in _parted(content, size) or (content,):
        parts += [part] if isinstance(part, ConflictHunk) else split_lines(part)
    return tuple(parts)


def hunks(content: bytes) -> tuple[ConflictHunk, ...]:
    """Return the conflicting regions of a marked file."""
    parts = _parted(content, MARKER_SIZE)
    return tuple(part for part in parts if isinstance(part, ConflictHunk))


def _parted(content: bytes, size: int) -> list[ConflictHunk | bytes]:
    """Return a marked file's regions and what stands between them; nothing, as for `parse`."""
    if b"<" * size not in content:
        return []
    parts: list[ConflictHunk | bytes] = []
    sections: dict[_Side, list[bytes]] = {}
    side, start = _Side.END, 0
    # One more line feed in front: a line then ends in the content where it is matched to end.
    for line in _likely(size).finditer(b"\n" + content):
        marker = _marker(line)
        if marker is None:
            continue
        # A file of its own that looks so: to take half of it for git's would lose lines.
        if marker not in _NEXT[side]:
            return []
        before = content[start : line.start()]
        if side is not _Side.END:
            sections[side] = split_lines(before)
        elif before:
            parts.append(before)
        if marker is _Side.OURS:
            sections = {section: [] for section in _Side}
        elif marker is _Side.END:
            parts.append(_hunk(sections))
        side, start = marker, line.end()
    if side is not _Side.END:
        return []
    return [*parts, content[start:]] if start < len(content) else parts


def patch_side(marked: bytes, patched: bytes) -> bytes | None:
    """Return a marked file with the patch's lines in every conflicting region.

    None: the file holds no markers (it is binary, say). `patched` is the file as the patch made it.
    """
    unended = patched.rpartition(b"\n")[2]
    content, has_markers = marked, False
    # The shorter first: the longer ones stand within its regions, and are lines of a side to it.
    for size in SIZES:
        parts = _parted(content, size)
        pieces: list[bytes] = []
        for part in parts:
            pieces += part.theirs if isinstance(part, ConflictHunk) else [part]
        at_end = bool(parts) and isinstance(parts[-1], ConflictHunk) and bool(parts[-1].theirs)
        # git ends a region's last line even where the patched file's last line has no end.
        if at_end and unended:
            pieces[-1] = unended
        if any(isinstance(part, ConflictHunk) for part in parts):
            content, has_markers = b"".join(pieces), True
    return content if has_markers else None


def are_in(content: bytes) -> bool:
    """Whether a file that git left holds its markers."""
    return b"<" * MARKER_SIZE in content


def are_alike(content: bytes) -> bool:
    """Whether both sides have the same lines in all regions that git marked.

    They are there because git compared each side with the base. Where it shows no base it compares
    the sides, too, and then calls such a region no conflict (xdl_refine_conflicts in xmerge.c).
    """
    return are_in(content) and all(hunk.ours == hunk.theirs for hunk in hunks(content))


def are_nested(content: bytes) -> bool:
    """Whether a file holds markers of a merge inside a merge."""
    return b"<" * SIZES[-1] in content


def split_lines(content: bytes) -> list[bytes]:
    """Split at line feeds only, as git does, and keep them."""
    # bytes.splitlines would also split at a lone carriage return; a loop takes 16 times as long.
    return io.BytesIO(content).readlines()


def differing(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Return two texts without the lines that they begin and end with alike."""
    start = new.rfind(b"\n", 0, _common(old, new)) + 1
    old, new = old[start:], new[start:]
    end = _common(old[::-1], new[::-1])
    # the line that they begin to be the same in is no line of both
    end = len(new) - (new.find(b"\n", len(new) - end) + 1 or len(new))
    return old[: len(old) - end], new[: len(new) - end]


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with that are the same."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one.startswith(other[:middle]) else (low, middle - 1)
    return low


def _hunk(sections: dict[_Side, list[bytes]]) -> ConflictHunk:
    base, ours, theirs = (sections[side] for side in (_Side.BASE, _Side.OURS, _Side.THEIRS))
    return ConflictHunk(tuple(base), tuple(ours), tuple(theirs))


@functools.cache
def _likely(size: int) -> re.Pattern[bytes]:
    """Return a pattern for a line that begins with so many of a marker's sign."""
    return re.compile(rb"\n([<|=>])\1{%d}([^\n]*)" % (size - 1))


def _marker(line: re.Match[bytes]) -> _Side | None:
    """Return which marker a line is that looks like one."""
    sign, rest = line.groups()
    # git ends a marker as the file's lines end (is_cr_needed in xmerge.c)
    well_formed = rest.startswith(b" ") or (sign == b"=" and not rest.rstrip(b"\r"))
    return _Side(sign) if well_formed else None

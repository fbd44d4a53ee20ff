"""Conflict markers: reading the hunks that git marked in a file (diff3 style, long markers)."""

from __future__ import annotations

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
    lines = split_lines(content)
    if b"<" * size not in content:
        return tuple(lines)
    side = _Side.END
    likely = tuple(side.value * size for side in _Side)
    parts: list[ConflictHunk | bytes] = []
    sections: dict[_Side, list[bytes]] = {}
    for line in lines:
        marker = _marker(line, size) if line.startswith(likely) else None
        if marker is None:
            if side is _Side.END:
                parts.append(line)
            else:
                sections[side].append(line)
            continue
        # A file of its own that looks so: to take half of it for git's would lose lines.
        if marker not in _NEXT[side]:
            return tuple(lines)
        if marker is _Side.OURS:
            sections = {section: [] for section in _Side}
        elif marker is _Side.END:
            parts.append(_hunk(sections))
        side = marker
    return tuple(parts) if side is _Side.END else tuple(lines)


def hunks(content: bytes) -> tuple[ConflictHunk, ...]:
    """Return the conflicting regions of a marked file."""
    return tuple(part for part in parse(content) if isinstance(part, ConflictHunk))


def patch_side(marked: bytes, patched: bytes) -> bytes | None:
    """Return a marked file with the patch's lines in every conflicting region.

    None: the file holds no markers (it is binary, say). `patched` is the file as the patch made it.
    """
    unended = patched.rpartition(b"\n")[2]
    content, has_markers = marked, False
    # The shorter first: the longer ones stand within its regions, and are lines of a side to it.
    for size in SIZES:
        if b"<" * size not in content:
            continue
        parts = parse(content, size)
        lines: list[bytes] = []
        for part in parts:
            lines += part.theirs if isinstance(part, ConflictHunk) else [part]
        at_end = bool(parts) and isinstance(parts[-1], ConflictHunk) and bool(parts[-1].theirs)
        # git ends a region's last line even where the patched file's last line has no end.
        if at_end and unended:
            lines[-1] = unended
        has_markers = has_markers or any(isinstance(part, ConflictHunk) for part in parts)
        content = b"".join(lines)
    return content if has_markers else None


def are_in(content: bytes) -> bool:
    """Whether a file that git left holds its markers."""
    return b"<" * MARKER_SIZE in content


def are_nested(content: bytes) -> bool:
    """Whether a file holds markers of a merge inside a merge."""
    return b"<" * SIZES[-1] in content


def split_lines(content: bytes) -> list[bytes]:
    """Split at line feeds only, as git does, and keep them."""
    # bytes.splitlines would also split at a lone carriage return.
    lines = content.split(b"\n")
    return [line + b"\n" for line in lines[:-1]] + ([lines[-1]] if lines[-1] else [])


def _hunk(sections: dict[_Side, list[bytes]]) -> ConflictHunk:
    base, ours, theirs = (sections[side] for side in (_Side.BASE, _Side.OURS, _Side.THEIRS))
    return ConflictHunk(tuple(base), tuple(ours), tuple(theirs))


def _marker(line: bytes, size: int) -> _Side | None:
    """Return which marker a line is that begins with so many of its sign."""
    # git ends a marker as the file's lines end (is_cr_needed in xmerge.c)
    rest = line[size:].rstrip(b"\r\n")
    well_formed = rest.startswith(b" ") or (line.startswith(b"=") and not rest)
    return _Side(line[:1]) if well_formed else None

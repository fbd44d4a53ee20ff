"""How the two sides of an undecided path differ, for a person who has to state a rule."""

from __future__ import annotations

import difflib
import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tensorflow_macos_build.wheels.archive.reader import Archive
    from tensorflow_macos_build.wheels.fuse.verdicts import UndecidedPath

_BEFORE = 1 << 10
"""Bytes before the first difference of large files that are shown too: some lines of context."""

_INPUT = 1 << 17
"""Most bytes of a side that are compared by lines: difflib's time grows with their square."""

_LINES = 24


def difference(undecided: UndecidedPath, archives: Mapping[str, Archive]) -> str:
    """Return how the two sides of a path differ: a short unified difference, or sizes.

    Args:
        undecided: the path and its members.
        archives: the wheels, by architecture.
    """
    if len(undecided.members) < 2:
        return ""
    streams = {
        arch: functools.partial(archives[arch].stream, member)
        for arch, member in sorted(undecided.members.items())
    }
    # Streamed, as a side may have gigabytes; the parts around the first difference are read again.
    at = _first_difference(*(stream() for stream in streams.values()))
    is_large = any(member.size > _INPUT for member in undecided.members.values())
    begin = max(0, at - _BEFORE) if is_large else 0
    texts = {arch: _part(stream(), begin, _INPUT) for arch, stream in streams.items()}
    # A NUL makes a file binary, as diff and git have it.
    if any(b"\0" in text for text in texts.values()):
        sizes = (f"{arch}: {member.size} bytes" for arch, member in undecided.members.items())
        return f"binary, {', '.join(sorted(sizes))}, different from offset {at}"
    lines = _text_difference(texts, f" from offset {begin}" if is_large else "")
    # Where large texts are cut they seem to differ, so what follows the first hunk is dropped.
    return _shown(_first_hunk(lines) if is_large else lines)


def _first_difference(first: Iterator[bytes], second: Iterator[bytes]) -> int:
    """Return the offset of the first byte in which two contents differ, or one of them ends."""
    offset, left, right = 0, b"", b""
    while True:
        left, right = left or next(first, b""), right or next(second, b"")
        size = min(len(left), len(right))
        if size == 0 or left[:size] != right[:size]:
            return offset + next((at for at in range(size) if left[at] != right[at]), size)
        offset, left, right = offset + size, left[size:], right[size:]


def _part(pieces: Iterator[bytes], begin: int, size: int) -> bytes:
    """Return at most `size` bytes of a content from `begin` on."""
    part = b""
    for piece in pieces:
        part += piece[begin:]
        begin = max(0, begin - len(piece))
        if len(part) >= size:
            break
    return part[:size]


def _text_difference(texts: Mapping[str, bytes], suffix: str) -> Iterator[str]:
    (arch, text), (other_arch, other_text) = texts.items()
    return difflib.unified_diff(
        text.decode("utf-8", "backslashreplace").splitlines(),
        other_text.decode("utf-8", "backslashreplace").splitlines(),
        *(arch + suffix, other_arch + suffix),
        lineterm="",
        n=1,
    )


def _first_hunk(lines: Iterator[str]) -> Iterator[str]:
    hunks = 0
    for line in lines:
        hunks += line.startswith("@@")
        if hunks > 1:
            return
        yield line


def _shown(lines: Iterator[str]) -> str:
    # Lines of generated files may be endless, and bytes of wheels may command a terminal.
    shown = [printable(line[:160]) for _, line in zip(range(_LINES + 1), lines, strict=False)]
    if len(shown) > _LINES:
        shown[_LINES:] = ["…"]
    return "\n".join(shown)

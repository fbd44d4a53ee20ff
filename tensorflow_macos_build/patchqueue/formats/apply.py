r"""Applying one file's change to its content, exactly: no fuzz, but a hunk may have moved.

A hunk is looked for as `git apply` does it (apply.c, find_pos): at the line that it states, then
nearest to it, forwards first; one that begins at line 1 must match the beginning, and one without
trailing context must match the end. A hunk with no context at all goes where `git apply
--unidiff-zero` puts it: one that only adds goes exactly where its numbers say, because nothing else
tells its place, and another one to where the lines are that it takes away.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import binary
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff import FileChange, PatchHunk

MAX_TRIES = 5_000_000
"""Lines looked at for the moved hunks of one file, so that a hostile patch ends in time."""

_SHOWN = 80


@dataclass(frozen=True, slots=True)
class _AppliedHunk:
    """A hunk where it applies: preimage lines `start` to `end` become `lines`."""

    start: int
    end: int
    lines: list[bytes]


@dataclass(slots=True)
class _Preimage:
    """A file's lines, and the hunks that are applied to them already.

    Attributes:
        lines: the lines as they were, each with its line end.
        applied: the hunks, by ascending position.
        grown: by how many lines the file has become longer.
        positions: where each line stands, by its content; made when a moved hunk needs it.
        tries: how many lines were looked at for moved hunks.
    """

    lines: list[bytes]
    applied: list[_AppliedHunk] = field(default_factory=list)
    grown: int = 0
    positions: dict[bytes, list[int]] | None = None
    tries: int = 0

    def free(self, start: int, end: int) -> bool:
        """Whether no applied hunk touches the preimage lines `start` to `end`."""
        # apply.c, LINE_PATCHED: what one hunk has written is no context of another one
        number = bisect_left(self.applied, end, key=lambda done: done.start)
        before = self.applied[number - 1] if number else None
        return before is None or before.end <= start

    def add(self, start: int, end: int, lines: list[bytes]) -> None:
        """Apply a hunk that was looked for and matches."""
        self.grown += len(lines) - (end - start)
        number = bisect_left(self.applied, (start, end), key=lambda done: (done.start, done.end))
        self.applied.insert(number, _AppliedHunk(start, end, lines))


def content_after(change: FileChange, preimage: bytes) -> bytes:
    """Return the content that `change` makes of `preimage` (b"" for a new file).

    Raises:
        Malformed: a hunk does not match, or binary data are damaged; `line` is the hunk's line.
    """
    if change.binary is not None:
        if change.binary.reverse is not None:
            binary.check(change.binary.reverse)  # git refuses the patch for it, too
        return binary.apply(change.binary.forward, preimage)
    if not change.hunks:
        return preimage
    # a file that comes or goes whole is its one hunk: nothing is to be looked for
    if change.kind is ChangeKind.ADD and not preimage:
        return change.hunks[0].only(b"+")
    if change.kind is ChangeKind.DELETE and change.hunks[0].only(b"-") == preimage:
        return b""
    return apply_hunks(change.hunks, preimage)


def apply_hunks(hunks: tuple[PatchHunk, ...], preimage: bytes) -> bytes:
    """Apply text hunks to a file's content.

    Raises:
        Malformed: one of them does not match; `line` is its line.
    """
    image = _Preimage(_split(preimage))
    for hunk in hunks:
        old, new = hunk.sides()
        try:
            start = _find(image, hunk, old)
        except Malformed as error:
            raise Malformed(error.what, hunk.line) from None
        if start is None:
            raise Malformed(_mismatch(image, hunk, old), hunk.line)
        image.add(start, start + len(old), new)
    return b"".join(_result(image))


def _result(image: _Preimage) -> list[bytes]:
    pieces: list[bytes] = []
    position = 0
    for done in image.applied:
        pieces += image.lines[position : done.start]
        pieces += done.lines
        position = done.end
    return pieces + image.lines[position:]


def _find(image: _Preimage, hunk: PatchHunk, old: list[bytes]) -> int | None:
    leading, trailing = hunk.context()
    if not leading and not trailing:
        # an empty range states the line *after* which it goes: `@@ -3,0 +4 @@` begins at line 4
        start = hunk.old_start - (1 if hunk.old_count else 0)
        if _matches(image, old, start) or not old:
            return start if start <= len(image.lines) else None
        # context that was left out, not a file's first lines: no beginning or end is meant
        if hunk.old_start > 1:
            return _find_nearest(image, old, max(hunk.new_start - 1, 0))
    if hunk.old_start <= 1 or not trailing:
        return _find_anchored(image, old, beginning=hunk.old_start <= 1, end=not trailing)
    # the postimage's number, as apply.c takes it: hunks before this one have moved the file already
    return _find_nearest(image, old, max(hunk.new_start - 1, 0))


def _find_anchored(image: _Preimage, old: list[bytes], *, beginning: bool, end: bool) -> int | None:
    start = 0 if beginning else len(image.lines) - len(old)
    if end and start + len(old) != len(image.lines):
        return None
    return start if _matches(image, old, start) else None


def _find_nearest(image: _Preimage, old: list[bytes], target: int) -> int | None:
    """Find the match whose line, counted with what is already applied, is nearest to `target`."""
    # nearly every hunk is where it says, behind the ones before it: no index is needed for those
    guess = target - image.grown
    if (not image.applied or guess >= image.applied[-1].end) and _matches(image, old, guess):
        return guess
    if image.positions is None:
        image.positions = {}
        for number, line in enumerate(image.lines):
            image.positions.setdefault(line, []).append(number)
    # git tries every line outwards from the stated one; only those like the hunk's first can match
    candidates = image.positions.get(old[0], [])
    _spend(image, len(candidates) + len(image.applied))
    for _, _, start in sorted(_ranked(image, candidates, target)):
        if _matches(image, old, start):
            return start
        _spend(image, len(old))
    return None


def _spend(image: _Preimage, tries: int) -> None:
    image.tries += tries
    if image.tries > MAX_TRIES:
        raise Malformed("its hunks' places cannot be told within bounds: the lines repeat too much")


def _ranked(image: _Preimage, candidates: list[int], target: int) -> list[tuple[int, bool, int]]:
    """Return each candidate with its distance from `target`; of two equal ones the later first."""
    ranked = []
    number = grown = 0
    for start in candidates:
        while number < len(image.applied) and image.applied[number].end <= start:
            done = image.applied[number]
            grown += len(done.lines) - (done.end - done.start)
            number += 1
        distance = start + grown - target
        ranked.append((abs(distance), distance < 0, start))
    return ranked


def _matches(image: _Preimage, old: list[bytes], start: int) -> bool:
    end = start + len(old)
    if start < 0 or end > len(image.lines) or image.lines[start:end] != old:
        return False
    return image.free(start, end)


def _split(content: bytes) -> list[bytes]:
    # not splitlines(), which would also split at a carriage return alone
    *ended, last = content.split(b"\n")
    lines = [line + b"\n" for line in ended]
    return [*lines, last] if last else lines


def _mismatch(image: _Preimage, hunk: PatchHunk, old: list[bytes]) -> str:
    """Return why a hunk does not apply: its first line that is another one where it should be."""
    start = max(hunk.old_start - 1, 0)
    for number, line in enumerate(old):
        position = start + number
        actual = image.lines[position] if position < len(image.lines) else None
        if actual == line:
            continue
        common = _common(line, actual or b"")
        should = _shown(line, common)
        is_now = "the file's end" if actual is None else _shown(actual, common)
        return f"the hunk does not apply: line {position + 1} should be {should}, but is {is_now}"
    return "the hunk does not apply: its lines are there, but not at the file's beginning or end"


def _common(first: bytes, second: bytes) -> int:
    """Return how many bytes two lines begin with alike."""
    pairs = enumerate(zip(first, second, strict=False))
    return next(
        (index for index, (left, right) in pairs if left != right), min(len(first), len(second))
    )


def _shown(line: bytes, common: int) -> str:
    r"""Return a line so that a difference behind its first `common` bytes can be seen.

    What no screen shows is written as in C; a line end is only spoken of where it is missing.

    >>> _shown(b"10\r\n", 2), _shown(b"10\n", 2), _shown(b"10", 2)
    ('`10\\r`', '`10`', '`10` without a line end')
    """
    start = max(common - _SHOWN // 2, 0)
    piece = line.removesuffix(b"\n")[start : start + _SHOWN].decode("utf-8", "backslashreplace")
    if not piece.isprintable():
        piece = piece.encode("unicode_escape").decode("ascii")
    before, after = "…" * (start > 0), "…" * (len(line) > start + _SHOWN + 1)
    end = "" if line.endswith(b"\n") else " without a line end"
    return f"`{before}{piece}{after}`{end}"

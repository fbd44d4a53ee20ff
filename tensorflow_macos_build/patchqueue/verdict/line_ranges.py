"""Sets of line ranges, and where they were before a file changed: what `git log -L` does with them.

After git's line-log.c, quirks included, so that both find the same commits
(tests/property/patchqueue/test_line_history.py). A set is ranges in order that share no line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git.diffs import LineRange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.hunk_places import HunkPlaces

LineRanges = tuple[LineRange, ...]


class MappedLines(NamedTuple):
    """Where lines were before a change, and the numbers of its hunks that touch them."""

    before: LineRanges
    touched: Sequence[int]


def before(lines: LineRanges, hunks: HunkPlaces) -> MappedLines:
    """Return where lines were before a change: its hunks that touch them count as a whole."""
    touched = [*_touching(lines, hunks)]
    untouched = _without(lines, [*map(hunks.new, touched)]) if touched else lines
    return MappedLines(union(_moved(untouched, hunks), map(hunks.old, touched)), touched)


def kept(lines: LineRanges, hunks: HunkPlaces) -> LineRanges:
    """Return where those lines were before a change that it did not bring."""
    untouched = _without(lines, [new for _, new in hunks.pairs()])
    return union(_moved(untouched, hunks), ())


def union(first: Iterable[LineRange], second: Iterable[LineRange]) -> LineRanges:
    """Return the lines that are in either set. Ranges that meet become one."""
    joined: list[LineRange] = []
    for stretch in sorted((*first, *second), key=lambda lines: (lines.start, lines.end)):
        if not stretch.count:  # all its lines came with a change; none was there before
            continue
        if not joined or joined[-1].end < stretch.start:
            joined.append(stretch)
        elif joined[-1].end < stretch.end:
            joined[-1] = _between(joined[-1].start, stretch.end)
    return tuple(joined)


def _touching(lines: LineRanges, hunks: HunkPlaces) -> Iterator[int]:
    """Yield the numbers of hunks that share a line with a set, or delete lines strictly within it.

    A hunk of deletions alone has an empty range in the new file.
    """
    waiting = iter(lines)
    current = next(waiting, None)
    for number, new in hunks.ending_behind(lines[0].start) if lines else ():
        # `>`, as in git 2.39 (diff_ranges_filter_touched): a hunk that begins where a range ends
        # is not compared with the next range, though it may reach that.
        while current is not None and new.start > current.end:
            current = next(waiting, None)
        if current is None:
            return
        if current.end > new.start and new.end > current.start:
            yield number


def _without(lines: LineRanges, taken: Sequence[LineRange]) -> list[LineRange]:
    """Take ranges away, each of them in order; an empty one still cuts a range in two."""
    left: list[LineRange] = []
    for stretch in lines:
        start = stretch.start
        for gone in taken:
            if gone.end <= start or gone.start >= stretch.end:
                continue
            if start < gone.start:
                left.append(_between(start, gone.start))
            start = gone.end
        if start < stretch.end:
            left.append(_between(start, stretch.end))
    return left


def _moved(lines: Iterable[LineRange], hunks: HunkPlaces) -> list[LineRange]:
    # range_set_shift_diff: a range moves by all hunks that begin at its first line or above.
    return [LineRange(hunks.before(stretch.start), stretch.count) for stretch in lines]


def _between(start: int, end: int) -> LineRange:
    return LineRange(start, end - start)

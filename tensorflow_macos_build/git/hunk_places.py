"""Where the hunks of a file's difference are, as numbers: of large files there are many."""

from __future__ import annotations

import bisect
import itertools
from array import array
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.diffs import LineRange

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.git.diffs import LineMap


class HunkPlaces:
    """The places of the hunks in a difference's text, which is without context.

    They are in order, and share no line.
    """

    __slots__ = ("_count", "_numbers")

    def __init__(self, text: bytes = b"") -> None:
        bounds = diffs.hunk_bounds(text)
        self._count = len(bounds)
        # where the old lines of each begin, then where they end, then the same of the new lines
        sides = zip(*bounds, strict=True)
        self._numbers: array[int] = array("L", itertools.chain.from_iterable(sides))

    def __len__(self) -> int:
        return self._count

    def old(self, number: int) -> LineRange:
        """Return a hunk's lines in the old file."""
        start = self._numbers[number]
        return LineRange(start, self._numbers[self._count + number] - start)

    def new(self, number: int) -> LineRange:
        """Return a hunk's lines in the new file."""
        start = self._numbers[2 * self._count + number]
        return LineRange(start, self._numbers[3 * self._count + number] - start)

    def pairs(self) -> LineMap:
        """Return the old and the new lines of each hunk."""
        return tuple((self.old(number), self.new(number)) for number in range(self._count))

    def ending_behind(self, start: int) -> Iterator[tuple[int, LineRange]]:
        """Yield the numbers and the new lines of the hunks that end behind a start of lines."""
        ends = 3 * self._count
        first = bisect.bisect_right(self._numbers, start, ends, ends + self._count) - ends
        return ((number, self.new(number)) for number in range(first, self._count))

    def meeting(self, lines: LineRange) -> range:
        """Return the numbers of the hunks whose old lines meet a range (`LineRange.meets`)."""
        ends = self._count
        first = bisect.bisect_left(self._numbers, lines.start, ends, ends + self._count) - ends
        return range(first, bisect.bisect_right(self._numbers, lines.end, 0, self._count))

    def across(self, lines: LineRange) -> LineRange:
        """Return where a range of the old file's lines is in the new file.

        A hunk that it meets is taken in whole.
        """
        met = self.meeting(lines)
        start, end = lines.start, lines.end
        if met:
            start, end = min(start, self.old(met[0]).start), max(end, self.old(met[-1]).end)
        first = start + self._shift_behind(met.start)
        return LineRange(first, max(0, end + self._shift_behind(met.stop) - first))

    def _shift_behind(self, count: int) -> int:
        """Return by how much so many hunks move the lines behind them."""
        if not count:
            return 0
        # what all of them take away or add shows where the last one ends
        last = self._count + count - 1
        return self._numbers[2 * self._count + last] - self._numbers[last]

    def before(self, start: int) -> int:
        """Return where a line of the new file was in the old one, if it was there.

        It is moved by all hunks that begin at it or above.
        """
        starts = 2 * self._count
        behind = bisect.bisect_right(self._numbers, start, starts, starts + self._count) - starts
        return start - self._shift_behind(behind)

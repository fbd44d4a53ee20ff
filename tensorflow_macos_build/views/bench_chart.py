"""A benchmark's ratios as bars with their intervals, readable in black and white."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.bench import BenchVerdict
from tensorflow_macos_build.views.bench import sessions_of
from tensorflow_macos_build.views.shapes import Box, Dot, Stroke, Words, as_png, as_svg, hatches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.smoke.bench import BenchResult, BenchRow
    from tensorflow_macos_build.views.shapes import Shape

WIDTH, LEFT, RIGHT, TOP, BOTTOM, ROW = 900, 190, 190, 40, 62, 26
"""Pixels: the picture, the names and the verdicts beside the bars, what is above and below them,
and a row."""

_BAR, _CAP, _NEAREST = 16, 5, 42
"""Pixels: a bar's height, half an interval's end, the least between two marks."""

_GREYS = (110, 190, 150, 225)
"""The arms' bars, in their order."""

_MARKS = (1, 2, 5, 0.5, 0.2, 0.1, 10, 20, 50, 100, 0.05, 3, 1.5, 0.75, 0.9, 1.1, 1.2, 0.8, 7)
"""What may be written below the axis; the first counts where two are too near."""


@dataclass(frozen=True)
class _Axis:
    """The logarithmic axis: ratios from `low` to `high`."""

    low: float
    high: float

    def at(self, ratio: float) -> float:
        """Return the pixel of a ratio."""
        share = math.log(ratio / self.low) / math.log(self.high / self.low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def marks(self) -> list[float]:
        """Return the ratios to write below it, in order."""
        chosen: list[float] = []
        for mark in _MARKS:
            is_apart = all(abs(self.at(mark) - self.at(other)) >= _NEAREST for other in chosen)
            if self.low <= mark <= self.high and is_apart:
                chosen.append(mark)
        return sorted(chosen)


def svg(result: BenchResult) -> str:
    """Return the chart as SVG; the same bytes for the same result."""
    return as_svg(list(_shapes(result)), WIDTH, _height(result))


def png(result: BenchResult) -> bytes:
    """Return the chart as PNG; the same bytes for the same result and version of Pillow."""
    return as_png(list(_shapes(result)), WIDTH, _height(result))


def _height(result: BenchResult) -> int:
    return TOP + ROW * len(result.rows) + BOTTOM


def _shapes(result: BenchResult) -> Iterator[Shape]:
    design = result.design
    title = f"Training, size {design.size}, {sessions_of(design)}"
    yield Words(LEFT, TOP / 2, f"{title}, {result.machine['processor']}", bold=True)
    axis = _axis(result)
    yield from _frame(axis, TOP + ROW * len(result.rows), design.arms[0].name)
    names = [arm.name for arm in design.arms]
    for number, row in enumerate(result.rows):
        y = TOP + ROW * number + ROW / 2
        if row.is_control and number:
            yield Stroke(0, y - ROW / 2, WIDTH, y - ROW / 2, grey=190)
        name = f"{row.workload}: A/A" if row.is_control else row.arm
        yield Words(LEFT - 12, y, name, "end")
        is_proven = row.verdict in (BenchVerdict.FASTER, BenchVerdict.SLOWER)
        # What is not proven is white, lest a glance take its length for a result.
        yield from _bar(axis, row, y, _grey(names.index(row.arm)) if is_proven else 255)
        yield Words(WIDTH - RIGHT + 14, y, _verdict(row), bold=is_proven)
    yield Stroke(axis.at(1), TOP, axis.at(1), TOP + ROW * len(result.rows), 1.5)


def _axis(result: BenchResult) -> _Axis:
    """Return an axis that has room around every interval."""
    intervals = [row.interval for row in result.rows if row.interval is not None]
    low = min([0.9, *(interval.low / 1.06 for interval in intervals)])
    high = max([1.1, *(interval.high * 1.06 for interval in intervals)])
    return _Axis(low, high)


def _frame(axis: _Axis, bottom: float, baseline: str) -> Iterator[Shape]:
    yield Stroke(LEFT, bottom, WIDTH - RIGHT, bottom)
    for mark in axis.marks():
        yield Stroke(axis.at(mark), TOP, axis.at(mark), bottom, grey=225)
        yield Stroke(axis.at(mark), bottom, axis.at(mark), bottom + 5)
        yield Words(axis.at(mark), bottom + 16, f"{mark:g}", "middle")
    text = f"times as fast as {baseline} (logarithmic); the lines are 95 % intervals"
    yield Words((LEFT + WIDTH - RIGHT) / 2, bottom + 42, text, "middle")


def _bar(axis: _Axis, row: BenchRow, y: float, grey: int) -> Iterator[Shape]:
    """Yield a bar from 1 to the ratio, hatched where it is A/A, and the interval across it."""
    if row.interval is None:
        return
    ends = sorted((axis.at(1), axis.at(row.interval.ratio)))
    bar = Box(ends[0], y - _BAR / 2, ends[1] - ends[0], _BAR, grey)
    yield bar
    if row.is_control:
        yield from hatches(bar)
    low, high = axis.at(row.interval.low), axis.at(row.interval.high)
    yield Stroke(low, y, high, y, 1.5)
    for end in (low, high):
        yield Stroke(end, y - _CAP, end, y + _CAP, 1.5)
    yield Dot(axis.at(row.interval.ratio), y)


def _grey(arm: int) -> int:
    return _GREYS[(arm - 1) % len(_GREYS)]


def _verdict(row: BenchRow) -> str:
    if row.interval is not None and row.verdict in (BenchVerdict.FASTER, BenchVerdict.SLOWER):
        return f"{row.interval.ratio:.2f} times: {row.verdict.value}"
    holds = row.is_control and row.verdict is BenchVerdict.NO_DIFFERENCE
    return "holds" if holds else row.verdict.value

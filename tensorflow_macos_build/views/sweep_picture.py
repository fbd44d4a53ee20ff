"""The errors of a sweep as a picture, readable in black and white: a bar an op, on a log scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.sweep import SweepOutcome
from tensorflow_macos_build.views.shapes import Box, Stroke, Words, as_svg, hatches
from tensorflow_macos_build.views.sweep import by_error, error_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.smoke.sweep import OpSummary, SweepReport
    from tensorflow_macos_build.views.shapes import Shape

WIDTH, LEFT, ROW, MARGIN, HEAD = 900, 290, 20, 16, 84
"""Pixels: the picture, the names beside the bars, a row's height, the border, the title."""

_ROWS = 40
"""Ops with a bar of their own; how many have smaller errors is said below."""

_SMALLEST, _LARGEST = -2, 22
"""Powers of two, in units of epsilon, between which the bars lie: a quarter, and 2^22, where in
float32 half of the number is wrong."""

_GREY, _WHITE, _GRID = 150, 255, 221
"""Greys of a bar that is within its op's limit, of one that is not (it is hatched), of the axis."""


def draw(report: SweepReport) -> str:
    """Return the picture; the same bytes for the same errors."""
    off = [op for op in by_error(report.ops()) if op.error]
    shown = off[:_ROWS]
    height = HEAD + ROW * (len(shown) + 2) + MARGIN
    exact = sum(1 for op in report.ops() if op.error == 0)
    rest = Words(MARGIN, height - MARGIN, _rest(len(off) - len(shown), exact))
    return as_svg([*_title(report), *_bars(shown), rest], WIDTH, height)


def _rest(hidden: int, exact: int) -> str:
    more = f"{hidden} more ops have smaller errors; " if hidden else ""
    return f"{more}{exact} ops with floats are exact; an upright line is the op's limit"


def _title(report: SweepReport) -> Iterator[Shape]:
    devices = f"{report.device} beside {report.reference}"
    yield Words(MARGIN, 20, f"Errors by op: {devices}, TensorFlow {report.tensorflow}", bold=True)
    counts = ", ".join(f"{report.counts[outcome]} {outcome.value}" for outcome in SweepOutcome)
    yield Words(MARGIN, 38, f"(op, type): {counts}")
    yield Words(LEFT, 56, "largest error, in units of the dtype's epsilon")


def _bars(ops: Sequence[OpSummary]) -> Iterator[Shape]:
    for power in range(_SMALLEST, _LARGEST + 1, 4):
        x = _x(2.0**power)
        yield Stroke(x, HEAD - 4, x, HEAD + max(len(ops), 1) * ROW, grey=_GRID)
        yield Words(x, HEAD - 12, _mark(power), "middle")
    for row, op in enumerate(ops):
        yield from _bar(op, HEAD + row * ROW)


def _mark(power: int) -> str:
    """Return what is written at a power of two; larger ones in full would run into each other."""
    if power > 16:
        return f"2^{power}"
    return f"{2**power:,}" if power >= 0 else f"{2.0**power:g}"


def _bar(op: OpSummary, top: int) -> Iterator[Shape]:
    assert op.error is not None
    differs = op.outcomes[SweepOutcome.DIFFER] > 0
    start, end, middle = _x(0.0), _x(op.error), top + ROW / 2
    yield Words(LEFT - 8, middle, op.op, "end")
    bar = Box(start, top + 4, end - start, ROW - 8, _WHITE if differs else _GREY)
    yield bar
    if differs:
        yield from hatches(bar)
    yield Words(end + 6, middle, error_text(op.error))
    limit = _x(op.limit)
    yield Stroke(limit, top + 1, limit, top + ROW - 1, 2.0)


def _x(error: float) -> float:
    """Return how far to the right an error lies."""
    power = math.log2(error) if 0 < error < math.inf else (_SMALLEST if error == 0 else _LARGEST)
    share = (min(max(power, _SMALLEST), _LARGEST) - _SMALLEST) / (_LARGEST - _SMALLEST)
    return LEFT + share * (WIDTH - LEFT - 4 * MARGIN)

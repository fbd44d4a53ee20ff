"""The errors of a sweep as a picture, readable in black and white: a bar an op, on a log scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tensorflow_macos_build.smoke.sweep import SweepOutcome
from tensorflow_macos_build.views.sweep import by_error, error_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.smoke.sweep import OpSummary, SweepReport

WIDTH, LEFT, ROW, MARGIN, HEAD = 900, 290, 20, 16, 84
"""Pixels: the picture, the names beside the bars, a row's height, the border, the title."""

_ROWS = 40
"""Ops with a bar of their own; how many have smaller errors is said below."""

_SMALLEST, _LARGEST = -2, 22
"""Powers of two, in units of epsilon, between which the bars lie: a quarter, and 2^22, where in
float32 half of the number is wrong."""

_STYLE = """
  text { font: 13px sans-serif; fill: #111 }
  .title { font-weight: bold; font-size: 15px }
  .small { font-size: 11px; fill: #444 }
  .end { text-anchor: end }
  .mid { text-anchor: middle }
  .equal { fill: #6d9c83 }
  .differ { fill: url(#hatch); stroke: #111 }
  .grid { stroke: #ddd }
  .limit { stroke: #111; stroke-width: 2 }
"""
_HATCH = (
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#fff"/><path d="M0 6L6 0" stroke="#111"/></pattern>'
)


def draw(report: SweepReport) -> str:
    """Return the picture; the same bytes for the same errors."""
    off = [op for op in by_error(report.ops()) if op.error]
    exact = sum(1 for op in report.ops() if op.error == 0)
    shown = off[:_ROWS]
    height = HEAD + ROW * (len(shown) + 2) + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
            f"<style>{_STYLE}</style>",
            _HATCH,
            f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
            *_title(report),
            *_scale(len(shown)),
            *(part for row, op in enumerate(shown) for part in _bar(op, HEAD + row * ROW)),
            _text(MARGIN, height - MARGIN, _rest(len(off) - len(shown), exact), "small"),
            "</svg>\n",
        ]
    )


def _rest(hidden: int, exact: int) -> str:
    more = f"{hidden} more ops have smaller errors; " if hidden else ""
    return f"{more}{exact} ops with floats are exact; an upright line is the op's limit"


def _title(report: SweepReport) -> Iterator[str]:
    title = (
        f"Errors by op: {report.device} beside {report.reference}, TensorFlow {report.tensorflow}"
    )
    yield _text(MARGIN, MARGIN + 8, title, "title")
    counts = ", ".join(f"{report.counts[outcome]} {outcome.value}" for outcome in SweepOutcome)
    yield _text(MARGIN, MARGIN + 28, f"(op, type): {counts}")
    yield _text(LEFT, HEAD - 26, "largest error, in units of the dtype's epsilon", "small")


def _scale(rows: int) -> Iterator[str]:
    for power in range(_SMALLEST, _LARGEST + 1, 4):
        # Larger numbers in full would run into each other.
        x, label = (
            _x(2.0**power),
            f"{2.0**power:g}" if power < 0 else f"{2**power:,}" if power <= 16 else f"2^{power}",
        )
        bottom = HEAD + max(rows, 1) * ROW
        yield f'<line class="grid" x1="{x}" x2="{x}" y1="{HEAD - 4}" y2="{bottom}"/>'
        yield _text(x, HEAD - 8, label, "small mid")


def _bar(op: OpSummary, top: int) -> Iterator[str]:
    assert op.error is not None
    kind = "differ" if op.outcomes[SweepOutcome.DIFFER] else "equal"
    start, end = _x(0.0), _x(op.error)
    yield _text(LEFT - 8, top + ROW - 6, op.op, "end")
    box = f'x="{start}" y="{top + 4}" width="{end - start}" height="{ROW - 8}"'
    yield f'<rect class="{kind}" {box}/>'
    yield _text(end + 6, top + ROW - 6, error_text(op.error), "small")
    limit = _x(op.limit)
    yield f'<line class="limit" x1="{limit}" x2="{limit}" y1="{top + 1}" y2="{top + ROW - 1}"/>'


def _x(error: float) -> int:
    """Return how far to the right an error lies."""
    power = math.log2(error) if 0 < error < math.inf else (_SMALLEST if error == 0 else _LARGEST)
    share = (min(max(power, _SMALLEST), _LARGEST) - _SMALLEST) / (_LARGEST - _SMALLEST)
    return round(LEFT + share * (WIDTH - LEFT - 4 * MARGIN))


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text{shown} x="{x}" y="{y}">{escape(text)}</text>'

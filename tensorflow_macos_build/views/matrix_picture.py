"""The table of plugins and releases of TensorFlow as a picture, readable in black and white."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from tensorflow_macos_build.views.matrix import column_head

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.wheels.matrix import Cell, Matrix

CELL, ROW, LEFT, HEAD, MARGIN = 46, 26, 150, 74, 16
"""Pixels: a column's width, a row's height, the names beside and the releases above the cells."""

_LEGEND_ROWS = 4
_STYLE = """
  text { font: 13px sans-serif; fill: #111 }
  .mid { text-anchor: middle }
  .title { font-weight: bold }
  .loads { fill: #1d4f36; stroke: #fff }
  .null { fill: #6d9c83; stroke: #fff }
  .lacks { fill: #fff; stroke: #888 }
  .lost { fill: url(#hatch); stroke: #888 }
  .on { fill: #fff }
"""
_HATCH = (
    '<pattern id="hatch" width="7" height="7" patternUnits="userSpaceOnUse">'
    '<rect width="7" height="7" fill="#fff"/><path d="M0 7L7 0" stroke="#bbb"/></pattern>'
)
_LEGEND = (
    ("loads", "✓", "loads: every symbol binds"),
    ("null", "3", "loads, and so many weak symbols are null"),
    ("lacks", "3", "does not load: so many symbols are missing where dyld looks for them"),
    ("lost", "3", "does not load: a library that the plugin needs is missing, too"),
)


def draw(matrix: Matrix) -> str:
    """Return the picture; the same bytes for the same table."""
    widest = max((len(matrix.columns(arch)) for arch in matrix.arches), default=0)
    width = max(LEFT + widest * CELL + 2 * MARGIN, 640)
    body: list[str] = []
    top = MARGIN
    for arch in matrix.arches:
        body += _table(matrix, arch, top)
        top += HEAD + ROW * (len(list(matrix.rows(arch))) + 1)
    body += _legend(top)
    height = top + ROW * _LEGEND_ROWS + MARGIN
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f"<style>{_STYLE}</style>",
            _HATCH,
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *body,
            "</svg>\n",
        ]
    )


def _table(matrix: Matrix, arch: str, top: int) -> Iterator[str]:
    yield _text(MARGIN, top + HEAD - 10, arch, "title")
    for column, host in enumerate(matrix.columns(arch)):
        x, y = LEFT + MARGIN + column * CELL + CELL // 2 + 4, top + HEAD - 8
        label = escape(column_head(host))
        yield f'<text transform="translate({x} {y}) rotate(-50)">{label}</text>'
    for row, (plugin, cells) in enumerate(matrix.rows(arch)):
        y = top + HEAD + row * ROW
        yield _text(
            MARGIN, y + ROW - 9, f"{plugin.project.removeprefix('tensorflow-')} {plugin.version}"
        )
        columns = matrix.columns(arch)
        for cell in cells:
            yield from _cell(cell, LEFT + MARGIN + columns.index(cell.host) * CELL, y)


def _cell(cell: Cell, x: int, y: int) -> Iterator[str]:
    kind = "null" if cell.weak else "loads"
    text = str(len(cell.weak)) if cell.weak else "✓"
    if not cell.loads:
        kind, text = "lost" if cell.lost else "lacks", str(len(cell.missing))
    yield from _box(kind, text, x, y)


def _box(kind: str, text: str, x: int, y: int) -> Iterator[str]:
    yield f'<rect class="{kind}" x="{x}" y="{y}" width="{CELL}" height="{ROW}"/>'
    shade = " on" if kind in ("loads", "null") else ""
    yield _text(x + CELL // 2, y + ROW - 8, text, f"mid{shade}")


def _legend(top: int) -> Iterator[str]:
    for row, (kind, text, meaning) in enumerate(_LEGEND):
        yield from _box(kind, text, MARGIN, top + row * ROW)
        yield _text(MARGIN + CELL + 10, top + row * ROW + ROW - 8, meaning)


def _text(x: int, y: int, text: str, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text{shown} x="{x}" y="{y}">{escape(text)}</text>'

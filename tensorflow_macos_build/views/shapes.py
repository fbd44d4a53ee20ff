"""Pictures of boxes, lines, dots and words, as SVG and as PNG, from one list of shapes.

Not matplotlib: it starts other programs to list the machine's fonts, keeps that list in the user's
home, and needs a second to be imported. Pillow has a font of its own.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL.ImageDraw import ImageDraw

FONT = 13
"""Pixels of a line of text."""

_SCALE, _FINER = 2, 2
"""A PNG has this many pixels for one of the picture's, and is drawn finer by this still: Pillow
draws edges without shades between, which the smaller picture then has."""


@dataclass(frozen=True)
class Box:
    """A rectangle with a thin black edge; `fill` is a grey from 0 (black) to 255."""

    x: float
    y: float
    width: float
    height: float
    fill: int


@dataclass(frozen=True)
class Stroke:
    """A straight line, of a grey."""

    x: float
    y: float
    to_x: float
    to_y: float
    width: float = 1.0
    grey: int = 0


@dataclass(frozen=True)
class Dot:
    """A white disc with a black edge around a point."""

    x: float
    y: float


@dataclass(frozen=True)
class Words:
    """A line of text beside a point: `anchor` is `start`, `middle` or `end`."""

    x: float
    y: float
    text: str
    anchor: str = "start"
    bold: bool = False


Shape: TypeAlias = "Box | Stroke | Dot | Words"

_RADIUS = 3.5

_HATCH = 6
"""Pixels between two diagonals of a hatched box."""


def hatches(box: Box) -> Iterator[Stroke]:
    """Yield diagonals from edge to edge of a box."""
    for offset in range(_HATCH, int(box.width + box.height), _HATCH):
        from_x, from_y = max(0.0, offset - box.height), min(offset, box.height)
        to_x, to_y = min(offset, box.width), max(0.0, offset - box.width)
        yield Stroke(box.x + from_x, box.y + from_y, box.x + to_x, box.y + to_y, 0.8)


def as_svg(shapes: Sequence[Shape], width: int, height: int) -> str:
    """Return a picture as SVG; the same bytes for the same shapes."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
            f"<style>text {{ font: {FONT}px sans-serif }} .bold {{ font-weight: bold }}</style>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *map(_element, shapes),
            "</svg>\n",
        ]
    )


def as_png(shapes: Sequence[Shape], width: int, height: int) -> bytes:
    """Return a picture as PNG; the same bytes for the same shapes and version of Pillow."""
    from PIL import Image, ImageDraw  # noqa: PLC0415 - few tasks draw

    scale = _SCALE * _FINER
    image = Image.new("L", (width * scale, height * scale), 255)
    drawing = ImageDraw.Draw(image)
    for shape in shapes:
        _draw(drawing, shape, scale)
    smaller = image.resize((width * _SCALE, height * _SCALE), Image.Resampling.LANCZOS)
    written = io.BytesIO()
    smaller.save(written, format="PNG", optimize=True)
    return written.getvalue()


def _element(shape: Shape) -> str:
    match shape:
        case Box(x, y, width, height, fill):
            size = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
            return f'<rect {size} fill="{_grey(fill)}" stroke="#000"/>'
        case Stroke(x, y, to_x, to_y, width, grey):
            ends = f'x1="{x:.1f}" y1="{y:.1f}" x2="{to_x:.1f}" y2="{to_y:.1f}"'
            return f'<line {ends} stroke="{_grey(grey)}" stroke-width="{width}"/>'
        case Dot(x, y):
            return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{_RADIUS}" fill="#fff" stroke="#000"/>'
        case Words(x, y, text, anchor, bold):
            kind = ' class="bold"' if bold else ""
            # Not `dominant-baseline`, which some programs ignore.
            at = f'x="{x:.1f}" y="{y + FONT * 0.35:.1f}" text-anchor="{anchor}"'
            return f"<text{kind} {at}>{escape(text)}</text>"


def _draw(drawing: ImageDraw, shape: Shape, scale: int) -> None:
    from PIL import ImageFont  # noqa: PLC0415 - as in `as_png`

    match shape:
        case Box(x, y, width, height, fill):
            corners = [x * scale, y * scale, (x + width) * scale, (y + height) * scale]
            drawing.rectangle(corners, fill=fill, outline=0, width=scale)
        case Stroke(x, y, to_x, to_y, width, grey):
            ends = [x * scale, y * scale, to_x * scale, to_y * scale]
            drawing.line(ends, fill=grey, width=max(1, round(width * scale)))
        case Dot(x, y):
            centre = (x * scale, y * scale)
            drawing.circle(centre, _RADIUS * scale, fill=255, outline=0, width=scale)
        case Words(x, y, text, anchor, bold):
            drawing.text(
                (x * scale, y * scale),
                text,
                fill=0,
                font=ImageFont.load_default(FONT * scale),
                anchor={"start": "lm", "middle": "mm", "end": "rm"}[anchor],
                stroke_width=scale // 4 if bold else 0,
            )


def _grey(value: int) -> str:
    return f"#{value:02x}{value:02x}{value:02x}"

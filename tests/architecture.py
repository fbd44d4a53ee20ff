"""A picture of the package: its rooms on their floors, and the imports between them, as SVG.

    .venv/bin/python -m tests.architecture > docs/architecture.svg

The floors are import-linter's contracts, the arrows the code's own imports. Left out are arrows
that others lead along anyway (a imports b, b imports c, a imports c), and those to the single files
of the ground floors, which every room uses.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests import imports

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

WIDTH, MARGIN, GAP = 1080, 20, 18
ROOM, INNER, BETWEEN = 40, 26, 46
_STYLE = """
  text { font: 14px sans-serif; fill: #1b2733; text-anchor: middle }
  .small { font-size: 12px }
  .room { fill: #e8eef4; stroke: #5b7083 }
  .inner { fill: #ffffff; stroke: #9fb0bf }
  .arrow { fill: none; stroke: #b4663a; stroke-width: 1.4; marker-end: url(#head) }
"""


@dataclass(frozen=True)
class Box:
    """Where a room is drawn, in pixels from the upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        """The horizontal middle."""
        return self.x + self.width / 2


def draw() -> str:
    """Return the picture; the same bytes for the same imports."""
    floors = imports.floors(imports.PACKAGE)
    boxes = dict(_boxes(floors))
    height = max(box.y + box.height for box in boxes.values()) + MARGIN
    drawn = [*_arrows(boxes), *(line for room, box in boxes.items() for line in _room(room, box))]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}">',
            f"<style>{_STYLE}</style>",
            '<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
            ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#b4663a"/></marker>',
            *drawn,
            "</svg>\n",
        ]
    )


def _boxes(floors: Sequence[Sequence[str]]) -> Iterator[tuple[str, Box]]:
    top: float = MARGIN
    for floor, below in zip(floors, [*floors[1:], []], strict=True):
        parts = [3.2 if _inner(room) else 1.0 for room in floor]
        whole = WIDTH - 2 * MARGIN - GAP * (len(floor) - 1)
        height = max(_height(room) for room in floor)
        left: float = MARGIN
        for room, part in zip(floor, parts, strict=True):
            width = whole * part / sum(parts)
            yield room, Box(left, top, width, height)
            left += width + GAP
        top += height + (BETWEEN if any(map(_is_folder, below)) else GAP)


def _height(room: str) -> float:
    return ROOM + len(_inner(room)) * (INNER + 6)


def _inner(room: str) -> Sequence[Sequence[str]]:
    """Return a room's own floors; most have none."""
    return imports.floors(f"{imports.PACKAGE}.{room}")


def _room(room: str, box: Box) -> Iterator[str]:
    yield _rectangle("room", box)
    inside = _inner(room)
    middle = ROOM / 2 if inside else box.height / 2
    yield _label(f"{room}/" if _is_folder(room) else f"{room}.py", box.middle, box.y + middle + 5)
    for number, floor in enumerate(inside):
        top = box.y + ROOM + number * (INNER + 6)
        width = (box.width - 16 - 6 * (len(floor) - 1)) / len(floor)
        for column, name in enumerate(floor):
            inner = Box(box.x + 8 + column * (width + 6), top, width, INNER)
            yield _rectangle("inner", inner)
            yield _label(name, inner.middle, inner.y + INNER / 2 + 4, "small")


def _is_folder(room: str) -> bool:
    return (imports.ROOT / imports.PACKAGE / room).is_dir()


def _rectangle(kind: str, box: Box) -> str:
    size = f'width="{box.width:.0f}" height="{box.height:.0f}"'
    return f'<rect class="{kind}" x="{box.x:.0f}" y="{box.y:.0f}" {size} rx="5"/>'


def _label(text: str, x: float, y: float, kind: str = "") -> str:
    shown = f' class="{kind}"' if kind else ""
    return f'<text{shown} x="{x:.0f}" y="{y:.0f}">{text}</text>'


def _arrows(boxes: Mapping[str, Box]) -> Iterator[str]:
    """Yield the arrows between rooms: from the lower edge of one to the upper edge of another."""
    direct = _room_arrows(boxes)
    for source, targets in sorted(direct.items()):
        for target in sorted(targets):
            if any(target in _reachable(direct, through) for through in targets - {target}):
                continue
            start, end = boxes[source], boxes[target]
            low = start.y + start.height
            turn = (end.y - low) / 2
            yield (
                f'<path class="arrow" d="M{start.middle:.0f} {low:.0f}C{start.middle:.0f}'
                f" {low + turn:.0f} {end.middle:.0f} {end.y - turn:.0f} {end.middle:.0f}"
                f' {end.y:.0f}"/>'
            )


def _room_arrows(rooms: Mapping[str, Box]) -> dict[str, set[str]]:
    between: dict[str, set[str]] = {room: set() for room in rooms if _is_folder(room)}
    for source, targets in imports.arrows().items():
        room = _room_of(source)
        others = {_room_of(target) for target in targets} - {room}
        between.get(room, set()).update(other for other in others if other in between)
    return between


def _room_of(module: str) -> str:
    return [*module.split("."), ""][1]


def _reachable(direct: Mapping[str, set[str]], source: str) -> set[str]:
    """Return all rooms that arrows lead to from a room, itself included."""
    reached, waiting = set[str](), [source]
    while waiting:
        room = waiting.pop()
        if room not in reached:
            reached.add(room)
            waiting += direct[room]
    return reached


if __name__ == "__main__":
    sys.stdout.write(draw())

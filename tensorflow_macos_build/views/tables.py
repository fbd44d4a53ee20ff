"""Tables for people: the one style of them, and how they are fitted to a terminal.

No name is broken or cut: they are copied into the next command. Where a row is too long, the words
of its last column are wrapped; where that leaves no room, the first column gets lines of its own.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from rich.cells import cell_len

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import TypeAlias

    Cells: TypeAlias = "tuple[TableCell, ...]"
    """The cells of a row, or the pieces of a line."""

_GAP = "  "

_LEAST = 24
"""Columns that wrapped words must have at least, to be read with ease."""

_NUMBER = re.compile(r"[-+]?[0-9][0-9,.]*[ %x]*|-|")


@dataclass(frozen=True)
class TableCell:
    """A text in a rich style such as "green" or "bold red"; its lines are parted by a line feed."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Table:
    """A table: its columns' titles ("" for none), its rows, and a line above it ("" for none)."""

    titles: tuple[str, ...]
    rows: tuple[Cells, ...]
    title: str = ""

    @classmethod
    def of(
        cls, titles: Iterable[str], rows: Iterable[Iterable[str | TableCell]], title: str = ""
    ) -> Table:
        """Return a table of cells, of which those without a style may be plain strings."""
        cells = (tuple(TableCell(c) if isinstance(c, str) else c for c in row) for row in rows)
        return cls(tuple(titles), tuple(cells), title)

    def with_texts(self, change: Callable[[str], str]) -> Table:
        """Return the same table with every text changed."""
        return Table(
            tuple(map(change, self.titles)),
            tuple(tuple(replace(c, text=change(c.text)) for c in row) for row in self.rows),
            change(self.title),
        )


def in_style(style: str, *texts: str) -> Cells:
    """Return the cells of a row that has one style."""
    return tuple(TableCell(text, style) for text in texts)


def lines(table: Table, width: int | None = None) -> Iterator[Cells]:
    """Yield a table's lines as pieces of text, none of which ends in a blank.

    Args:
        table: the table.
        width: the columns of the terminal; None: a row is a line, however long.
    """
    if table.title:
        yield (TableCell(table.title, "bold"),)
    heads = [tuple(TableCell(title, "bold") for title in table.titles)] if any(table.titles) else []
    for block in _blocks([*heads, *table.rows], width, heads=len(heads)):
        yield from map(_without_end, block)


def _blocks(rows: Sequence[Cells], width: int | None, heads: int) -> list[list[Cells]]:
    """Return the lines of each row; the first `heads` rows are titles."""
    if not rows:
        return []
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    if width is not None and len(widths) > 1 and _total(widths) > width:
        room = width - _total([*widths[:-1], 0])
        # Of two columns the second is wrapped also where it has a word that is too long for it.
        longest = max(_longest_word(row[-1]) for row in rows) if len(widths) > 2 else 0
        if room < max(_LEAST, longest):
            return _stacked(rows, width, heads)
        rows = [(*row[:-1], _wrapped(row[-1], room)) for row in rows]
    are_numbers = [
        all(_NUMBER.fullmatch(cell.text) for cell in column[heads:])
        for column in zip(*rows, strict=True)
    ]
    return [_aligned(row, widths, are_numbers) for row in rows]


def _stacked(rows: Sequence[Cells], width: int, heads: int) -> list[list[Cells]]:
    """Return rows whose first cells have lines of their own, with the others indented below."""
    others = _blocks([row[1:] for row in rows], width - len(_GAP), heads)
    return [
        [*_aligned(row[:1], [0], [False]), *((TableCell(_GAP), *line) for line in block)]
        for row, block in zip(rows, others, strict=True)
    ]


def _aligned(row: Cells, widths: Sequence[int], are_numbers: Sequence[bool]) -> list[Cells]:
    columns = [cell.text.split("\n") for cell in row]
    made: list[Cells] = []
    for number in range(max(map(len, columns))):
        pieces: list[TableCell] = []
        for cell, texts, width, right in zip(row, columns, widths, are_numbers, strict=True):
            text = texts[number] if number < len(texts) else ""
            blanks = " " * (width - cell_len(text))
            padded = f"{blanks}{text}" if right else f"{text}{blanks}"
            pieces += [TableCell(padded, cell.style), TableCell(_GAP)]
        made.append(tuple(pieces))
    return made


def _without_end(line: Cells) -> Cells:
    """Return a line's pieces without the blanks at its end."""
    pieces = list(line)
    while pieces and not pieces[-1].text.strip(" "):
        pieces.pop()
    if pieces:
        pieces[-1] = replace(pieces[-1], text=pieces[-1].text.rstrip(" "))
    return tuple(pieces)


def _wrapped(cell: TableCell, room: int) -> TableCell:
    # Words alone are parted: half of a path or of a name is none.
    wrapper = textwrap.TextWrapper(room, break_long_words=False, break_on_hyphens=False)
    texts = (wrapper.fill(text) for text in cell.text.split("\n"))
    return replace(cell, text="\n".join(texts))


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _width(cell: TableCell) -> int:
    return max(map(cell_len, cell.text.split("\n")))


def _longest_word(cell: TableCell) -> int:
    return max(map(cell_len, cell.text.split()), default=0)

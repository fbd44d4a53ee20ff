"""Pages as values: sections of facts, tables and commands, before any of it is HTML.

Every row and number gets an address of its own, made of the names of what it is about
(`anchors.py`), so that a link to it holds for as long as the documents speak of that.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tone(Enum):
    """What a value means for whoever looks at it, which decides its colour."""

    PLAIN = "plain"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    SOFT = "soft"
    ACCENT = "accent"


@dataclass(frozen=True)
class Bar:
    """A bar, of a share of what there is room for, from 0 to 1."""

    share: float
    tone: Tone = Tone.ACCENT


@dataclass(frozen=True)
class Stack:
    """Bars one behind the other: the tone and the share of each, together at most 1."""

    parts: tuple[tuple[Tone, float], ...]


@dataclass(frozen=True)
class Interval:
    """A value with its interval on an axis from 0 to 1, and the `base` it is compared with."""

    low: float
    value: float
    high: float
    base: float
    tone: Tone = Tone.ACCENT


Graphic: TypeAlias = "Bar | Stack | Interval"
"""What is drawn beside a text that says the same."""


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: what it says.
        tone: what that means.
        note: what stands below, smaller.
        href: where it leads: a page of the site, or an https address; "" nowhere.
        graphic: what is drawn beside the text.
    """

    text: str
    tone: Tone = Tone.PLAIN
    note: str = ""
    href: str = ""
    graphic: Graphic | None = None


class ColumnKind(Enum):
    """How a column is set."""

    TEXT = "text"
    NUMBER = "number"
    CODE = "code"


@dataclass(frozen=True)
class Column:
    """A column beside the rows' heads; `key` names its cells in addresses."""

    title: str
    kind: ColumnKind = ColumnKind.TEXT
    key: str = ""

    @property
    def name(self) -> str:
        """What addresses call it."""
        return self.key or self.title


@dataclass(frozen=True)
class Row:
    """A row of a table: its head, and a cell for each column."""

    head: Cell
    cells: tuple[Cell, ...]
    key: str = ""

    @property
    def name(self) -> str:
        """What addresses call it."""
        return self.key or self.head.text


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: what addresses call it.
        caption: what it shows.
        head: the title of the rows' heads.
        columns: the columns beside them.
        rows: the rows.
        is_matrix: whether its columns are alike, so that a phone scrolls it and does not stack it.
    """

    name: str
    caption: str
    head: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    is_matrix: bool = False


@dataclass(frozen=True)
class Fact:
    """A value with its name; `detail` is one sentence more."""

    name: str
    text: str
    tone: Tone = Tone.PLAIN
    href: str = ""
    detail: str = ""
    is_code: bool = False


@dataclass(frozen=True)
class Section:
    """A part of a page with a heading.

    Attributes:
        name: what addresses call it.
        title: the heading.
        lead: the sentence below.
        facts: values with names.
        commands: what can be typed, a line each.
        tables: its tables.
        folded: tables that are shown when they are asked for.
    """

    name: str
    title: str
    lead: str = ""
    facts: tuple[Fact, ...] = ()
    commands: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        name: its file's, without the ending.
        title: its heading.
        lead: what it shows, in a sentence.
        cards: what the first page says of it.
        sections: its parts.
    """

    name: str
    title: str
    lead: str
    cards: tuple[Fact, ...]
    sections: tuple[Section, ...]

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.name}.html"


def number(value: float, tone: Tone = Tone.PLAIN, graphic: Graphic | None = None) -> Cell:
    """Return a cell with a whole number, or one with as many digits as people compare."""
    text = f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"
    return Cell(text, tone, graphic=graphic)


def numbers(*titles: str) -> tuple[Column, ...]:
    """Return columns of numbers."""
    return tuple(Column(title, ColumnKind.NUMBER) for title in titles)


def share(part: float, whole: float) -> float:
    """Return a part of a whole, from 0 to 1; 0 where there is no whole."""
    return min(max(part / whole, 0.0), 1.0) if whole else 0.0


def percent(part: float, whole: float) -> Cell:
    """Return a cell with a share in per cent, and a bar; empty where there is no whole."""
    if not whole:
        return Cell("")
    return Cell(f"{100 * share(part, whole):.1f} %", graphic=Bar(share(part, whole)))


def counted(count: int, one: str, many: str = "") -> str:
    """Return a number of things in words: `1 patch`, `2 patches`."""
    return f"{count:,} {one if count == 1 else many or f'{one}s'}"


def wheel_title(name: str) -> str:
    """Return what people call a wheel by its file's name: project, version and Python."""
    parts = name.removesuffix(".whl").split("-")
    # Four parts at least, as in `demo-1.0-py3-none-any` without the last (PEP 427).
    return " ".join((*parts[:2], parts[-3])) if name.endswith(".whl") and len(parts) >= 5 else name


def section_title(name: str, wheel: str) -> str:
    """Return a section's name as a heading, with a wheel in it called as people call it."""
    title = name.replace(wheel, wheel_title(wheel))
    # A wheel's name begins as it is spelled.
    return title if name.startswith(wheel) else title[:1].upper() + title[1:]


def worst(tones: Sequence[Tone]) -> Tone:
    """Return the tone that needs somebody most."""
    order = (Tone.BAD, Tone.WARN, Tone.GOOD)
    return next((tone for tone in order if tone in tones), Tone.PLAIN)

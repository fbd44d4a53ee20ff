"""Benchmarks: how many times as fast each arm trains, with 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.report.amounts import duration
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Cell,
    Column,
    Fact,
    Interval,
    Page,
    Row,
    Section,
    Table,
    Tone,
    counted,
    numbers,
)
from tensorflow_macos_build.site.pages import newest
from tensorflow_macos_build.smoke.bench import BenchVerdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "bench.html"

_TONES = {
    BenchVerdict.FASTER: Tone.GOOD,
    BenchVerdict.NO_DIFFERENCE: Tone.SOFT,
    BenchVerdict.SLOWER: Tone.BAD,
    BenchVerdict.OTHER_LOSSES: Tone.BAD,
}
"""The tone of each verdict; the others are no result."""


@dataclass(frozen=True)
class _Axis:
    """A logarithmic axis of ratios, on which 2 is as far from 1 as a half is."""

    low: float
    high: float

    def at(self, ratio: float) -> float:
        """Return how far along a ratio lies, from 0 to 1."""
        width = math.log(self.high) - math.log(self.low)
        return (math.log(ratio) - math.log(self.low)) / width


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing was measured."""
    benches = newest.named(shelf.of("bench.v1"), _about)
    if not benches:
        return None
    return Page(
        name="bench",
        title="Benchmarks",
        lead="How many times as fast each arm trains, with the 95 % interval of each ratio.",
        cards=tuple(card for bench in benches for card in _cards(bench)),
        sections=tuple(map(_section, benches)),
    )


def _about(document: SourceDocument) -> str:
    body = document.body
    others = [arm["name"] for arm in body["arms"] if arm["name"] != body["baseline"]]
    processor = str(body["machine"].get("processor", "an unnamed machine"))
    return f"{', '.join(others)} beside {body['baseline']}, {body['size']}, on {processor}"


def _verdict(row: Json) -> BenchVerdict:
    return BenchVerdict[row["verdict"].upper()]


def _cards(bench: NamedDocument) -> Iterator[Fact]:
    proven = (BenchVerdict.FASTER, BenchVerdict.SLOWER)
    for row in bench.body["rows"]:
        if not row["control"] and row["ratio"] and _verdict(row) in proven:
            words = f"{row['ratio']['ratio']:.2f} times"
            href = f"{FILE}#{address(bench.name, 'ratios', _row_name(row))}"
            yield Fact(f"{row['arm']}, {row['workload']}", words, _TONES[_verdict(row)], href)


def _row_name(row: Json) -> str:
    return f"{row['workload']} {'A/A' if row['control'] else row['arm']}"


def _section(bench: NamedDocument) -> Section:
    body = bench.body
    axis = _axis(body["rows"])
    columns = (
        *numbers("ratio", "from", "to"),
        Column("interval"),
        Column("verdict"),
        *numbers("step", f"step of {body['baseline']}", "first step"),
    )
    rows = tuple(_row(row, axis) for row in body["rows"])
    baseline = body["baseline"]
    caption = f"Times as fast as {baseline}; the upright line is 1, the axis logarithmic"
    table = Table("ratios", caption, "workload", columns, rows)
    sessions = f"{counted(body['sessions'], 'session')} of {counted(body['rounds'], 'round')}"
    lead = f"{sessions}. The row A/A compares {baseline} with a second copy of itself."
    failed = sum(bool(measured["why"]) for measured in body["measurements"])
    facts = (
        *(Fact(key, str(value)) for key, value in sorted(body["machine"].items())),
        Fact("measurements", f"{len(body['measurements']):,}"),
        Fact("of them failed", f"{failed:,}", Tone.BAD if failed else Tone.PLAIN),
    )
    return Section(bench.name, bench.name, lead, facts=facts, tables=(table, _arms(body)))


def _axis(rows: Iterable[Json]) -> _Axis:
    """Return an axis with room around every interval."""
    intervals = [row["ratio"] for row in rows if row["ratio"]]
    low = min([0.9, *(ratio["low"] / 1.06 for ratio in intervals)])
    high = max([1.1, *(ratio["high"] * 1.06 for ratio in intervals)])
    return _Axis(low, high)


def _row(row: Json, axis: _Axis) -> Row:
    verdict = _verdict(row)
    cells = (
        *_ratio(row["ratio"], axis, _TONES.get(verdict, Tone.WARN)),
        Cell(verdict.value, _TONES.get(verdict, Tone.WARN), note=row["why"]),
        *_times(row),
    )
    head = Cell(row["workload"], note="A/A" if row["control"] else row["arm"])
    return Row(head, cells, _row_name(row))


def _ratio(ratio: Json | None, axis: _Axis, tone: Tone) -> tuple[Cell, ...]:
    if ratio is None:
        return (Cell(""),) * 4
    ends = (ratio["low"], ratio["ratio"], ratio["high"])
    low, value, high = map(axis.at, ends)
    numbers_ = tuple(Cell(f"{ratio[key]:.2f}") for key in ("ratio", "low", "high"))
    return (*numbers_, Cell("", graphic=Interval(low, value, high, axis.at(1), tone)))


def _times(row: Json) -> tuple[Cell, ...]:
    step, first = row["step_s"], row["first_step_s"]
    sides = (step and step["arm"], step and step["baseline"], first and first["arm"])
    return tuple(Cell("" if side is None else _seconds(side)) for side in sides)


def _seconds(value: float) -> str:
    return duration(value) if value >= 1 else f"{value * 1000:.3g} ms"


def _arms(body: Json) -> Table:
    rows = tuple(
        Row(
            Cell(arm["name"]),
            tuple(Cell(arm[key]) for key in ("source", "device", "arch", "plugin")),
        )
        for arm in body["arms"]
    )
    columns = tuple(map(Column, ("source", "device", "architecture", "plugin")))
    return Table("arms", "What was measured", "arm", columns, rows)

"""Builds: their rounds, what caches served, and where the time went."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.report.amounts import duration, size
from tensorflow_macos_build.site.anchors import address
from tensorflow_macos_build.site.page import (
    Bar,
    Cell,
    Column,
    ColumnKind,
    Fact,
    Page,
    Row,
    Section,
    Stack,
    Table,
    Tone,
    number,
    numbers,
    percent,
    share,
)
from tensorflow_macos_build.site.pages import newest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site.model import Shelf, SourceDocument
    from tensorflow_macos_build.site.pages.newest import NamedDocument

FILE = "builds.html"

_ENDS = {"done": Tone.GOOD, "budget": Tone.SOFT, "failed": Tone.BAD, "broken off": Tone.WARN}


def page(shelf: Shelf) -> Page | None:
    """Return the page; None: nothing is known of any build."""
    reports = shelf.of("report.v1")
    rounds = newest.named(shelf.of("rounds.v1"), _of_rounds)
    logs = newest.named(shelf.of("build.v1"), _release)
    sections = (
        *(_over_time(reports) if reports else ()),
        *(_rounds(build) for build in rounds if build.body["rounds"]),
        *map(_report, newest.named(reports, _release)),
        *map(_log, logs),
    )
    if not sections:
        return None
    return Page(
        name="builds",
        title="Builds",
        lead="Rounds of time-boxed builds, actions that caches served, and how long stages took.",
        cards=(*_round_cards(rounds), *_report_cards(reports)),
        sections=sections,
    )


def _release(document: SourceDocument) -> str:
    return str(document.body["release"])


def _of_rounds(document: SourceDocument) -> str:
    """Return what rounds are of: the release, and the file where several parts have one."""
    releases = [state["release"] for state in document.body["states"] if state["release"]]
    return f"rounds of {releases[0] if releases else document.name}"


def _over_time(reports: Sequence[SourceDocument]) -> Iterator[Section]:
    columns = (
        Column("architecture"),
        *numbers("actions", "from caches", "share"),
        Column("of caches"),
    )
    rows = tuple(
        Row(
            Cell(document.body["release"], note=document.name),
            (
                Cell(wheel["architecture"]),
                number(wheel["actions"]),
                number(wheel["cache_hits"]),
                percent(wheel["cache_hits"], wheel["actions"]),
                Cell(", ".join(wheel.get("caches", []))),
            ),
            f"{document.body['release']} {wheel['architecture']} {document.sha256[:12]}",
        )
        for document in reports
        for wheel in document.body["thin_wheels"]
    )
    table = Table(
        "caches", "Actions of each build, in the order of their files", "release", columns, rows
    )
    lead = "The newest build comes last. An action is one command of Bazel's."
    yield Section("caches", "Cache hits over time", lead, tables=(table,))


def _rounds(build: NamedDocument) -> Section:
    name, body = build.name, build.body
    most = max(row["run"] + (row["hits"] or 0) for row in body["rounds"])
    rows = tuple(_round_row(row, most) for row in body["rounds"])
    columns = (
        Column("end"),
        *numbers("actions run", "from the state", "share", "took", "run again", "made anew"),
        Column("run and taken"),
    )
    table = Table("rounds", "Rounds, the oldest first", "round", columns, rows)
    lead = (
        "A round builds until its time is used up, and the next takes up what it saved. The bars:"
        " actions that it ran, then those that it took from the state."
    )
    tables = (table, *_states(body["states"]))
    return Section(name, name[:1].upper() + name[1:], lead, tables=tables)


def _round_row(row: Json, most: int) -> Row:
    hits = row["hits"]
    taken = hits or 0
    stack = Stack(((Tone.ACCENT, share(row["run"], most)), (Tone.GOOD, share(taken, most))))
    cells = (
        Cell(row["end"], _ENDS[row["end"]]),
        number(row["run"]),
        Cell("not known", Tone.SOFT) if hits is None else number(hits),
        Cell("") if hits is None else percent(hits, hits + row["run"]),
        Cell("not known", Tone.SOFT) if row["seconds"] is None else Cell(duration(row["seconds"])),
        number(row["overlap"], Tone.WARN if row["overlap"] else Tone.PLAIN),
        number(row["remade"]),
        Cell("", graphic=stack),
    )
    plan = row["plan"][:12]
    head = Cell(str(row["number"]), note=f"plan {plan}")
    return Row(head, cells, f"{row['number']} of {plan}")


def _states(states: Sequence[Json]) -> Iterator[Table]:
    if states:
        columns = (Column("file", ColumnKind.CODE), *numbers("size", "actions"), Column("fault"))
        rows = tuple(
            Row(
                Cell(str(state["number"])),
                (
                    Cell(state["file"].rpartition("/")[2]),
                    Cell(size(state["bytes"])),
                    Cell("") if state["actions"] is None else number(state["actions"]),
                    Cell(state["fault"], Tone.BAD),
                ),
            )
            for state in states
        )
        yield Table("states", "Saved states, the newest first", "round", columns, rows)


def _report(build: NamedDocument) -> Section:
    body = build.body
    longest = max((stage["seconds"] for stage in body["stages"]), default=0.0)
    facts = (
        Fact("wheel", body["wheel"]["name"], is_code=True),
        Fact("upstream", f"{body['upstream']['ref']} of {body['upstream']['url']}"),
        Fact("built on", f"{body['builder']['system']} {body['builder']['machine']}"),
    )
    rows = tuple(
        Row(
            Cell(stage["name"], note=stage["summary"]),
            (_took(stage["seconds"], longest, is_old=stage["up_to_date"]),),
        )
        for stage in body["stages"]
    )
    table = Table("stages", "How long its stages took", "stage", numbers("took"), rows)
    return Section(build.name, build.name, facts=facts, tables=(table,))


def _took(seconds: float, longest: float, *, is_old: bool) -> Cell:
    if is_old:
        return Cell("up to date", Tone.SOFT)
    return Cell(duration(seconds), graphic=Bar(share(seconds, longest)))


def _log(build: NamedDocument) -> Section:
    stages = build.body["stages"]
    longest = max((stage["seconds"] for stage in stages), default=0.0)
    rows = tuple(
        Row(
            Cell(stage["stage"]),
            (
                _took(stage["seconds"], longest, is_old=stage["up_to_date"]),
                *_effort(stage["result"].get("effort")),
            ),
        )
        for stage in stages
    )
    columns = numbers("took", "actions", "from caches")
    table = Table("stages", "How long its stages took", "stage", columns, rows)
    return Section(f"run of {build.name}", f"A run of {build.name}", tables=(table,))


def _effort(effort: object) -> tuple[Cell, Cell]:
    match effort:
        case {"actions": int(actions), "cache_hits": int(hits)}:
            return number(actions), number(hits)
        case _:
            return Cell(""), Cell("")


def _round_cards(builds: Sequence[NamedDocument]) -> Iterator[Fact]:
    for build in builds:
        if rounds := build.body["rounds"]:
            end = rounds[-1]["end"]
            words = f"{len(rounds)}, the last: {end}"
            yield Fact(build.name, words, _ENDS[end], f"{FILE}#{address(build.name)}")


def _report_cards(reports: Sequence[SourceDocument]) -> Iterator[Fact]:
    if reports:
        body = reports[-1].body
        actions = sum(wheel["actions"] for wheel in body["thin_wheels"])
        hits = sum(wheel["cache_hits"] for wheel in body["thin_wheels"])
        if actions:
            words = f"{100 * share(hits, actions):.0f} % from caches"
            yield Fact(f"newest build, {body['release']}", words, href=f"{FILE}#caches")

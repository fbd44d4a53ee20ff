"""The rounds of a time-boxed build and its saved states, for people and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.views import markdown
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.pipeline.rounds.folder import StateReport
    from tensorflow_macos_build.pipeline.rounds.model import Round
    from tensorflow_macos_build.views.lines import Part

_TITLES = ("round", "end", "actions run", "hits", "seconds", "overlap", "remade")


def as_document(reports: Sequence[StateReport]) -> documents.Json:
    """Return what is in a folder of states as a document of the schema rounds.v1."""
    good = next((report.state for report in reports if report.state), None)
    rows = [
        {
            "number": report.number,
            "file": str(report.path),
            "bytes": report.size,
            "fault": report.fault,
            "release": report.state.release if report.state else None,
            "plan": report.state.plan if report.state else None,
            "actions": len(report.state.entries) if report.state else None,
            "toolchain": dict(report.state.toolchain) if report.state else None,
        }
        for report in reports
    ]
    rounds = [row.model_dump(mode="json") for row in good.rounds] if good else []
    return documents.document("rounds", 1, {"states": rows, "rounds": rounds})


def as_lines(reports: Sequence[StateReport]) -> Iterator[Part]:
    """Yield the states of a folder, the newest first, then the rounds that led to the newest."""
    if not reports:
        yield "there is no saved state"
    for report in reports:
        yield f"{checkout.shown(report.path)}  {report.size / 1e6:,.1f} MB  {_words(report)}"
    good = next((report.state for report in reports if report.state), None)
    if good is not None:
        yield ""
        yield _table(good.rounds)


def _words(report: StateReport) -> str:
    if report.state is None:
        return f"bad: {report.fault}"
    return f"{report.state.release}, {len(report.state.entries):,} actions"


def ended_lines(rounds: Sequence[Round], state: Path) -> Iterator[Part]:
    """Yield what the rounds of the last one's plan ran, and where the state is."""
    yield _table(_of_plan(rounds))
    yield f"saved: {checkout.shown(state)}"


def as_markdown(rounds: Sequence[Round]) -> str:
    """Return the rounds of the last one's plan as a table in a job's summary."""
    rows = markdown.table(_TITLES, map(_cells, _of_plan(rounds)))
    return "\n".join(["### Rounds", "", *rows])


def _of_plan(rounds: Sequence[Round]) -> list[Round]:
    return [row for row in rounds if row.plan == rounds[-1].plan]


def _table(rounds: Sequence[Round]) -> Table:
    return Table.of(_TITLES, map(_cells, rounds))


def _cells(row: Round) -> tuple[str, ...]:
    hits = "?" if row.hits is None else f"{row.hits:,}"
    seconds = "?" if row.seconds is None else f"{row.seconds:,.1f}"
    counts = f"{row.overlap:,}", f"{row.remade:,}"
    return (str(row.number), row.end.value, f"{row.run:,}", hits, seconds, *counts)

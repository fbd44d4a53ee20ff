"""A forecast: a document, and a matrix with the breaking commits for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.patchqueue.verdict import status_document, wording
from tensorflow_macos_build.patchqueue.verdict.wording import WORDS, StatusTone
from tensorflow_macos_build.views import audit, evidence, forecast_page
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.patchqueue.forecast.model import (
        Break,
        Forecast,
        PatchForecast,
        Turn,
    )
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    StatusTone.QUIET: "dim",
    StatusTone.CARRIED: "cyan",
    StatusTone.UPSTREAM: "green",
    StatusTone.LOOK: "yellow",
    StatusTone.BROKEN: "bold red",
    StatusTone.FOLLOWS: "red",
}


def as_document(forecast: Forecast) -> documents.Json:
    """Return a forecast as a document of the schema forecast.v1."""
    columns = [
        {
            "ref": column.ref,
            "commit": column.commit,
            "distance": column.distance,
            "ok": column.ok,
            "audit": audit.as_part(column.audit),
            "due": list(column.due),
        }
        for column in forecast.columns
    ]
    patches = [
        {
            "name": row.name,
            "subject": row.subject,
            # The field's name is forecast.v1's, which scripts read.
            "fates": [_fate(fate) for fate in row.cells],
        }
        for row in forecast.rows
    ]
    base = {"ref": forecast.base.ref, "commit": forecast.base.commit}
    body = {"queue": forecast.queue, "base": base, "revisions": columns, "patches": patches}
    return documents.document("forecast", 1, body)


def _fate(fate: PatchForecast) -> documents.Json:
    return {
        "status": fate.status.value,
        "upstream": [status_document.commit_part(commit) for commit in fate.evidence.upstream],
        "knock_on_of": list(fate.evidence.knock_on_of),
        "clean_after": list(fate.evidence.clean_after),
        "breaking": fate.breaking and _break(fate.breaking),
        "earlier": [_turn(turn) for turn in fate.earlier],
        "all_tried": fate.all_tried,
    }


def _turn(turn: Turn) -> documents.Json:
    return {
        "turn": "heals" if turn.heals else "breaks",
        "how": turn.kind.value,
        "commit": status_document.commit_part(turn.commit),
    }


def _break(breaking: Break) -> documents.Json:
    return {
        "how": breaking.kind.value,
        "commit": status_document.commit_part(breaking.commit),
        "clean": breaking.clean,
    }


def as_lines(forecast: Forecast) -> Iterator[Part]:
    """Yield the matrix, and below it who broke what."""
    if not forecast.columns:
        base = forecast.base.ref
        yield Line(f"upstream has no release after {base}, on which {forecast.queue} is")
        return
    yield _matrix(forecast)
    # Of a queue of a hundred patches nearly all are clean: rows of them would bury the others.
    quiet = sum(forecast_page.is_quiet(row) for row in forecast.rows)
    yield Line(f"{quiet} of {len(forecast.patches)} patches are clean on all of them")
    for column in forecast.columns:
        style = "green" if column.ok else "bold"
        yield Line(f"{column.ref}: {forecast_page.summary(column)}", style)
        for name in column.due:
            yield Line(f"  the Drop-When of {name} has come true there")
    yield from map(Line, _blames(forecast))
    yield from _audits(forecast)


def _audits(forecast: Forecast) -> Iterator[Line]:
    """Yield what needs a look, each finding once, under the first revision that has it."""
    shown: set[tuple[str, str]] = set()
    for column in forecast.columns:
        for finding in column.audit.needs_look:
            if (key := (finding.patch, finding.used.name)) not in shown:
                shown.add(key)
                yield Line("")
                yield Line(f"{column.ref}:")
                yield from audit.finding_lines(finding)


def _matrix(forecast: Forecast) -> Table:
    rows = (
        (TableCell(row.name), *map(_cell, row.cells))
        for row in forecast.rows
        if not forecast_page.is_quiet(row)  # those are counted below
    )
    return Table.of(("patch", *(column.ref for column in forecast.columns)), rows)


def _cell(fate: PatchForecast) -> TableCell:
    word, tone = WORDS[fate.status]
    return TableCell(word, _STYLES[tone])


def _blames(forecast: Forecast) -> Iterator[str]:
    # A commit once, with all that it breaks: who looks into it does so once.
    for blame in forecast.breaking_commits:
        commit, does = blame.breaking.commit, forecast_page.effect(blame.breaking.kind)
        yield ""
        yield wording.named(commit)
        yield f"  {evidence.signed(commit)}"
        for patch in blame.patches:
            yield f"  {does} {patch.name} on {', '.join(patch.refs)}"
            yield from (f"    {words}" for words in forecast_page.before(patch))

"""How a forecast is asked for and shown: a matrix and the breaking commits, or a document."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.forecast.forecast import ForecastRequest
from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
from tensorflow_macos_build.views import forecast_page
from tensorflow_macos_build.views.forecast_page import WORDS, Tone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.patchqueue.forecast.forecast import Break, Forecast, PatchForecast
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

_LATEST = 3
_STYLES = {
    Tone.QUIET: "dim",
    Tone.CARRIED: "cyan",
    Tone.UPSTREAM: "green",
    Tone.LOOK: "yellow",
    Tone.BROKEN: "bold red",
    Tone.FOLLOWS: "red",
}


def request(
    queue: str, onto: str, latest: str | Literal[True] | None, cache: str
) -> ForecastRequest:
    """Return what the command line asks for, of its words.

    Raises:
        UsageError: there is no such queue, or the number of releases is none.
    """
    count = _count(onto, latest)
    names = tuple(name.strip() for name in onto.split(",") if name.strip())
    return ForecastRequest(queue_folder(queue), Path(cache), count, names)


def _count(onto: str, latest: str | Literal[True] | None) -> int:
    """Return how many of the newest releases are asked for."""
    if latest is None:
        return 0 if onto.strip(", ") else _LATEST
    if latest is True:  # the flag without a value, as invoke gives it
        return _LATEST
    if latest.isascii() and latest.isdigit() and int(latest):
        return int(latest)
    raise UsageError(f"`--latest {latest}`: give a number of releases, from 1 on")


def as_document(found: Forecast) -> documents.Json:
    """Return a forecast as a document of the schema forecast.v1."""
    columns = [
        {
            "ref": column.ref,
            "commit": column.commit,
            "distance": column.distance,
            "ok": column.ok,
        }
        for column in found.columns
    ]
    patches = [
        {
            "name": row.name,
            "subject": row.subject,
            "fates": [_fate(fate) for fate in row.fates],
        }
        for row in found.rows
    ]
    base = {"ref": found.base.ref, "commit": found.base.commit}
    body = {"queue": found.queue, "base": base, "revisions": columns, "patches": patches}
    return documents.document("forecast", 1, body)


def _fate(fate: PatchForecast) -> documents.Json:
    return {
        "status": fate.status.value,
        "upstream": [_commit(commit) for commit in fate.evidence.upstream],
        "knock_on_of": list(fate.evidence.knock_on_of),
        "breaking": fate.breaking and _break(fate.breaking),
    }


def _break(breaking: Break) -> documents.Json:
    return {
        "how": breaking.kind.value,
        "commit": _commit(breaking.commit),
        "clean": breaking.clean,
    }


def _commit(commit: UpstreamCommit) -> documents.Json:
    return {
        "commit": commit.oid,
        "author": commit.author,
        "date": commit.date,
        "subject": commit.subject,
        "link": commit.link,
    }


def write(found: Forecast, page: Path | None) -> None:
    """Write the page, when it was asked for."""
    if page is not None:
        files.write_text(page, forecast_page.html(found))


def show(found: Forecast) -> None:
    """Print the matrix, and below it who broke what."""
    console = Console(stderr=False)
    if not found.columns:
        console.line(f"upstream has no release after {found.base.ref}, on which {found.queue} is")
        return
    console.table(_matrix(found))
    quiet = sum(forecast_page.is_quiet(row) for row in found.rows)
    console.line(f"{quiet} of {len(found.patches)} patches are clean on all of them")
    for column in found.columns:
        style = "green" if column.ok else "bold"
        console.line(f"{column.ref}: {forecast_page.summary(column)}", style)
    for line in _blames(found):
        console.line(line)


def _matrix(found: Forecast) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("patch", overflow="fold")
    for column in found.columns:
        table.add_column(column.ref, no_wrap=True)
    for row in found.rows:
        if not forecast_page.is_quiet(row):
            table.add_row(row.name, *map(_cell, row.fates))
    return table


def _cell(fate: PatchForecast) -> Text:
    word, tone = WORDS[fate.status]
    return Text(word, _STYLES[tone])


def _blames(found: Forecast) -> Sequence[str]:
    lines = []
    for blame in found.blames:
        commit, does = blame.breaking.commit, forecast_page.effect(blame.breaking.kind)
        lines += [
            "",
            f"{commit.oid[:12]} {commit.subject}",
            f"  {commit.author}, {commit.date} {commit.link}".rstrip(),
            *(f"  {does} {name} on {', '.join(refs)}" for name, refs in blame.patches),
        ]
    return lines

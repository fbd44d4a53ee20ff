"""The task that looks ahead: a queue on upstream revisions to come."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import choice, command, present
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.patchqueue.forecast.forecast import ForecastRequest

# Bounded: int() refuses more than 4,300 digits (CVE-2020-10735), by an error of its own.
_NUMBER = re.compile(r"[0-9]{1,9}")

_LATEST = 3
"""How many releases are looked at where the command line names neither a number nor revisions."""


@command(
    needs=("git",),
    optional=["latest"],
    # with one, invoke calls a word behind `--latest` ambiguous for as long as it is not given
    positional=[],
    help={
        "queue": flag_help.QUEUE,
        "onto": "The upstream revisions: tags, branches or ids, with commas between them.",
        "latest": "The newest releases after the queue's base, so many; 3 when no number is given,"
        " and when there is neither --onto nor --coming.",
        "coming": "Also the newest pre-release, and the branches of versions not released yet.",
        "html": "Also write the forecast to this file, as a page.",
        "audit": "Whether to look for names that patches use and upstream took away: `local` where"
        " nothing has to be fetched for it, `always`, `never`.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema forecast.v1).",
    },
)
def forecast(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str = "",
    latest: str | Literal[True] | None = None,
    coming: bool = False,
    html: str = "",
    audit: str = "local",
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Show what becomes of patches on several upstream revisions, and which commits break them."""
    from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
    from tensorflow_macos_build.patchqueue.forecast import forecast as looking_ahead
    from tensorflow_macos_build.patchqueue.queue import locate
    from tensorflow_macos_build.views import forecast as view
    from tensorflow_macos_build.views import forecast_page

    # Before the forecast, which takes minutes: a path that cannot be written is refused at once.
    page = locate.output(html) if html else None
    wanted = forecast_request(queue, onto, latest, cache, coming=coming)
    request = replace(wanted, audit=choice("--audit", audit, AuditWhen))
    with Console().progress("forecast") as ticker:
        result = looking_ahead.run(request, ticker)
    if page is not None:
        files.write_text(page, forecast_page.html(result))
    present(view.as_document(result), view.as_lines(result), json=json)


def forecast_request(
    queue: str,
    onto: str,
    latest: str | Literal[True] | None,
    cache: str,
    *,
    coming: bool = False,
) -> ForecastRequest:
    """Return what the flags ask for.

    Raises:
        UsageError: there is no such queue, or the number of releases is none.
    """
    from tensorflow_macos_build.patchqueue.forecast.forecast import ForecastRequest
    from tensorflow_macos_build.patchqueue.queue.locate import queue_folder

    count = _count(onto, latest, coming=coming)
    names = tuple(name.strip() for name in onto.split(",") if name.strip())
    return ForecastRequest(queue_folder(queue), Path(cache), count, names, coming=coming)


def _count(onto: str, latest: str | Literal[True] | None, *, coming: bool) -> int:
    """Return how many of the newest releases are asked for."""
    if latest is None:
        return 0 if onto.strip(", ") or coming else _LATEST
    if latest is True:  # the flag without a value, as invoke gives it
        return _LATEST
    if _NUMBER.fullmatch(latest) and int(latest):
        return int(latest)
    raise UsageError(f"`--latest {latest}`: give a number of releases, from 1 on")

"""The task that looks ahead: a queue on upstream revisions to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, emit
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    import invoke


@command(
    needs=("git",),
    auto_shortflags=False,
    optional=["latest"],
    help={
        "queue": "The queue: a name in patches/, or a path with a slash.",
        "onto": "The upstream revisions: tags, branches or ids, with commas between them.",
        "latest": "The newest releases after the queue's base, so many; 3 when no number is given,"
        " and when there is no --onto.",
        "html": "Also write the forecast to this file, as a page.",
        "cache": "The folder that holds the mirrors of upstream repositories.",
        "json": "Print one JSON document (schema forecast.v1).",
    },
)
def forecast(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str = "",
    latest: str | Literal[True] | None = None,
    html: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Say what becomes of every patch on several upstream revisions, and which commit breaks it."""
    from tensorflow_macos_build.patchqueue.forecast import forecast as looking_ahead
    from tensorflow_macos_build.patchqueue.queue import locate
    from tensorflow_macos_build.views import forecast as view

    page = locate.output(html) if html else None
    request = view.request(queue, onto, latest, cache)
    with Console().progress("forecast") as ticker:
        found = looking_ahead.run(request, ticker)
    view.write(found, page)
    emit(view.as_document(found)) if json else view.show(found)

"""Tasks that move a queue of patches to another upstream revision."""

from __future__ import annotations

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, emit

_CACHE = "The folder that holds the mirrors of upstream repositories."


@command(
    default=True,
    auto_shortflags=False,
    help={
        "queue": "The queue: a folder below patches/, or a path.",
        "onto": "The upstream revision to move it to: a tag, a branch, an id.",
        "on_conflict": "What to do at a conflict: `provisional` goes on with the patch's side,"
        " `skip` leaves the patch out, `stop` stops.",
        "write": "Write the queue back on its new base when nothing conflicts.",
        "plan": "Print what would be done; nothing is fetched or written.",
        "cache": _CACHE,
        "json": "Print one JSON document (schema rebase.v1).",
    },
)
def rebase(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str,
    on_conflict: str = "provisional",
    write: bool = False,
    plan: bool = False,
    cache: str = "build/mirrors",
    json: bool = False,
) -> ExitCode:
    """Replay a queue on another upstream revision, and say what became of every patch."""
    from tensorflow_macos_build.tasks import rebase_view as view

    asked = view.Asked(queue, onto, view.way(on_conflict), write, cache)
    if plan:
        view.show_plan(asked)
        return ExitCode.DONE
    with Console().progress("rebase") as ticker:
        found = view.run(asked, ticker)
    emit(view.as_document(asked, found)) if json else view.show(asked, found)
    return ExitCode.DONE if found.ok else ExitCode.FAILED


namespace = invoke.Collection("rebase", rebase)

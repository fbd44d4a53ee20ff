"""Tasks that move a queue of patches to another upstream revision."""

from __future__ import annotations

from pathlib import Path

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, emit
from tensorflow_macos_build.tasks.folders import MIRRORS

_CACHE = "The folder that holds the mirrors of upstream repositories."


@command(
    needs=("git",),
    default=True,
    auto_shortflags=False,
    help={
        "queue": "The queue: a name in patches/, or a path with a slash.",
        "onto": "The upstream revision to move it to: a tag, a branch, an id.",
        "on_conflict": "What to do at a conflict: `provisional` goes on with the patch's side,"
        " `skip` leaves the patch out, `stop` stops.",
        "write": "Write the queue back on its new base when nothing conflicts.",
        "plan": "Print what would be done; nothing is fetched or written.",
        "cache": _CACHE,
        "json": "Print one JSON document (schema rebase.v1, with --plan rebase-plan.v1).",
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
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Replay a queue on another upstream revision, and say what became of every patch."""
    from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
    from tensorflow_macos_build.patchqueue.rebase import engine
    from tensorflow_macos_build.views import rebase as view

    folder, way = queue_folder(queue), view.way(on_conflict)
    request = engine.RebaseRequest(folder, onto, Path(cache), way, write)
    if plan:
        view.plan(request, json=json)
        return ExitCode.DONE
    with Console().progress("rebase") as ticker:
        found = engine.run(request, ticker, Console(stderr=False).line)
    emit(view.as_document(request, found)) if json else view.show(request, found)
    return ExitCode.DONE if found.ok else ExitCode.FAILED


_PATCH = (
    "The patch that is meant: its file's name or a part of it; by default the one that was shown"
    " last. With it the same command does nothing where it was done before."
)
_SESSION = {
    "queue": "The queue: a name in patches/, or a path with a slash.",
    "work": "The folder for the conflict's work tree; build/rebase/QUEUE by default.",
    "cache": _CACHE,
    "json": "Print one JSON document (schema rebase-progress.v1).",
}


@command(
    needs=("git",),
    auto_shortflags=False,
    help={**_SESSION, "onto": "The upstream revision to move the queue to."},
)
def start(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str,
    work: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Begin to settle a rebase's conflicts, one by one, each in a small work tree."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import session as view

    return view.start(QueueFlags(queue, cache, work), onto, json=json)


@command(needs=("git",), auto_shortflags=False, help=_SESSION)
def status(
    _context: invoke.Context,
    *,
    queue: str,
    work: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Say how far a rebase is, and which files are in conflict."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import session as view

    return view.step(QueueFlags(queue, cache, work), lambda it: it.status(), json=json)


@command(needs=("git",), name="continue", auto_shortflags=False, help={**_SESSION, "patch": _PATCH})
def continue_(
    _context: invoke.Context,
    *,
    queue: str,
    patch: str = "",
    work: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Take the work tree as the conflict's resolution, and go on to the next one or to the end."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import session as view

    return view.step(QueueFlags(queue, cache, work), lambda it: it.go_on(patch), json=json)


@command(needs=("git",), auto_shortflags=False, help={**_SESSION, "patch": _PATCH})
def skip(
    _context: invoke.Context,
    *,
    queue: str,
    patch: str = "",
    work: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Leave the patch in conflict out of the queue, and go on."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import session as view

    return view.step(QueueFlags(queue, cache, work), lambda it: it.skip(patch), json=json)


@command(
    needs=("git",),
    auto_shortflags=False,
    help={key: _SESSION[key] for key in ("queue", "work", "cache")},
)
def abort(_context: invoke.Context, *, queue: str, work: str = "", cache: str = MIRRORS) -> None:
    """Give a rebase up; the queue stays as it was."""
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import session as view

    view.abort(QueueFlags(queue, cache, work))


namespace = invoke.Collection("rebase", rebase, start, status, continue_, skip, abort)

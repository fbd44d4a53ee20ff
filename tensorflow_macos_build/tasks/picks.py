"""Tasks about a queue's picks: changes that it takes by reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import EDITS, MIRRORS

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.patchqueue.edit.step import EditProgress

_FLAGS = {
    "queue": flag_help.QUEUE,
    "base": "The commit that a pull request's change begins at, where history does not say so.",
    "cache": flag_help.CACHE,
}


@command(
    needs=("git",),
    positional=["what"],
    iterable=["path"],
    help={
        **_FLAGS,
        "what": "A pull request's number, a commit's id, or the address of the page of one.",
        "path": "A pattern of files, or a folder, that is taken; may be repeated. All by default.",
        "url": "The repository that has it, where it is not upstream's: an address or a path.",
        "reason": "Why it is carried: backport, upstreaming or fork-only.",
        "drop_when": "The condition that ends it, such as `upstream >= v2.22`.",
        "owner": "Who looks after it.",
        "json": "Print one JSON document (schema patches-edit.v1).",
    },
)
def pick(
    _context: invoke.Context,
    what: str,
    *,
    queue: str,
    reason: str,
    drop_when: str,
    path: list[str],
    owner: str = "",
    url: str = "",
    base: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Take an upstream commit or a pull request into a queue, by reference."""
    from tensorflow_macos_build import checkout
    from tensorflow_macos_build.patchqueue.edit import session as editing
    from tensorflow_macos_build.patchqueue.picking import pin as pinning
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import edit as view

    flags = QueueFlags(queue, cache)
    metadata = Metadata(reason, drop_when, owner)
    recorded = url and checkout.recorded(url)
    request = pinning.PickRequest(what, metadata, tuple(path), recorded, base)
    with Console().progress("pick") as ticker:
        opened = editing.open_with_mirror(flags.session_request(EDITS), ticker, Console().line)
        progress = pinning.pick(*opened, request, ticker)
    document = view.as_document(str(flags.folder), progress)
    present(document, view.as_lines(progress, flags.words), json=json)
    opened[0].shown(progress)
    return _code(progress)


@command(
    needs=("git",),
    help={
        **_FLAGS,
        "pick": "A pick to pin anew, to what its pull request is now: its name, or a part of it.",
        "json": "Print one JSON document (schema patches-pin.v1).",
    },
)
def pin(
    _context: invoke.Context,
    *,
    queue: str,
    pick: str = "",
    base: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> ExitCode:
    """Pin picks to commits, and show what became of their pull requests since."""
    from tensorflow_macos_build.patchqueue.edit import session as editing
    from tensorflow_macos_build.patchqueue.picking import pin as pinning
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import picks as view

    flags = QueueFlags(queue, cache)
    with Console().progress("pin") as ticker:
        opened = editing.open_with_mirror(flags.session_request(EDITS), ticker, Console().line)
        pinned = pinning.pin(*opened, pick, base, ticker)
    document = view.pinned_document(str(flags.folder), pinned)
    present(document, view.pinned_lines(pinned, flags.words), json=json)
    if pinned.change is None:
        return ExitCode.DONE
    opened[0].shown(pinned.change)
    return _code(pinned.change)


def _code(progress: EditProgress) -> ExitCode:
    if progress.note:
        Console().line(progress.note, "yellow")
    return ExitCode.FAILED if progress.conflicts else ExitCode.DONE


TASKS = (pick, pin)

"""Tasks about the queue of patches: in, out, and changed."""

from __future__ import annotations

from pathlib import Path

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks import edit, forecast, review
from tensorflow_macos_build.tasks.command import command, emit
from tensorflow_macos_build.tasks.folders import MIRRORS

_QUEUE = "The queue: a name in patches/, or a path with a slash."
_CACHE = "The folder that holds the mirrors of upstream repositories."
_JSON = "Print one JSON document (schema {}) and nothing else on standard output."


@command(
    needs=("git",),
    name="import",
    auto_shortflags=False,
    help={
        "queue": _QUEUE,
        "range": "Commits, as A..B: those that B has on top of A.",
        "folder": "A folder of mailbox patches, in order of their names or of a `series` there.",
        "quilt": "A quilt series file.",
        "diff": "One patch file of any form.",
        "tree": "A source tree without history; needs --against.",
        "upstream": "The repository that has the base: a path, an address, or `embedded:`.",
        "against": "The tag, branch or commit that the patches apply to; a range's is its A.",
        "author": "Who a tree's change is by, as `Name <address>`.",
        **{key: edit.TRAILERS[key] for key in ("reason", "drop_when", "owner")},
        "replace": "Replace an existing queue; patches of the same subject keep their files.",
        "cache": _CACHE,
        "json": _JSON.format("patches-import.v1"),
    },
)
def import_(
    _context: invoke.Context,
    *,
    queue: str,
    upstream: str,
    range: str = "",
    folder: str = "",
    quilt: str = "",
    diff: str = "",
    tree: str = "",
    against: str = "",
    author: str = "",
    reason: str = "",
    drop_when: str = "",
    owner: str = "",
    replace: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Make a queue of a fork's changes: commits, patch files, a quilt series, a source tree."""
    from tensorflow_macos_build.patchqueue.exchange import importing
    from tensorflow_macos_build.patchqueue.queue import locate
    from tensorflow_macos_build.patchqueue.queue.metadata import Metadata
    from tensorflow_macos_build.views import patches as view

    places = {"range": range, "folder": folder, "quilt": quilt, "diff": diff, "tree": tree}
    said = Metadata(reason, drop_when, owner)
    source = view.source(places, upstream, against, author, said)
    with Console().progress("import") as ticker:
        target, waiting = locate.new(queue), Console().line
        done = importing.import_changes(
            source, target, Path(cache), ticker, replace=replace, waiting=waiting
        )
    emit(view.imported_document(*done)) if json else view.show_imported(*done)


@command(
    needs=("git",),
    auto_shortflags=False,
    help={
        "queue": _QUEUE,
        "to": "`branch`, `mailbox` or `quilt`.",
        "out": "The mailbox file, or the folder of the quilt series.",
        "repository": "The repository that gets the branch; it must have the queue's base.",
        "branch": "The branch's name; the queue's name by default.",
        "force": "Replace a branch, a file or a quilt series that holds something else.",
        "cache": _CACHE,
        "json": _JSON.format("patches-export.v1"),
    },
)
def export(
    _context: invoke.Context,
    *,
    queue: str,
    to: str,
    out: str = "",
    repository: str = "",
    branch: str = "",
    force: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Write a queue as a branch of commits, one mailbox, or a quilt series."""
    from tensorflow_macos_build.views import patches as view

    found = view.load(queue)
    with Console().progress("export") as ticker:
        match view.form(to, out, repository):
            case "branch":
                where = view.export_branch(found, repository, branch, force=force)
            case "mailbox":
                where = view.export_mailbox(found, out, force=force)
            case _:
                where = view.export_quilt(found, out, Path(cache), ticker, force=force)
    emit(view.exported_document(found, to, where)) if json else view.show_exported(found, where)


_REVIEW = (review.lint, review.report, forecast.forecast)

namespace = invoke.Collection("patches", import_, export, *_REVIEW, *edit.TASKS)

"""Tasks about the upstream repository."""

from __future__ import annotations

from pathlib import Path

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import MIRRORS


@command(
    needs=("git",),
    help={
        "queue": "The queue whose upstream and base are meant: a name in patches/, or a path with a"
        " slash.",
        "upstream": "Without a queue: the repository, a path, an address, or `embedded:`.",
        "base": "Without a queue, or in place of its base: the commit, tag or branch to compare"
        " with.",
        "cache": "The folder that holds the mirrors.",
        "json": "Print one JSON document (schema upstream-status.v1).",
    },
)
def status(
    _context: invoke.Context,
    *,
    queue: str | None = None,
    upstream: str = "",
    base: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Show the upstream's newest releases and branches, and what became of a queue's picks."""
    from tensorflow_macos_build.patchqueue.picking import upstream_report
    from tensorflow_macos_build.patchqueue.queue import behind
    from tensorflow_macos_build.patchqueue.queue.locate import name_of, queue_folder
    from tensorflow_macos_build.views import upstream as upstream_view

    # None, not "", is a flag that was not given: `--queue ''` is a mistake, and refused as one.
    folder = None if queue is None else queue_folder(queue)
    request = behind.StatusRequest(Path(cache), folder, upstream, base)
    with Console().progress("upstream") as ticker:
        report = upstream_report.look(request, ticker)
    flags = () if folder is None else ("--queue", name_of(folder))
    present(upstream_view.as_document(report), upstream_view.as_lines(report, flags), json=json)


namespace = invoke.Collection("upstream", status)

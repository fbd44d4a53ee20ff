"""Tasks that look at a patch queue without changing it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    import invoke


@command(
    needs=("git",),
    iterable=["allow", "forbid"],
    help={
        "queue": flag_help.QUEUE,
        "onto": "Also say which `Drop-When` conditions have come true at this upstream ref.",
        "allow": "Let findings pass, as CODE or CODE:GLOB of file names; may be repeated.",
        "forbid": "A path pattern that no patch may touch; may be repeated.",
        "max_kb": "The largest patch file, in units of 1,024 bytes.",
        "json": "Print one JSON document (schema queue-lint.v1).",
    },
)
def lint(
    _context: invoke.Context,
    queue: str,
    *,
    allow: list[str],
    forbid: list[str],
    onto: str = "",
    max_kb: int = 1024,
    json: bool = False,
) -> ExitCode:
    """Show what is wrong with a patch queue; 1 when there are errors."""
    from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
    from tensorflow_macos_build.patchqueue.review import allowances, queue_lint
    from tensorflow_macos_build.patchqueue.review.lint import LintLimits
    from tensorflow_macos_build.views import review as view

    limits = LintLimits(size=max_kb * 1024, forbidden=tuple(forbid))
    allowed = allowances.of_flags(allow)
    request = queue_lint.LintRequest(queue_folder(queue), limits, Path(MIRRORS), onto, allowed)
    with Console().progress("lint") as ticker:
        result = queue_lint.run(request, ticker)
    for annotation in view.lint_annotations(result, checkout.shown(request.folder)):
        Console().annotation(annotation)
    present(view.lint_document(result), view.lint_parts(result), json=json)
    return ExitCode.DONE if result.ok else ExitCode.FAILED


@command(
    needs=("git",),
    help={
        "old": "The queue before: a folder of patches/, a path, or REVISION:PATH of this checkout's"
        " own history, such as origin/main:patches/demo.",
        "new": "The queue after, likewise.",
        "markdown": "Write the report to this file, for a pull request.",
        "html": "Write the report to this file, as a page.",
        "audit": "Also look for names that the newer queue, a folder, uses and that upstream took"
        " away between the two bases.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema queue-report.v1).",
    },
)
def report(
    _context: invoke.Context,
    old: str,
    new: str,
    *,
    markdown: str = "",
    html: str = "",
    audit: bool = False,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Show what became of every patch between two states of a queue (a range-diff with bodies)."""
    from tensorflow_macos_build.patchqueue.queue.locate import output
    from tensorflow_macos_build.patchqueue.review import report as reports
    from tensorflow_macos_build.views import rangediff_page
    from tensorflow_macos_build.views import review as view

    made = reports.compare(old, new)
    if audit:
        with Console().progress("report") as ticker:
            made = replace(made, audit=reports.audit(old, new, Path(cache), ticker))
    if markdown:
        text = "".join(f"{line}\n" for line in view.report_markdown(made))
        files.write_text(output(markdown), text)
    if html:
        files.write_text(
            output(html), rangediff_page.html(made.title, made.pairs, list(view.needs_look(made)))
        )
    # a table for eyes; where it goes to a file or a pipe, what a pull request takes
    lines = view.report_table(made) if sys.stdout.isatty() else view.report_markdown(made)
    present(view.report_document(made), lines, json=json)


@command(
    needs=("git",),
    name="looked-at",
    help={
        "queue": flag_help.QUEUE,
        "onto": "The upstream revision on which the rebase says that something needs a look.",
        "patch": "The patch: its file's name or a part of it.",
        "name": "The name that is gone, as it is shown; all of the patch's by default.",
        "note": "Why it is well, for whoever reads the queue later.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema looked-at-now.v1).",
    },
)
def looked_at(
    _context: invoke.Context,
    *,
    queue: str,
    onto: str,
    patch: str,
    name: str = "",
    note: str = "",
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Record in the queue that a name which upstream took away was looked at."""
    from tensorflow_macos_build.patchqueue.rebase import engine, look
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import audit as view

    flags = QueueFlags(queue, cache)
    move = engine.RebaseRequest(flags.folder, onto, Path(cache))
    with Console().progress("looked-at") as ticker:
        done = look.run(look.LookRequest(move, patch, name, note), ticker, Console().line)
    document = view.looked_at_document(flags.name, onto, done)
    present(document, view.looked_at_lines(flags.name, done), json=json)


@command(
    needs=("git",),
    positional=["name"],
    help={
        "name": "The patch: its file's name, or a part of it that fits no other.",
        "queue": flag_help.QUEUE,
        "onto": "The upstream revision that it is to be moved to.",
        "cache": flag_help.CACHE,
        "json": "Print one JSON document (schema patch-hunks.v1).",
    },
)
def hunks(
    _context: invoke.Context,
    name: str,
    *,
    queue: str,
    onto: str,
    cache: str = MIRRORS,
    json: bool = False,
) -> None:
    """Show how much of a patch is upstream already: its hunks, landed, clean or in conflict."""
    from tensorflow_macos_build.patchqueue.rebase import hunks as hunks_of
    from tensorflow_macos_build.tasks.queue_flags import QueueFlags
    from tensorflow_macos_build.views import hunks as view

    flags = QueueFlags(queue, cache)
    request = hunks_of.HunksRequest(flags.folder, name, onto, Path(cache))
    with Console().progress("hunks") as ticker:
        result = hunks_of.run(request, ticker)
    lines = view.as_lines(request, result, flags.words)
    present(view.as_document(flags.name, request, result), lines, json=json)

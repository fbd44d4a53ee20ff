"""Tasks that look at a patch queue without changing it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import MIRRORS

if TYPE_CHECKING:
    import invoke


@command(
    needs=("git",),
    iterable=["forbid"],
    help={
        "queue": "The queue: a name in patches/, or a path with a slash.",
        "onto": "Also say which `Drop-When` conditions have come true at this upstream ref.",
        "forbid": "A path pattern that no patch may touch; may be repeated.",
        "max_kb": "The largest patch file, in units of 1,024 bytes.",
        "json": "Print one JSON document (schema queue-lint.v1).",
    },
)
def lint(
    _context: invoke.Context,
    queue: str,
    *,
    forbid: list[str],
    onto: str = "",
    max_kb: int = 1024,
    json: bool = False,
) -> ExitCode:
    """Show what is wrong with a patch queue; 1 when there are errors."""
    from tensorflow_macos_build.patchqueue.queue.locate import queue_folder
    from tensorflow_macos_build.patchqueue.review import queue_lint
    from tensorflow_macos_build.patchqueue.review.lint import LintLimits
    from tensorflow_macos_build.views import review as view

    limits = LintLimits(size=max_kb * 1024, forbidden=tuple(forbid))
    request = queue_lint.LintRequest(queue_folder(queue), limits, Path(MIRRORS), onto)
    with Console().progress("lint") as ticker:
        result = queue_lint.run(request, ticker)
    present(view.lint_document(result), view.lint_lines(result), json=json)
    return ExitCode.DONE if result.ok else ExitCode.FAILED


@command(
    needs=("git",),
    help={
        "old": "The queue before: a folder of patches/, a path, or REVISION:PATH of this checkout's"
        " own history, such as origin/main:patches/demo.",
        "new": "The queue after, likewise.",
        "markdown": "Write the report to this file, for a pull request.",
        "html": "Write the report to this file, as a page.",
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
    json: bool = False,
) -> None:
    """Show what became of every patch between two states of a queue (a range-diff with bodies)."""
    from tensorflow_macos_build.patchqueue.queue.locate import output
    from tensorflow_macos_build.patchqueue.review import report as reports
    from tensorflow_macos_build.views import rangediff_page
    from tensorflow_macos_build.views import review as view

    made = reports.compare(old, new)
    if markdown:
        files.write_text(output(markdown), rangediff_page.markdown(made.title, made.pairs))
    if html:
        files.write_text(output(html), rangediff_page.html(made.title, made.pairs))
    # a table for eyes; where it goes to a file or a pipe, what a pull request takes
    lines = view.report_table(made) if sys.stdout.isatty() else view.report_markdown(made)
    present(view.report_document(made), lines, json=json)

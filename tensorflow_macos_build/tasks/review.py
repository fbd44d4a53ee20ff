"""Tasks that look at a patch queue without changing it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, emit

if TYPE_CHECKING:
    import invoke


@command(
    needs=("git",),
    iterable=["forbid"],
    auto_shortflags=False,
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
    """Say what is wrong with a patch queue; 1 when there are errors."""
    from tensorflow_macos_build.views import review

    found = review.lint(queue, onto, tuple(forbid), max_kb)
    emit(review.lint_document(found)) if json else review.show_lint(found)
    return ExitCode.DONE if found.ok else ExitCode.FAILED


@command(
    needs=("git",),
    auto_shortflags=False,
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
    """Say what became of every patch between two states of a queue (a range-diff with bodies)."""
    from tensorflow_macos_build.views import review

    found = review.report(old, new)
    review.write(found, markdown, html)
    emit(review.report_document(found)) if json else review.show_report(found)

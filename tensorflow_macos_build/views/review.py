"""A queue that was linted, and two that were compared: documents, lines and tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.review.lint import CODES, LintFinding, LintSeverity
from tensorflow_macos_build.patchqueue.review.rangediff import PatchFate
from tensorflow_macos_build.views import audit, rangediff_page
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, in_style
from tensorflow_macos_build.workflow_commands import Annotation, Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.review.queue_lint import LintResult
    from tensorflow_macos_build.patchqueue.review.rangediff import PatchPair
    from tensorflow_macos_build.patchqueue.review.report import QueueReport
    from tensorflow_macos_build.views.lines import Part
    from tensorflow_macos_build.views.tables import Cells

_MANY = 10
"""Findings of one code that are all shown; of more only the first `_EXAMPLES` are."""

_EXAMPLES = 3

_STYLES = {LintSeverity.ERROR: "bold red", LintSeverity.WARNING: "yellow"}
_FATES = {
    PatchFate.SAME: "dim",
    PatchFate.CHANGED: "yellow",
    PatchFate.ADDED: "green",
    PatchFate.REMOVED: "red",
}


def lint_document(result: LintResult) -> documents.Json:
    """Return the findings as a document of the schema queue-lint.v1."""
    findings = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "file": finding.file,
            "line": finding.line,
            "message": finding.message,
        }
        for finding in result.findings
    ]
    body = {"queue": result.queue, "ok": result.ok, "findings": findings}
    return documents.document("queue-lint", 1, body)


def lint_parts(result: LintResult) -> Iterator[Part]:
    """Yield how many findings there are of each code, and a line for each as compilers do.

    Of many alike these are the first. The last line has the totals.
    """
    by_code: dict[str, list[LintFinding]] = {}
    for finding in result.findings:
        if finding.severity is not LintSeverity.ALLOWED:
            by_code.setdefault(finding.code, []).append(finding)
    if by_code:
        yield _code_table(by_code)
    for code, findings in by_code.items():
        yield from _alike(code, findings)
    yield _counts(result)
    # An imported fork lacks all trailers of all patches; one command adds them.
    if len(by_code.get("trailer-missing", ())) > 1:
        reason = ("--reason", "fork-only", "--drop-when", "never", "--owner", "NAME")
        words = checkout.command("patches.trailers", "--queue", result.typed, *reason)
        yield Line(f"hint: `{words}` gives them to all patches that lack them")


def lint_annotations(result: LintResult, folder: Path) -> Iterator[Annotation]:
    """Yield a remark on the page of a job for each finding; `folder` is the queue's."""
    levels = {LintSeverity.ERROR: Level.ERROR, LintSeverity.WARNING: Level.WARNING}
    for finding in result.findings:
        if finding.severity in levels:
            file = str(folder / finding.file)
            where = file if finding.line is None else f"{file}:{finding.line}"
            yield Annotation(finding.message, where, finding.code, levels[finding.severity])


def _code_table(by_code: Mapping[str, Sequence[LintFinding]]) -> Table:
    """Return how many findings there are of each code, and in how many files.

    Errors come first, and the most of each.
    """
    ordered = sorted(by_code.items(), key=lambda item: _order(*item))
    rows = (_code_row(code, findings) for code, findings in ordered)
    return Table.of(("findings", "files", "severity", "code", "meaning"), rows)


def _order(code: str, findings: Sequence[LintFinding]) -> tuple[bool, int, str]:
    return findings[0].severity is not LintSeverity.ERROR, -len(findings), code


def _code_row(code: str, findings: Sequence[LintFinding]) -> Cells:
    severity = findings[0].severity
    files = len({finding.file for finding in findings})
    counts = (f"{len(findings):,}", f"{files:,}")
    return in_style(_STYLES[severity], *counts, severity.value, code, CODES[code])


def _alike(code: str, findings: Sequence[LintFinding]) -> Iterator[Line]:
    """Yield the findings of one code, which have one severity."""
    severity = findings[0].severity
    shown = findings if len(findings) <= _MANY else findings[:_EXAMPLES]
    for finding in shown:
        # As compilers write it: editors and terminals lead from FILE:LINE: to the place.
        where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
        yield Line(f"{where}: {severity.value}: {finding.message} [{code}]", _STYLES[severity])
    if len(shown) < len(findings):
        files = len({finding.file for finding in findings})
        more = f"{len(findings) - len(shown):,} more in {files:,} files; --json has all"
        yield Line(f"{severity.value}: {more} [{code}]", _STYLES[severity])


def _counts(result: LintResult) -> Line:
    counts = Counter(finding.severity for finding in result.findings)
    words = [f"{counts[severity]:,} {severity.value}s" for severity in _STYLES]
    if counts[LintSeverity.ALLOWED]:
        words.append(f"{counts[LintSeverity.ALLOWED]:,} allowed")
    return Line(f"{result.queue}: {', '.join(words)}")


def report_document(report: QueueReport) -> documents.Json:
    """Return the comparison as a document of the schema queue-report.v1."""
    patches = [
        {
            "subject": pair.subject,
            "fate": pair.fate.value,
            "old": {"place": pair.old_position, "name": pair.old.name} if pair.old else None,
            "new": {"place": pair.new_position, "name": pair.new.name} if pair.new else None,
            "difference": pair.difference,
        }
        for pair in report.pairs
    ]
    body = {
        "old": report.old,
        "new": report.new,
        "patches": patches,
        "audit": audit.as_part(report.audit),
    }
    return documents.document("queue-report", 1, body)


def report_markdown(report: QueueReport) -> Iterator[str]:
    """Yield the whole report as lines of Markdown, for a pull request."""
    # The text ends its last line, behind which there is none.
    yield from rangediff_page.markdown(report.title, report.pairs).split("\n")[:-1]
    if notes := list(needs_look(report)):
        yield from ("", "### Names that upstream took away", "")
        # Indented, and so not read as Markdown (GitHub Flavored Markdown, 4.4).
        yield from (f"    {' '.join(note.split())}" for note in notes)


def needs_look(report: QueueReport) -> Iterator[str]:
    """Yield what needs a look in lines of text; none where nothing does."""
    for finding in report.audit.needs_look:
        yield from (line.text for line in audit.finding_lines(finding))


def _pair_row(pair: PatchPair) -> Cells:
    old, new = (str(position or "-") for position in (pair.old_position, pair.new_position))
    return in_style(_FATES[pair.fate], old, rangediff_page.MARKS[pair.fate], new, pair.subject)


def report_table(report: QueueReport) -> Iterator[Part]:
    """Yield the report as a table and its counts, for a terminal."""
    yield Table.of(("old", "", "new", "patch"), map(_pair_row, report.pairs), report.title)
    yield Line(rangediff_page.summary(report.pairs))
    for finding in report.audit.needs_look:
        yield from audit.finding_lines(finding)

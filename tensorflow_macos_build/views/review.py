"""How a queue is linted and compared, and how that is shown: lines, tables, documents, files."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import checkout, documents, files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.patchqueue.queue import opening
from tensorflow_macos_build.patchqueue.queue.conditions import UpstreamRevision
from tensorflow_macos_build.patchqueue.queue.locate import name_of, output, queue_folder
from tensorflow_macos_build.patchqueue.review import lint as queue_lint
from tensorflow_macos_build.patchqueue.review import rangediff, snapshot
from tensorflow_macos_build.patchqueue.review.lint import LintFinding, LintLimits, LintSeverity
from tensorflow_macos_build.patchqueue.review.rangediff import PatchFate
from tensorflow_macos_build.tasks.command import print_lines
from tensorflow_macos_build.tasks.folders import MIRRORS
from tensorflow_macos_build.views import rangediff_page

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized

    from tensorflow_macos_build.patchqueue.review.rangediff import PatchPair

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


@dataclass(frozen=True)
class Linted:
    """A queue's name, the name that a command line takes, and its findings."""

    queue: str
    typed: str
    findings: tuple[LintFinding, ...]

    @property
    def ok(self) -> bool:
        """Whether no finding is an error."""
        return all(finding.severity is not LintSeverity.ERROR for finding in self.findings)


@dataclass(frozen=True)
class Compared:
    """Two queues' names and what became of their patches."""

    old: str
    new: str
    pairs: tuple[PatchPair, ...]

    @property
    def title(self) -> str:
        """The report's heading."""
        return f"{self.old} → {self.new}"


def lint(queue: str, onto: str, forbidden: tuple[str, ...], max_kb: int) -> Linted:
    """Lint a queue; with `onto`, decide its conditions at that ref of its upstream."""
    folder = queue_folder(queue)
    upstream = _revision(folder, onto) if onto else None
    limits = LintLimits(size=max_kb * 1024, forbidden=forbidden)
    return Linted(folder.name, name_of(folder), queue_lint.lint(folder, limits, upstream))


def lint_document(found: Linted) -> documents.Json:
    """Return the findings as a document of schema queue-lint.v1."""
    findings = [
        {
            "code": finding.code,
            "severity": finding.severity.value,
            "file": finding.file,
            "line": finding.line,
            "message": finding.message,
        }
        for finding in found.findings
    ]
    body = {"queue": found.queue, "ok": found.ok, "findings": findings}
    return documents.document("queue-lint", 1, body)


def show_lint(found: Linted) -> None:
    """Print a line for each finding, as compilers do, and the counts; of many alike the first."""
    console = Console(stderr=False)
    by_code: dict[str, list[LintFinding]] = {}
    for finding in found.findings:
        if finding.severity is not LintSeverity.ALLOWED:
            by_code.setdefault(finding.code, []).append(finding)
    for code, findings in by_code.items():
        shown = findings if len(findings) <= _MANY else findings[:_EXAMPLES]
        style = _STYLES[findings[0].severity]
        for finding in shown:
            where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
            console.line(f"{where}: {finding.severity.value}: {finding.message} [{code}]", style)
        if len(shown) < len(findings):
            files = len({finding.file for finding in findings})
            more = f"{len(findings) - len(shown):,} more in {files:,} files; --json has all"
            console.line(f"{findings[0].severity.value}: {more} [{code}]", style)
    _show_counts(console, found, by_code)


def _show_counts(console: Console, found: Linted, by_code: Mapping[str, Sized]) -> None:
    counts = Counter(finding.severity for finding in found.findings)
    said = [f"{counts[severity]:,} {severity.value}s" for severity in _STYLES]
    if counts[LintSeverity.ALLOWED]:
        said.append(f"{counts[LintSeverity.ALLOWED]:,} allowed by {queue_lint.ALLOWED_FILE}")
    console.line(f"{found.queue}: {', '.join(said)}")
    if len(by_code.get("trailer-missing", ())) > 1:
        reason = ("--reason", "fork-only", "--drop-when", "never", "--owner", "NAME")
        words = ("patches.annotate", "--queue", found.typed, *reason)
        console.line(f"hint: `{checkout.command(*words)}` gives them to all patches that lack them")


def report(old: str, new: str) -> Compared:
    """Compare two queues."""
    pairs = rangediff.compare(snapshot.entries(old), snapshot.entries(new))
    return Compared(old, new, pairs)


def report_document(found: Compared) -> documents.Json:
    """Return the comparison as a document of schema queue-report.v1."""
    patches = [
        {
            "subject": pair.subject,
            "fate": pair.fate.value,
            "old": {"place": pair.old_place, "name": pair.old.name} if pair.old else None,
            "new": {"place": pair.new_place, "name": pair.new.name} if pair.new else None,
            "difference": pair.difference,
        }
        for pair in found.pairs
    ]
    body = {"old": found.old, "new": found.new, "patches": patches}
    return documents.document("queue-report", 1, body)


def write(found: Compared, markdown: str, html: str) -> None:
    """Write the report's files that were asked for."""
    if markdown:
        files.write_text(output(markdown), rangediff_page.markdown(found.title, found.pairs))
    if html:
        files.write_text(output(html), rangediff_page.html(found.title, found.pairs))


def show_report(found: Compared) -> None:
    """Print a table on a terminal, and elsewhere the whole report, as Markdown."""
    if not sys.stdout.isatty():
        print_lines(rangediff_page.markdown(found.title, found.pairs).split("\n")[:-1])
        return
    table = Table(title=found.title, box=None, header_style="bold")
    for heading in ("old", "", "new", "patch"):
        table.add_column(heading, justify="left" if heading == "patch" else "right")
    for pair in found.pairs:
        places = (str(place or "-") for place in (pair.old_place, pair.new_place))
        old, new = places
        mark = rangediff_page.MARKS[pair.fate]
        table.add_row(old, mark, new, pair.subject, style=_FATES[pair.fate])
    console = Console(stderr=False)
    console.table(table)
    console.line(rangediff_page.summary(found.pairs))


def _revision(folder: Path, ref: str) -> UpstreamRevision:
    with Console().progress("upstream") as ticker:
        opened = opening.open(folder, Path(MIRRORS), ticker)
        return UpstreamRevision(opened.mirror, opened.mirror.resolve(ref, ticker))

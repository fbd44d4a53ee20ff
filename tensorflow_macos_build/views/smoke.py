"""A smoke test as a document, and as a table for people."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.report.page import evidence_lines
from tensorflow_macos_build.smoke import CheckOutcome
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell
from tensorflow_macos_build.workflow_commands import Annotation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.smoke import SmokeCheck, SmokeReport
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    CheckOutcome.PASSED: "green",
    CheckOutcome.KNOWN_LIMIT: "yellow",
    CheckOutcome.NOT_APPLICABLE: "",
    CheckOutcome.NOT_RUN: "yellow",
}
"""Of outcomes that are no failure; those are red."""

_VERDICTS = {
    "passed": Line("passed", "bold green"),
    "failed": Line("failed", "bold red"),
    "nothing_ran": Line("nothing could be tried here, and that is no pass", "bold yellow"),
}

_LONGEST_EVIDENCE = 8
"""Lines of evidence in the table; the document has all of it."""


def as_document(result: SmokeReport) -> documents.Json:
    """Return a smoke test's result as a document of the schema smoke.v2."""
    body = {
        "subject": result.subject,
        "sha256": result.sha256,
        "device": result.device,
        "reference": result.reference,
        "check_set": result.check_set,
        "virtual": result.virtual,
        "verdict": result.verdict,
        "lifted_limits": [
            {"target": check.target, "check": check.name, "limit": check.limit}
            for check in result.lifted_limits
        ],
        "checks": [_check(check) for check in result.checks],
    }
    return documents.document("smoke", 2, body)


def _check(check: SmokeCheck) -> documents.Json:
    return {
        "target": check.target,
        "name": check.name,
        "group": check.group,
        "issue": check.issue,
        "outcome": check.outcome.value,
        "why": check.why,
        "limit": check.limit,
        "seconds": None if check.seconds is None else round(check.seconds, 3),
        "max_rss_mb": check.max_rss_mb,
        "evidence": check.evidence,
        "log_tail": check.log_tail,
    }


def as_parts(result: SmokeReport) -> list[Part]:
    """Return a smoke test's result for people: a row a check, then the verdict."""
    counts = Counter(check.outcome.value.replace("_", " ") for check in result.checks)
    numbers = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    verdict = _VERDICTS[result.verdict]
    lines: list[Part] = [as_table(result), Line(f"{verdict.text}: {numbers}", verdict.style)]
    lines += [
        Line(f"{check.target} {check.name} passes, and is declared to fail: {check.limit}", "cyan")
        for check in result.lifted_limits
    ]
    if result.virtual:
        lines.append(Line("on a virtual GPU: float32 only, and no times", "yellow"))
    return lines


def failures(result: SmokeReport) -> Iterator[Annotation]:
    """Yield a remark on the page of a job for each check that failed."""
    for check in result.checks:
        if check.outcome.is_failure:
            title = f"smoke test: {check.target} {check.name} on {result.device}"
            yield Annotation(check.why or check.outcome.value, title=title)


def as_table(result: SmokeReport) -> Table:
    """Return a smoke test's result as a table with a row a check."""
    on = f"{result.subject} on {result.device}"
    titles = ("as", "check", "outcome", "s", "seen")
    title = f"{on} (virtual GPU)" if result.virtual else on
    return Table.of(titles, map(_row, result.checks), title)


def _row(check: SmokeCheck) -> tuple[str | TableCell, ...]:
    outcome = TableCell(check.outcome.value.replace("_", " "), _STYLES.get(check.outcome, "red"))
    seconds = "" if check.seconds is None else f"{check.seconds:.1f}"
    return (check.target, check.name, outcome, seconds, _seen(check))


def _seen(check: SmokeCheck) -> str:
    """Return why a check failed, and what it saw: versions, devices, losses."""
    lines = evidence_lines(check.evidence)
    more = [f"and {len(lines) - _LONGEST_EVIDENCE} more lines (--json)"]
    shown = lines if len(lines) <= _LONGEST_EVIDENCE else lines[:_LONGEST_EVIDENCE] + more
    declared = f"declared: {check.limit}" if check.limit else ""
    return "\n".join([*filter(None, [check.why, declared]), *shown])

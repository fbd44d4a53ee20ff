"""A sweep of a device's kernels as a document, for people, and as a table in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke.sweep import SweepOutcome
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.smoke.sweep import OpSummary, SweepReport, SweepResult
    from tensorflow_macos_build.views.lines import Part

_ROWS = 60
"""Ops that the table for people shows; the document has all."""


def as_document(report: SweepReport) -> documents.Json:
    """Return a sweep as a document of the schema smoke-sweep.v1."""
    body = {
        "subject": report.subject,
        "target": report.target,
        "tensorflow": report.tensorflow,
        "device": report.device,
        "reference": report.reference,
        "passed": report.passed,
        "ended": report.ended,
        "seconds": round(report.seconds, 1),
        "counts": {outcome.value: report.counts[outcome] for outcome in SweepOutcome},
        "excluded": {
            reason.name.lower(): {"count": count, "why": reason.value}
            for reason, count in sorted(report.exclusions.items(), key=lambda r: r[0].name)
        },
        "ops": {"called": len(report.called_ops), "planned": len(report.ops())},
        "registrations": [
            {"op": fault.op, "kind": fault.kind, "why": fault.why} for fault in report.faults
        ],
        "excluded_ops": [
            {"op": e.op, "reason": e.reason.name.lower(), "count": e.count} for e in report.excluded
        ],
        "results": [_result(result) for result in report.results],
    }
    return documents.document("smoke-sweep", 1, body)


def _result(result: SweepResult) -> documents.Json:
    return {
        "op": result.case.op,
        "types": dict(result.case.types),
        "outcome": result.outcome.value,
        "why": result.why,
        "law": result.law,
        # JSON has no infinity: NaN where there should be a number has no size.
        "error": None if result.error is None else min(result.error, 1e300),
        "limit": result.limit,
    }


def as_parts(report: SweepReport) -> list[Part]:
    """Return a sweep for people: the ops that are not equal, wrong registrations, the counts."""
    unequal = [op for op in report.ops() if set(op.outcomes) != {SweepOutcome.EQUAL}]
    parts: list[Part] = [_table(unequal)] if unequal else []
    parts += [
        Line(f"{f.op}: {f.kind} registration: {f.why}", "yellow") for f in report.faults[:_ROWS]
    ]
    if len(report.faults) > _ROWS:
        parts.append(Line(f"{len(report.faults) - _ROWS} more wrong registrations", "yellow"))
    reasons = ", ".join(f"{count} {why.name.lower()}" for why, count in report.exclusions.items())
    if reasons:
        parts.append(Line(f"excluded, by reason: {reasons}"))
    if report.ended:
        parts.append(Line(f"the sweep ended early: {report.ended}", "bold red"))
    return [*parts, *_verdict(report)]


def _verdict(report: SweepReport) -> list[Line]:
    counts = ", ".join(f"{report.counts[outcome]} {outcome.value}" for outcome in SweepOutcome)
    called = f"{len(report.called_ops)} ops called on {report.device} and {report.reference}"
    word = "passed" if report.passed else "failed"
    lines = [
        Line(f"{word}: {counts}; {called}, TensorFlow {report.tensorflow}", _style(report)),
    ]
    unknown = report.counts[SweepOutcome.UNACCOUNTED]
    if unknown:
        lines.append(Line(f"of {unknown} kernels nothing is known: they are unaccounted", "yellow"))
    return lines


def _style(report: SweepReport) -> str:
    return "bold green" if report.passed else "bold red"


def _table(ops: list[OpSummary]) -> Table:
    worst_first = sorted(ops, key=lambda op: (not _has_failed(op), op.op))
    rows = (
        (
            op.op,
            TableCell(_counts(op), "red" if _has_failed(op) else "yellow"),
            error_text(op.error),
            op.why,
        )
        for op in worst_first[:_ROWS]
    )
    titles = ("op", "outcomes", "error (units of epsilon)", "seen")
    return Table.of(titles, rows, f"{len(ops)} ops are not equal throughout")


def _has_failed(op: OpSummary) -> bool:
    return any(outcome.failed for outcome in op.outcomes)


def as_markdown(report: SweepReport) -> str:
    """Return the table of errors by op, the largest first, as Markdown."""
    rows = [
        f"| {op.op} | {_counts(op)} | {error_text(op.error)} | {op.limit:g} |"
        for op in by_error(report.ops())
    ]
    head = ["| op | outcomes | error (units of epsilon) | limit |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows]) + "\n"


def by_error(ops: Iterable[OpSummary]) -> list[OpSummary]:
    """Return ops by their errors, the largest first; those without one last."""
    return sorted(ops, key=lambda op: (-(-1.0 if op.error is None else op.error), op.op))


def error_text(error: float | None) -> str:
    """Return an error as people read it."""
    return "" if error is None else f"{error:.3g}"


def _counts(op: OpSummary) -> str:
    return ", ".join(
        f"{count} {outcome.value}"
        for outcome, count in sorted(op.outcomes.items(), key=lambda item: item[0].value)
    )

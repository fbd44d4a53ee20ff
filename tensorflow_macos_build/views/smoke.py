"""A smoke test as a document, and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents
from tensorflow_macos_build.report.page import evidence_lines
from tensorflow_macos_build.smoke import CheckOutcome

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke import SmokeCheck, SmokeReport

_STYLES = {CheckOutcome.PASSED: "green", CheckOutcome.FAILED: "red", CheckOutcome.NOT_RUN: "yellow"}


def as_document(result: SmokeReport) -> documents.Json:
    """Return a smoke test's result as a document of the schema smoke.v1."""
    checks = [
        {
            # The field's name is smoke.v1's, which scripts read.
            "leg": check.target,
            "name": check.name,
            "outcome": check.outcome.value,
            "why": check.why,
            "evidence": check.evidence,
        }
        for check in result.checks
    ]
    return documents.document("smoke", 1, {"wheel": result.wheel.name, "checks": checks})


def as_table(result: SmokeReport) -> Table:
    """Return a smoke test's result as a table with a row a check."""
    table = Table(title=result.wheel.name, title_justify="left")
    for column in ("as", "check", "outcome", "seen"):
        table.add_column(column, overflow="fold")
    for check in result.checks:
        outcome = check.outcome.value.replace("_", " ")
        style = _STYLES[check.outcome]
        table.add_row(check.target, check.name, Text(outcome, style), _evidence(check))
    return table


def _evidence(check: SmokeCheck) -> str:
    """Return why a check failed, and what it saw: versions, devices, losses."""
    return "\n".join([*filter(None, [check.why]), *evidence_lines(check.evidence)])

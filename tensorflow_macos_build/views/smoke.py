"""A smoke test as a document, and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke import Outcome

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke import Check, Smoke

_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.NOT_RUN: "yellow"}


def as_document(result: Smoke) -> documents.Json:
    """Return a smoke test's result as a document of the schema smoke.v1."""
    checks = [
        {
            "leg": check.leg,
            "name": check.name,
            "outcome": check.outcome.value,
            "why": check.why,
            "evidence": check.evidence,
        }
        for check in result.checks
    ]
    return documents.document("smoke", 1, {"wheel": result.wheel.name, "checks": checks})


def as_table(result: Smoke) -> Table:
    """Return a smoke test's result as a table with a row a check."""
    table = Table(title=result.wheel.name, title_justify="left")
    for column in ("as", "check", "outcome", "seen"):
        table.add_column(column, overflow="fold")
    for check in result.checks:
        outcome = check.outcome.value.replace("_", " ")
        style = _STYLES[check.outcome]
        table.add_row(check.leg, check.name, Text(outcome, style), _evidence(check))
    return table


def _evidence(check: Check) -> str:
    """Return why a check failed, and what it saw: versions, devices, losses."""
    lines = [check.why] if check.why else []
    for name, value in check.evidence.items():
        if isinstance(value, dict):
            lines += [f"{key}: {detail}" for key, detail in value.items()]
        elif isinstance(value, list):
            lines.append(f"{name}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{name}: {value}")
    return "\n".join(lines)

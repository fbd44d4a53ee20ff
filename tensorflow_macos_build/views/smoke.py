"""How a smoke test is shown: a table for people, a document for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents
from tensorflow_macos_build.smoke import Outcome

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke import Check, Smoke

_STYLES = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.NOT_RUN: "yellow"}


def as_document(seen: Smoke) -> documents.Json:
    """Return what was seen as a document of schema `smoke`."""
    checks = [
        {
            "leg": check.leg,
            "name": check.name,
            "outcome": check.outcome.value,
            "why": check.why,
            "evidence": check.evidence,
        }
        for check in seen.checks
    ]
    return documents.document("smoke", 1, {"wheel": seen.wheel.name, "checks": checks})


def as_table(seen: Smoke) -> Table:
    """Return a table with a row a check."""
    table = Table(title=seen.wheel.name, title_justify="left")
    for column in ("as", "check", "outcome", "seen"):
        table.add_column(column, overflow="fold")
    for check in seen.checks:
        outcome = check.outcome.value.replace("_", " ")
        style = _STYLES[check.outcome]
        table.add_row(check.leg, check.name, Text(outcome, style), _seen(check))
    return table


def _seen(check: Check) -> str:
    shown = [check.why] if check.why else []
    for name, value in check.evidence.items():
        if isinstance(value, dict):
            shown += [f"{inner}: {found}" for inner, found in value.items()]
        elif isinstance(value, list):
            shown.append(f"{name}: {', '.join(map(str, value))}")
        else:
            shown.append(f"{name}: {value}")
    return "\n".join(shown)

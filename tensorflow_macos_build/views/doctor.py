"""The findings of the doctor as a document, and as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents
from tensorflow_macos_build.pipeline.doctor import Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.pipeline.doctor import Finding


def as_document(name: str, findings: Sequence[Finding]) -> documents.Json:
    """Return the findings about a build of the config `name` as a document of doctor.v1."""
    listed = [
        {
            "what": finding.what,
            "verdict": finding.verdict.value,
            "needed": finding.needed,
            "found": finding.found,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]
    ok = not any(finding.stops_the_build for finding in findings)
    return documents.document("doctor", 1, {"config": name, "ok": ok, "findings": listed})


def as_table(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table, with what to do about those that stop the build."""
    table = Table("what", "verdict", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        verdict = Text(finding.verdict.value, style=_style(finding))
        remedy = finding.remedy if finding.verdict is not Verdict.FOUND else ""
        table.add_row(finding.what, verdict, finding.found, remedy)
    return table


def _style(finding: Finding) -> str:
    if finding.verdict is Verdict.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

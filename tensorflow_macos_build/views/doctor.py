"""How the findings of the doctor are shown: a table for people, or a document."""

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
    """Return the findings about a build of the config `name`."""
    listed = [
        {
            "what": each.what,
            "verdict": each.verdict.value,
            "needed": each.needed,
            "found": each.found,
            "remedy": each.remedy,
        }
        for each in findings
    ]
    ok = not any(each.stops_the_build for each in findings)
    return documents.document("doctor", 1, {"config": name, "ok": ok, "findings": listed})


def as_table(findings: Sequence[Finding]) -> Table:
    """Return the findings as a table, with what to do about those that stop the build."""
    table = Table("what", "verdict", "found", "what to do", box=None, pad_edge=False)
    for each in findings:
        verdict = Text(each.verdict.value, style=_style(each))
        remedy = each.remedy if each.verdict is not Verdict.FOUND else ""
        table.add_row(each.what, verdict, each.found, remedy)
    return table


def _style(finding: Finding) -> str:
    if finding.verdict is Verdict.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

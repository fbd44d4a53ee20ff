"""How the findings of the doctor are shown: a table for people, or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from tensorflow_macos_build import documents
from tensorflow_macos_build.pipeline.doctor import Availability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.pipeline.doctor import HostFinding


def as_document(name: str, findings: Sequence[HostFinding]) -> documents.Json:
    """Return the findings about a build of the config `name` as a document of doctor.v1."""
    listed = [
        {
            "what": finding.what,
            "verdict": finding.availability.value,
            "needed": finding.needed,
            # The field's name is doctor.v1's, whatever the code calls the value: scripts read it.
            "found": finding.value,
            "remedy": finding.remedy,
        }
        for finding in findings
    ]
    ok = not any(finding.stops_the_build for finding in findings)
    return documents.document("doctor", 1, {"config": name, "ok": ok, "findings": listed})


def as_table(findings: Sequence[HostFinding]) -> Table:
    """Return the findings as a table, with what to do about those that stop the build."""
    table = Table("what", "verdict", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        availability = Text(finding.availability.value, style=_style(finding))
        remedy = finding.remedy if finding.availability is not Availability.FOUND else ""
        table.add_row(finding.what, availability, finding.value, remedy)
    return table


def _style(finding: HostFinding) -> str:
    if finding.availability is Availability.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

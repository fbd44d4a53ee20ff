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
            "code": finding.code,
            "what": finding.what,
            "verdict": finding.availability.value,
            "needed": finding.needed,
            # The field's name is doctor.v1's, whatever the code calls the value: scripts read it.
            "found": finding.value,
            "remedy": finding.remedy,
            "known_from": finding.known_from,
            "ignored": finding.ignored,
        }
        for finding in findings
    ]
    ok = not any(finding.stops_the_build for finding in findings)
    return documents.document("doctor", 1, {"config": name, "ok": ok, "findings": listed})


def as_table(findings: Sequence[HostFinding]) -> Table:
    """Return the findings as a table, with what to do about those that stop the build."""
    table = Table("code", "what", "verdict", "found", "what to do", box=None, pad_edge=False)
    for finding in findings:
        availability = Text(_verdict(finding), style=_style(finding))
        table.add_row(finding.code, finding.what, availability, finding.value, _advice(finding))
    return table


def as_lines(findings: Sequence[HostFinding]) -> list[str]:
    """Return a line for each finding that stops a build, was ignored, or was not looked at."""
    return [
        _line(finding)
        for finding in findings
        if finding.needed and finding.availability is not Availability.FOUND
    ]


def _line(finding: HostFinding) -> str:
    head = f"{finding.code} {_verdict(finding)}: {finding.what}"
    return "; ".join(filter(None, [head, finding.value, _advice(finding)]))


def _verdict(finding: HostFinding) -> str:
    return finding.availability.value + (", ignored" if finding.ignored else "")


def _advice(finding: HostFinding) -> str:
    """Return what to do about a finding, and where it is known from."""
    if finding.availability is Availability.FOUND:
        return ""
    known_from = f"({finding.known_from})" if finding.known_from else ""
    return " ".join(filter(None, [finding.remedy, known_from]))


def _style(finding: HostFinding) -> str:
    if finding.availability is Availability.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

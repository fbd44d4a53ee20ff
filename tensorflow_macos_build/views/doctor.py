"""How the findings of the doctor are shown: a table for people, or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.pipeline.doctor import HostFinding


def as_document(name: str, findings: Sequence[HostFinding]) -> documents.Json:
    """Return the findings about a build of the config `name` as a document of doctor.v1."""
    ok = not any(finding.stops_the_build for finding in findings)
    return documents.document("doctor", 1, {"config": name, "ok": ok, "findings": rows(findings)})


def rows(findings: Sequence[HostFinding]) -> list[documents.Json]:
    """Return the findings as they stand in documents."""
    return [
        {
            "code": finding.code,
            "what": finding.what,
            "verdict": finding.availability.value,
            "needed": finding.needed,
            "found": finding.value,
            "remedy": finding.remedy,
            "known_from": finding.known_from,
            "ignored": finding.ignored,
        }
        for finding in findings
    ]


def as_table(findings: Sequence[HostFinding]) -> Table:
    """Return the findings as a table, with what to do about those that stop the build."""
    titles = ("code", "what", "verdict", "found", "what to do")
    rows = (
        (
            finding.code,
            finding.what,
            TableCell(finding.verdict, _style(finding)),
            finding.value,
            finding.advice,
        )
        for finding in findings
    )
    return Table.of(titles, rows)


def as_lines(findings: Sequence[HostFinding]) -> list[str]:
    """Return a line for each finding that stops a build, was ignored, or was not looked at."""
    return [
        finding.sentence
        for finding in findings
        if finding.needed and finding.availability is not Availability.FOUND
    ]


def _style(finding: HostFinding) -> str:
    if finding.availability is Availability.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

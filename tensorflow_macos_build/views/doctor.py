"""How findings about a machine are shown beside a build: in its documents, or a line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.doctor import Availability

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build import documents
    from tensorflow_macos_build.pipeline.doctor import HostFinding


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


def as_lines(findings: Sequence[HostFinding]) -> list[str]:
    """Return a line for each finding that stops a build, was ignored, or was not looked at."""
    return [
        finding.sentence
        for finding in findings
        if finding.needed and finding.availability is not Availability.FOUND
    ]

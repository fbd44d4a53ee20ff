"""How it is shown what groups of tasks need: a table for people, or a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.pipeline import group_needs
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.views import doctor
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.group_needs import GroupFindings
    from tensorflow_macos_build.views.lines import Part


def as_document(name: str, groups: Sequence[GroupFindings], asked: GroupFindings) -> documents.Json:
    """Return what groups of tasks need as a document of doctor.v2.

    Args:
        name: the config.
        groups: the groups that were looked at.
        asked: the one that the exit code is about.
    """
    listed = [
        {
            "group": group.group,
            "ok": not group.missing,
            "install": group.line,
            "findings": doctor.rows(group.findings),
        }
        for group in groups
    ]
    return documents.document(
        "doctor", 2, {"config": name, "ok": not asked.missing, "groups": listed}
    )


def as_lines(name: str, groups: Sequence[GroupFindings]) -> Iterator[Part]:
    """Yield a table of all findings, and for each group a line: ready, or what it lacks.

    Args:
        name: the config.
        groups: the groups that were looked at.
    """
    yield _table(groups)
    for group in groups:
        title = f"build of {name}" if group.group == group_needs.BUILD else group.group
        if not group.missing:
            yield Line(f"{title}: nothing is missing", "green")
            continue
        lacks = ", ".join(dict.fromkeys(finding.what for finding in group.missing))
        todo = f"; type: {group.line}" if group.line else ""
        yield Line(f"{title}: not as needed: {lacks}{todo}", "bold red")


def _table(groups: Sequence[GroupFindings]) -> Table:
    """Return all findings as a table: what is the same for several groups in one row."""
    merged: dict[tuple[str | TableCell, ...], list[str]] = {}
    for group in groups:
        for finding in group.findings:
            names = merged.setdefault(_cells(finding), [])
            names += [group.group] if group.group not in names else []
    titles = ("code", "what", "verdict", "found", "for", "what to do")
    return Table.of(
        titles, ((*cells, ", ".join(of), todo) for (*cells, todo), of in merged.items())
    )


def _cells(finding: HostFinding) -> tuple[str | TableCell, ...]:
    verdict = TableCell(finding.verdict, _style(finding))
    return (finding.code, finding.what, verdict, finding.value, finding.advice)


def _style(finding: HostFinding) -> str:
    if finding.availability is Availability.FOUND:
        return "green"
    return "bold red" if finding.stops_the_build else "dim"

"""A release that was prepared, published or checked: documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.release import model
from tensorflow_macos_build.release.model import GateOutcome
from tensorflow_macos_build.report.page import size
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.pipeline.releasing.prepare import Preparation
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    GateOutcome.PASSED: "green",
    GateOutcome.FAILED: "bold red",
    GateOutcome.WAIVED: "yellow",
}


def prepared_document(prepared: Preparation) -> documents.Json:
    """Return a prepared release as a document of the schema release.v1, gates that failed too."""
    return model.as_document(prepared.manifest)


def prepared_parts(prepared: Preparation, *, planned: bool = False) -> Iterator[Part]:
    """Yield the gates and files of a release, where it is, and what comes next."""
    for gate in prepared.manifest.gates:
        remedy = f"; {gate.remedy}" if gate.outcome is GateOutcome.FAILED else ""
        text = f"{gate.outcome.value:7} {gate.name}: {gate.why}{remedy}"
        yield Line(text, _STYLES[gate.outcome])
    table = Table("file", "what", "size", box=None, pad_edge=False)
    for file in prepared.manifest.files:
        table.add_row(file.name, file.kind.value, size(file.size))
    yield table
    folder = checkout.shown(prepared.folder)
    yield f"{folder} would be written" if planned else str(folder)
    if not planned:
        yield Line(f"next: {checkout.command('release.publish', folder, '--plan')}")

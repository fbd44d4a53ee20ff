"""A release that was prepared, published or checked: documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline.releasing.check import CheckState
from tensorflow_macos_build.release import model
from tensorflow_macos_build.release.model import GateOutcome
from tensorflow_macos_build.release.publishing import plan
from tensorflow_macos_build.report.amounts import size
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.pipeline.releasing.check import CheckedRelease
    from tensorflow_macos_build.pipeline.releasing.prepare import Preparation
    from tensorflow_macos_build.release.publishing.destinations import PublishPlan
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    GateOutcome.PASSED: "green",
    GateOutcome.FAILED: "bold red",
    GateOutcome.WAIVED: "yellow",
}

_STATES = {
    CheckState.HOLDS: "green",
    CheckState.BROKEN: "bold red",
    CheckState.UNKNOWN: "yellow",
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
    yield Table.of(
        ("file", "what", "size"),
        ((file.name, file.kind.value, size(file.size)) for file in prepared.manifest.files),
    )
    folder = checkout.shown(prepared.folder)
    yield f"{folder} would be written" if planned else str(folder)
    if not planned:
        yield Line(f"next: {checkout.command('release.publish', folder, '--plan')}")


def publish_document(planned: PublishPlan) -> documents.Json:
    """Return what would be, or is, published as a document of the schema release-publish.v1."""
    body = {
        "tag": planned.release.manifest.tag,
        "to": planned.to,
        "published": not planned.actions,
        "url": planned.url,
        "notes": list(planned.notes),
        "actions": [_action(action) for action in planned.actions],
        "files": [
            {"name": file.name, "size": file.size, "sha256": file.sha256}
            for file in planned.release.files
        ],
    }
    return documents.document("release-publish", 1, body)


def publish_parts(planned: PublishPlan) -> Iterator[Part]:
    """Yield what would be done in order, or that it is published."""
    for action in map(_action, planned.actions):
        yield Line(" ".join(filter(None, [action["what"], action["file"], action["why"]])))
    for note in planned.notes:
        yield Line(f"note: {note}", "yellow")
    count = len(planned.release.files)
    total = size(sum(file.size for file in planned.release.files))
    state = "would be published" if planned.actions else "published"
    yield Line(f"{planned.release.manifest.tag}: {count} files, {total}, {state}: {planned.to}")
    if planned.url:
        yield planned.url


def _action(action: plan.Action) -> dict[str, str]:
    match action:
        case plan.CreateDraft():
            return {"what": "make a draft", "file": "", "why": ""}
        case plan.DescribeDraft():
            return {"what": "write its notes anew", "file": "", "why": ""}
        case plan.DeleteDraft():
            return {"what": "delete a draft", "file": "", "why": "there is another"}
        case plan.DeleteFile(_, file, why):
            return {"what": "delete", "file": file.name, "why": why}
        case plan.Upload(_, new):
            return {"what": "upload", "file": new.name, "why": ""}
        case plan.Publish():
            return {"what": "publish", "file": "", "why": "when all files are read back"}
        case _:
            assert_never(action)


def checked_document(checked: CheckedRelease) -> documents.Json:
    """Return a release that was looked at as a document of the schema release-check.v1."""
    body = {
        "folder": str(checked.folder),
        "tag": checked.manifest.tag if checked.manifest else None,
        "ok": checked.ok,
        "checks": [
            {
                "name": check.name,
                "state": check.state.value,
                "file": check.file,
                "words": check.words,
            }
            for check in checked.checks
        ],
    }
    return documents.document("release-check", 1, body)


def checked_parts(checked: CheckedRelease) -> Iterator[Part]:
    """Yield what was looked at, a line each, and the verdict."""
    for check in checked.checks:
        text = f"{check.state.value:7} {check.name}: {check.file}: {check.words}"
        yield Line(text, _STATES[check.state])
    faults = sum(check.state is CheckState.BROKEN for check in checked.checks)
    tag = checked.manifest.tag if checked.manifest else str(checked.folder)
    yield Line(f"{tag}: {f'{faults} faults' if faults else 'nothing is wrong with it'}")

"""A queue that was imported or exported: documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import documents
from tensorflow_macos_build.views import saved as saved_view
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.patchqueue.exchange.exporting import Exported
    from tensorflow_macos_build.patchqueue.exchange.sources import Imported
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase
    from tensorflow_macos_build.patchqueue.queue.storage import Saved


def imported_document(imported: Imported, saved: Saved) -> documents.Json:
    """Return an import as a document of the schema patches-import.v1."""
    body = {
        "queue": str(saved.queue.folder),
        "base": _base(saved.queue.base),
        "patches": [
            {"name": patch.name, "subject": patch.patch.header.subject}
            for patch in saved.queue.patches
        ],
        **saved_view.files(saved),
        "empty": [{"name": name, "subject": subject} for name, subject in imported.empty],
        "merges": [{"name": name, "subject": subject} for name, subject in imported.merges],
        "upstream_merges": [
            {"name": name, "subject": subject} for name, subject in imported.upstream_merges
        ],
        "conflicted": [{"name": name, "subject": subject} for name, subject in imported.conflicted],
        "notes": list(imported.notes),
        # What a fork compares with its own: the id that `git rev-parse COMMIT^{tree}` prints.
        "tree": imported.steps[-1].after,
    }
    return documents.document("patches-import", 1, body)


def imported_lines(imported: Imported, saved: Saved) -> Iterator[Line]:
    """Yield what an import made, and everything that became no patch of its own, by its name."""
    for name, subject in imported.empty:
        yield Line(f"left out, it changes nothing: {name}  {subject}", "yellow")
    for name, subject in imported.merges:
        yield Line(f"a merge, taken as one patch: {name[:12]}  {subject}", "yellow")
    for name, subject in imported.upstream_merges:
        yield Line(f"a merge of upstream, taken out: {name[:12]}  {subject}")
    for name, subject in imported.conflicted:
        yield Line(
            f"conflicts with the base, and has the fork's lines: {name[:12]}  {subject}", "yellow"
        )
    for note in imported.notes:
        yield Line(note, "yellow")
    base = saved.queue.base
    yield Line(
        f"{saved.queue.folder}: {len(saved.queue.patches)} patches on {base.ref} "
        f"({base.commit[:12]}), {len(saved.written)} written, {len(saved.kept)} as they were; "
        f"they make the tree {imported.steps[-1].after}"
    )


def exported_document(exported: Exported) -> documents.Json:
    """Return an export as a document of the schema patches-export.v1."""
    queue = exported.queue
    body = {
        "queue": str(queue.folder),
        "to": exported.form.value,
        "patches": len(queue.patches),
        "where": exported.where,
    }
    return documents.document("patches-export", 1, body)


def exported_lines(exported: Exported) -> Iterator[Line]:
    """Yield what an export made."""
    queue = exported.queue
    yield Line(f"{len(queue.patches)} patches of {queue.name} are in {exported.where}")


def _base(base: QueueBase) -> documents.Json:
    return {"upstream": base.upstream, "ref": base.ref, "commit": base.commit}

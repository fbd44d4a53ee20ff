"""What somebody looked at of an audit's findings: `patches/<queue>/looked-at.json`.

An entry holds for one patch (whatever its number), one name, the commit that took it away and the
line that uses it. Where one of these is another one, the finding is shown anew.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import lock, names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.audit.model import AuditFinding, AuditResult
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting

FILE = "looked-at.json"
_SCHEMA = "looked-at", 1
_LARGEST = 16 << 20


class LookedAt(NamedTuple):
    """What an entry is about; `removed_by` is the commit's id, or "" where none is known."""

    patch: str
    kind: str
    name: str
    removed_by: str
    use: str


def of(finding: AuditFinding) -> LookedAt:
    """Return what an entry about a finding holds."""
    commits = finding.removed_by
    return LookedAt(
        names.without_number(finding.patch),
        finding.used.kind.value,
        finding.used.name,
        commits[0].oid if commits else "",
        finding.use.text,
    )


def load(folder: Path) -> dict[LookedAt, str]:
    """Return the notes of a queue's entries.

    Raises:
        UsageError: the file is none such.
    """
    path = folder / FILE
    try:
        content = files.read_small(path, _LARGEST)
    except FileNotFoundError:
        return {}
    try:
        body = documents.read(content, *_SCHEMA)
    except documents.NotTheDocument as error:
        raise UsageError(
            "it does not say what was looked at",
            where=str(path),
            hint="take it as it was from the history, or delete it",
            detail=str(error),
        ) from None
    return {
        LookedAt(*(entry[key] for key in LookedAt._fields)): entry["note"]
        for entry in body["looked_at"]
    }


def with_notes(result: AuditResult, notes: Mapping[LookedAt, str]) -> AuditResult:
    """Return an audit whose findings say what was noted on them."""
    findings = tuple(
        replace(finding, looked_at=notes.get(of(finding))) for finding in result.findings
    )
    return replace(result, findings=findings)


def record(
    folder: Path, findings: Sequence[AuditFinding], note: str, waiting: Waiting = lock.unwatched
) -> None:
    """Note that findings were looked at.

    Args:
        folder: the queue's folder.
        findings: what was looked at.
        note: why it is well, in a sentence; may be empty.
        waiting: told of a wait for another writer of the queue.

    Raises:
        UsageError: what is there already is no such file.
    """
    with lock.sole_writer(folder, waiting) as real:
        notes = {**load(real), **{of(finding): note for finding in findings}}
        entries = [{**entry._asdict(), "note": notes[entry]} for entry in sorted(notes)]
        body = documents.document(*_SCHEMA, {"looked_at": entries})
        files.write_text(real / FILE, documents.dumps(body))

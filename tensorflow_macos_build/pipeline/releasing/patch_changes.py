"""What became of a queue's patches since the release before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.queue import storage
from tensorflow_macos_build.patchqueue.review import rangediff, snapshot
from tensorflow_macos_build.release.notes import PatchChange

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.review.rangediff import PatchPair
    from tensorflow_macos_build.pipeline.releasing.built import BuiltRelease
    from tensorflow_macos_build.pipeline.workspace import Workspace


def since(workspace: Workspace, release: BuiltRelease, before: str) -> tuple[PatchChange, ...]:
    """Return the changes of a release's patches since the queue `before`; all for "".

    Raises:
        UsageError: there is no such queue or revision.
    """
    if workspace.queue is None:
        return ()
    evidence = _evidence(release)
    now = snapshot.entries(storage.load(workspace.queue))
    if not before:
        return tuple(
            PatchChange(entry.subject, "added", evidence=evidence.get(entry.name, ""))
            for entry in now
        )
    old = snapshot.entries(snapshot.queue_of(before))
    return tuple(_change(pair, evidence) for pair in rangediff.compare(old, now))


def _evidence(release: BuiltRelease) -> dict[str, str]:
    """Return of patches that upstream has, where it has them."""
    return {
        row["name"]: f"upstream has it: {row['evidence']}"
        for row in release.report["patches"]
        if row["status"].startswith("upstream")
    }


def _change(pair: PatchPair, evidence: dict[str, str]) -> PatchChange:
    lines = pair.difference.splitlines() if pair.old and pair.new else []
    body = [line for line in lines if not line.startswith(("+++ ", "--- "))]
    return PatchChange(
        subject=pair.subject,
        fate=pair.fate.value,
        added=sum(line.startswith("+") for line in body),
        removed=sum(line.startswith("-") for line in body),
        evidence=evidence.get(pair.new.name, "") if pair.new else "",
    )

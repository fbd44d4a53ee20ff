"""A patch's hunks by fate: a document, and one screen of lines to decide by."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.proof.fates import UnitFate
from tensorflow_macos_build.patchqueue.verdict import status_document
from tensorflow_macos_build.patchqueue.verdict.wording import named
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.proof.fates import FatedUnit
    from tensorflow_macos_build.patchqueue.rebase.hunks import HunksRequest, PatchHunks
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

_STYLES = {UnitFate.LANDED: "green", UnitFate.CLEAN: "", UnitFate.CONFLICTS: "red"}


def as_document(queue: str, request: HunksRequest, result: PatchHunks) -> documents.Json:
    """Return a patch's hunks as a document of the schema patch-hunks.v1."""
    body = {
        "queue": queue,
        "patch": result.status.name,
        "status": result.status.status.value,
        "onto": {"ref": request.onto, "commit": result.onto},
        "hunks": [
            {
                "number": item.unit.number,
                "path": item.unit.file.path,
                "line": item.unit.line,
                "whole_file": item.unit.hunk is None,
                "added": _count(item, b"+"),
                "removed": _count(item, b"-"),
                "fate": item.fate.value,
                "landed_in": [status_document.commit_part(commit) for commit in item.landed_in],
                "culprits": [status_document.commit_part(c) for c in _blamed(result, item)],
            }
            for item in result.units
        ],
    }
    return documents.document("patch-hunks", 1, body)


def as_lines(request: HunksRequest, result: PatchHunks, flags: Sequence[str]) -> Iterator[Line]:
    """Yield a line for each hunk, and what can be typed.

    Args:
        request: what was asked for.
        result: the hunks.
        flags: how a command line names the queue and what belongs to it.
    """
    name, status = result.status.name, result.status.status.value
    counts = Counter(item.fate for item in result.units)
    words = ", ".join(f"{counts[fate]} {fate.value}" for fate in UnitFate)
    yield Line(f"{name} on {request.onto}: {status}; {len(result.units)} hunks: {words}", "bold")
    for item in result.units:
        unit, where = item.unit, f"{item.unit.file.path}:{item.unit.line}"
        size = f"+{_count(item, b'+')} -{_count(item, b'-')}"
        line = f"{unit.number:>4}  {item.fate.value:<9}  {where}  {size}"
        yield Line(line, _STYLES[item.fate])
        for commit in item.landed_in:
            yield Line(f"      landed in {named(commit)}")
        for commit in _blamed(result, item)[:1]:
            yield Line(f"      meets {named(commit)}")
    if result.is_pick:  # its text is upstream's, of which no hunk can be left out
        yield Line(f"make a patch of it: {checkout.command('patches.vendor', name, *flags)}")
    else:
        yield from _trims(request, result, flags)
    yield Line(f"take it out: {checkout.command('patches.drop', name, *flags)}")


def _trims(request: HunksRequest, result: PatchHunks, flags: Sequence[str]) -> Iterator[Line]:
    """Yield the ways to leave hunks out that this patch has."""
    task = ("patches.trim", result.status.name, *flags)
    fates = [item.fate for item in result.units]
    if 0 < fates.count(UnitFate.LANDED) < len(fates):
        trim = checkout.command(*task, "--onto", request.onto)
        yield Line(f"leave out what landed: {trim}")
    if len(fates) > 1:
        clean = [item.unit.number for item in result.units if item.fate is UnitFate.CLEAN]
        kept = clean if 0 < len(clean) < len(fates) else [1]
        numbers = ",".join(map(str, kept))
        yield Line(f"keep some: {checkout.command(*task, '--keep', numbers)}")


def _count(item: FatedUnit, sign: bytes) -> int:
    return sum(line[:1] == sign for line in item.unit.diff.lines)


def _blamed(result: PatchHunks, item: FatedUnit) -> tuple[UpstreamCommit, ...]:
    """Return the commits that a conflict in a hunk's file meets."""
    if item.fate is not UnitFate.CONFLICTS:
        return ()
    conflicts = result.status.evidence.conflicts
    return next((file.blamed for file in conflicts if file.path == item.unit.file.path), ())

"""A rebase, and the plan of one: documents, and a table and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
from tensorflow_macos_build.patchqueue.queue import locate
from tensorflow_macos_build.patchqueue.verdict import status_document, wording
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.views import audit, evidence, forecast_page, proofs, saved
from tensorflow_macos_build.views.lines import Line
from tensorflow_macos_build.views.tables import Table, TableCell

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseRequest, RebaseResult
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus
    from tensorflow_macos_build.views.lines import Part

_STYLES = {
    Status.CLEAN: "dim",
    Status.ADAPTED: "cyan",
    Status.UPSTREAM_IDENTICAL: "green",
    Status.UPSTREAM_CHANGED: "green",
    Status.UPSTREAM_IN_PART: "green",
    Status.EMPTY: "yellow",
    Status.RESOLVED: "cyan",
    Status.LEFT_OUT: "yellow",
    Status.CONFLICT: "bold red",
    Status.KNOCK_ON: "red",
    Status.CLEAN_AFTER: "dim",
    Status.NOT_REACHED: "dim",
}


def plan_lines(request: RebaseRequest, queue: Queue) -> Iterator[str]:
    """Yield what a rebase would do, as far as the queue on disk tells."""
    base = queue.base
    yield f"open {base.upstream} (mirrors in {request.cache})"
    yield (
        f"replay {len(queue.names)} patches of {queue.name} from {base.ref} "
        f"({base.commit[:12]}) on {request.onto}; at a conflict: {request.on_conflict.value}"
    )
    waiting = {pick.name for pick in queue.picks if not pick.is_pinned}
    for name in queue.names:
        yield (
            f"  {name} (not pinned: patches.pin has to come first)"
            if name in waiting
            else f"  {name}"
        )
    if request.write:
        yield f"write {queue.folder} on its new base, when nothing conflicts"


def plan_document(name: str, request: RebaseRequest, queue: Queue) -> documents.Json:
    """Return what a rebase would do as a document of the schema rebase-plan.v1."""
    base = queue.base
    body = {
        "queue": name,
        "upstream": base.upstream,
        "cache": str(request.cache),
        "base": {"ref": base.ref, "commit": base.commit},
        "onto": request.onto,
        "on_conflict": request.on_conflict.value,
        "patches": [
            # what a pick's subject is, only its commits tell
            *({"name": pick.name, "subject": pick.name} for pick in queue.picks),
            *({"name": patch.name, "subject": patch.header.subject} for patch in queue.patches),
        ],
        "write": request.write,
    }
    return documents.document("rebase-plan", 1, body)


def as_document(name: str, request: RebaseRequest, result: RebaseResult) -> documents.Json:
    """Return a rebase as a document of the schema rebase.v1."""
    body = {
        "queue": name,
        "base": result.base,
        "onto": {"ref": request.onto, "commit": result.onto},
        "on_conflict": request.on_conflict.value,
        "ok": result.ok,
        "tree": result.tree,
        "patches": [status_document.status_part(patch) for patch in result.patches],
        # A driver would have merged otherwise, so that whoever relies on one has to know.
        "merge_drivers_not_run": list(result.drivers),
        # null where nothing was written: `--write` alone does, and only when nothing conflicts.
        "saved": result.saved and saved.files(result.saved),
        "audit": audit.as_part(result.audit),
        "proposals": [proofs.as_part(proof) for proof in result.proofs],
    }
    return documents.document("rebase", 1, body)


def as_lines(
    name: str, request: RebaseRequest, result: RebaseResult, flags: Sequence[str]
) -> Iterator[Part]:
    """Yield a row for each patch that is not clean, the conflicts, and what to do next.

    Args:
        name: the queue as a command line takes it.
        request: what was asked for.
        result: what came of it.
        flags: how a command line names the queue and what belongs to it.
    """
    yield _table(result.patches)
    for patch in result.patches:
        if patch.status.is_blocking:
            yield from map(Line, evidence.conflict_lines(patch))
    yield from drivers_lines(result)
    for proof in result.proofs:
        yield from proofs.as_lines(proof)
    yield from audit.as_lines(result.audit, flags, request.onto)
    if result.audit.not_done and request.audit is not AuditWhen.NEVER:
        again = checkout.command("rebase", *flags, "--onto", request.onto, "--audit", "always")
        yield Line(f"not audited: {result.audit.not_done}; {again} fetches them")
    counts = forecast_page.counted(patch.status for patch in result.patches)
    yield Line(f"{len(result.patches):,} patches: {counts}; tree {result.tree}")
    yield Line(_next(name, request, result, flags), "green" if result.ok else "bold")


def _table(patches: Sequence[PatchStatus]) -> Table:
    rows = (
        (
            patch.name,
            TableCell(patch.status.value, _STYLES[patch.status]),
            wording.summary(patch.evidence),
        )
        for patch in patches
        if patch.status is not Status.CLEAN  # most are, and only counted
    )
    return Table.of(("patch", "status", "evidence"), rows)


def drivers_lines(result: RebaseResult) -> Iterator[Line]:
    """Yield a line on the merge drivers that stayed off, where there are any."""
    if result.drivers:
        names = ", ".join(result.drivers)
        yield Line(f"merge drivers that .gitattributes name are programs, and not run: {names}")


def _next(name: str, request: RebaseRequest, result: RebaseResult, flags: Sequence[str]) -> str:
    """Return what was done, or what to type next."""
    words = (*flags, "--onto", request.onto)
    if result.saved is not None:
        written, removed = len(result.saved.written), len(result.saved.removed)
        return f"{name} now stands on {request.onto}: {written} written, {removed} removed"
    if result.is_empty:
        return f"no patch is left to carry; next: {locate.removal(request.folder)}"
    if result.ok:
        return f"next: {checkout.command('rebase', *words, '--write')}"
    proven = ("--accept-proven",) if any(proof.is_whole for proof in result.proofs) else ()
    return f"next: {checkout.command('rebase.start', *words, *proven)}"

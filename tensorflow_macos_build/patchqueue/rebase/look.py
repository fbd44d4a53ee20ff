"""Noting that an audit's findings were looked at (`scripts/inv patches.looked-at`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.audit import looked_at
from tensorflow_macos_build.patchqueue.queue import locate, lock, names
from tensorflow_macos_build.patchqueue.rebase import engine

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.audit.model import AuditFinding
    from tensorflow_macos_build.patchqueue.queue.lock import Waiting


@dataclass(frozen=True)
class LookRequest:
    """Findings that somebody looked at.

    Attributes:
        rebase: the move that has them.
        patch: the patch, as `names.position` takes it.
        name: the name; "" for all of the patch's.
        note: why it is well.
    """

    rebase: engine.RebaseRequest
    patch: str
    name: str = ""
    note: str = ""


def run(
    request: LookRequest, ticker: Ticker = silent, waiting: Waiting = lock.unwatched
) -> tuple[AuditFinding, ...]:
    """Audit a move anew, and note of findings that they were looked at; return those.

    Raises:
        UsageError: there is no such finding, or as for `engine.run`.
    """
    result = engine.run(request.rebase, ticker, waiting)
    audit = result.audit
    if audit.not_done:
        raise UsageError(
            f"the move was not audited: {audit.not_done}",
            hint=_command(request, "rebase", "--audit", "always"),
        )
    patches = [patch.name for patch in result.patches]
    patch = patches[names.position(patches, request.patch)]
    findings = tuple(
        finding
        for finding in audit.findings
        if finding.patch == patch and request.name in ("", finding.used.name)
    )
    if not findings:
        raise UsageError(
            f"the audit has no finding on {request.name or 'it'} in {patch}",
            hint=_command(request, "rebase"),
        )
    looked_at.record(request.rebase.folder, findings, request.note, waiting)
    return findings


def _command(request: LookRequest, task: str, *more: str) -> str:
    rebase = request.rebase
    return f"`{locate.command(task, rebase.folder, '--onto', rebase.onto, *more)}` shows them"

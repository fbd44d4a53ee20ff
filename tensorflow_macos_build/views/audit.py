"""An audit: a part of documents, and lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.patchqueue.verdict import status_document
from tensorflow_macos_build.patchqueue.verdict.wording import named
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.patchqueue.audit.model import AuditFinding, AuditResult


def as_part(audit: AuditResult) -> documents.Json:
    """Return an audit as a part of a document."""
    return {
        "not_done": audit.not_done,
        "names": audit.names,
        "unread": audit.unread,
        "needs_look": len(audit.needs_look),
        "findings": [_finding(finding) for finding in audit.findings],
    }


def _finding(finding: AuditFinding) -> documents.Json:
    return {
        "patch": finding.patch,
        "kind": finding.used.kind.value,
        "name": finding.used.name,
        "path": finding.use.path,
        "line": finding.use.line,
        "text": finding.use.text,
        "uses": finding.uses,
        "was_in": finding.was_in,
        "removed_by": [status_document.commit_part(commit) for commit in finding.removed_by],
        "renamed_to": finding.renamed_to,
        "looked_at": finding.looked_at,
    }


def as_lines(audit: AuditResult, flags: Sequence[str], onto: str) -> Iterator[Line]:
    """Yield each finding that nobody looked at, and what to type when somebody did.

    Args:
        audit: the audit.
        flags: how a command line names the queue and what belongs to it.
        onto: the revision that the queue was moved to.
    """
    if audit.not_done:
        return
    looked_at = len(audit.findings) - len(audit.needs_look)
    for finding in audit.needs_look:
        yield Line("")
        yield from finding_lines(finding)
        words = ("--onto", onto, "--patch", finding.patch, "--name", finding.used.name)
        yield Line(f"  if it is well: {checkout.command('patches.looked-at', *flags, *words)}")
    if audit.findings:
        yield Line("")
        counts = f"{len(audit.needs_look)} needs a look, {looked_at} looked at"
        yield Line(f"names that upstream took away and patches use: {counts}")


def finding_lines(finding: AuditFinding) -> Iterator[Line]:
    """Yield what a patch uses, who took it away, and what stands in its place."""
    use = finding.use
    kind = finding.used.kind.value
    yield Line(f"{finding.patch}: needs a look: {kind} {finding.used.name} is gone", "yellow")
    more = f" (and {finding.uses - 1} more lines)" if finding.uses > 1 else ""
    yield Line(f"  used in {use.path}:{use.line}: {use.text}{more}")
    if finding.was_in != finding.used.name:
        yield Line(f"  was in {finding.was_in}")
    for commit in finding.removed_by:
        yield Line(f"  taken away by {named(commit)} {commit.link}".rstrip())
    if finding.renamed_to:
        yield Line(f"  now {finding.renamed_to}")


def looked_at_document(name: str, onto: str, findings: Sequence[AuditFinding]) -> documents.Json:
    """Return the findings that were recorded as looked at, of the schema looked-at-now.v1."""
    body = {"queue": name, "onto": onto, "findings": [_finding(finding) for finding in findings]}
    return documents.document("looked-at-now", 1, body)


def looked_at_lines(name: str, findings: Sequence[AuditFinding]) -> Iterator[Line]:
    """Yield what was recorded as looked at."""
    for finding in findings:
        yield Line(f"{finding.patch}: {finding.used.kind.value} {finding.used.name}: looked at")
    yield Line(f"{name}: {len(findings)} recorded; they show anew when patch or upstream change")

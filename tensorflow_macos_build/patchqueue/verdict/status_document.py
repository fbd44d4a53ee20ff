"""What became of a patch, and why, as a part of documents; and read back from one of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.verdict.status import (
    ConflictReport,
    Evidence,
    HunkReport,
    PatchStatus,
    Status,
)
from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build import documents


def status_part(patch: PatchStatus) -> documents.Json:
    """Return what became of a patch as a part of a document."""
    return {
        "name": patch.name,
        "subject": patch.subject,
        "status": patch.status.value,
        "in_tree": patch.in_tree,
        "evidence": evidence_part(patch.evidence),
    }


def evidence_part(evidence: Evidence) -> documents.Json:
    """Return why a patch has its status, as a part of a document."""
    return {
        "upstream": _commits(evidence.upstream),
        "found_by": evidence.found_by,
        "reverted_by": _commits(evidence.reverted_by),
        "changed_files": list(evidence.changed_files),
        "changed_by": _commits(evidence.changed_by),
        "knock_on_of": list(evidence.knock_on_of),
        "clean_after": list(evidence.clean_after),
        "refused_resolutions": list(evidence.refused),
        "conflicts": [_conflict(conflict) for conflict in evidence.conflicts],
    }


def _conflict(conflict: ConflictReport) -> documents.Json:
    return {
        "path": conflict.path,
        "kind": conflict.kind,
        "message": conflict.words,
        "moved_to": conflict.moved_to,
        "knock_on_of": list(conflict.knock_on_of),
        # The field's name is rebase.v1's, which scripts read.
        "culprits": _commits(conflict.blamed),
        "hunks": [_hunk(hunk) for hunk in conflict.hunks],
    }


def _hunk(hunk: HunkReport) -> documents.Json:
    return {
        "base_line": hunk.base_line,
        "line": hunk.line,
        "base": list(hunk.base),
        "upstream": list(hunk.ours),
        "patch": list(hunk.theirs),
        "culprits": _commits(hunk.blamed),
    }


def _commits(commits: Sequence[UpstreamCommit]) -> list[documents.Json]:
    return [commit_part(commit) for commit in commits]


def commit_part(commit: UpstreamCommit) -> documents.Json:
    """Return a commit of upstream as a part of a document."""
    return {
        "commit": commit.oid,
        "author": commit.author,
        "date": commit.date,
        "subject": commit.subject,
        "link": commit.link,
    }


def read_status(part: documents.Json, commit: str) -> PatchStatus:
    """Return what `status_part` made a part of, for the patch that is a `commit`.

    Raises:
        KeyError, TypeError, ValueError: it is no such part.
    """
    return PatchStatus(
        part["name"],
        part["subject"],
        commit,
        Status(part["status"]),
        _read_evidence(part["evidence"]),
        part["in_tree"],
    )


def _read_evidence(part: documents.Json) -> Evidence:
    return Evidence(
        _read_commits(part["upstream"]),
        part["found_by"],
        _read_commits(part["reverted_by"]),
        tuple(map(_read_conflict, part["conflicts"])),
        tuple(part["knock_on_of"]),
        tuple(part["changed_files"]),
        _read_commits(part["changed_by"]),
        tuple(part["refused_resolutions"]),
        tuple(part["clean_after"]),
    )


def _read_conflict(part: documents.Json) -> ConflictReport:
    return ConflictReport(
        part["path"],
        part["kind"],
        part["message"],
        tuple(map(_read_hunk, part["hunks"])),
        _read_commits(part["culprits"]),
        part["moved_to"],
        tuple(part["knock_on_of"]),
    )


def _read_hunk(part: documents.Json) -> HunkReport:
    return HunkReport(
        part["base_line"],
        part["line"],
        tuple(part["base"]),
        tuple(part["upstream"]),
        tuple(part["patch"]),
        _read_commits(part["culprits"]),
    )


def _read_commits(parts: Iterable[documents.Json]) -> tuple[UpstreamCommit, ...]:
    return tuple(
        UpstreamCommit(part["commit"], part["author"], part["date"], part["subject"], part["link"])
        for part in parts
    )

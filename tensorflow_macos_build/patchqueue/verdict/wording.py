"""Why a patch has its status, in one line: the one wording of rebases, forecasts and builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.patchqueue.verdict.status import Evidence
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit


def named(commit: UpstreamCommit) -> str:
    """Return a commit as a line names it: twelve digits of its id, and its subject."""
    return f"{commit.oid[:12]} {commit.subject}"


def follows(names: Sequence[str]) -> str:
    """Return how a conflict comes about that other patches' conflicts are the cause of."""
    return f"follows from {', '.join(names)}"


def summary(evidence: Evidence) -> str:
    """Return in one line why a patch has its status."""
    parts = []
    if evidence.upstream:
        parts.append(f"{_all_named(evidence.upstream)} ({evidence.found_by})")
    if evidence.reverted_by:
        parts.append(f"reverted in {_all_named(evidence.reverted_by)}")
    if evidence.knock_on_of:
        parts.append(follows(evidence.knock_on_of))
    if evidence.conflicts:
        parts.append(", ".join(conflict.path for conflict in evidence.conflicts))
    if evidence.changed_files:
        parts.append(f"text changed in {', '.join(evidence.changed_files)}")
    if evidence.changed_by:
        parts.append(f"by {_all_named(evidence.changed_by)}")
    if evidence.refused:
        parts.append(f"recorded for another context: {', '.join(evidence.refused)}")
    return "; ".join(parts)


def _all_named(commits: Sequence[UpstreamCommit]) -> str:
    return ", ".join(map(named, commits))

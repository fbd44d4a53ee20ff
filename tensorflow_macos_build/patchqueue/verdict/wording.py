"""A patch's status in a few words, and why it has it: for rebases, forecasts and builds."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.verdict.status import Status

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.patchqueue.verdict.status import Evidence
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit


class StatusTone(Enum):
    """What a status means for whoever carries the patch."""

    QUIET = "quiet"
    CARRIED = "carried"
    UPSTREAM = "upstream"
    LOOK = "look"
    BROKEN = "broken"
    FOLLOWS = "follows"


WORDS = {
    Status.CLEAN: ("clean", StatusTone.QUIET),
    Status.ADAPTED: ("adapted", StatusTone.CARRIED),
    Status.RESOLVED: ("resolved", StatusTone.CARRIED),
    Status.UPSTREAM_IDENTICAL: ("upstream", StatusTone.UPSTREAM),
    Status.UPSTREAM_CHANGED: ("upstream, changed", StatusTone.UPSTREAM),
    Status.UPSTREAM_IN_PART: ("upstream, in part", StatusTone.UPSTREAM),
    Status.EMPTY: ("empty", StatusTone.LOOK),
    Status.LEFT_OUT: ("left out", StatusTone.LOOK),
    Status.NOT_REACHED: ("not reached", StatusTone.LOOK),
    Status.CONFLICT: ("conflict", StatusTone.BROKEN),
    Status.KNOCK_ON: ("knock-on", StatusTone.FOLLOWS),
    Status.CLEAN_AFTER: ("clean after", StatusTone.QUIET),
}
"""Each status in the few words that a cell of the matrix has room for, and its tone."""


def named(commit: UpstreamCommit) -> str:
    """Return a commit as a line names it: twelve digits of its id, and its subject."""
    return f"{commit.oid[:12]} {commit.subject}"


def follows(names: Sequence[str]) -> str:
    """Return how a conflict comes about that other patches' conflicts are the cause of."""
    return f"follows from {', '.join(names)}"


def waits(names: Sequence[str]) -> str:
    """Return how a patch goes on that only waits for other patches' conflicts."""
    return f"clean after {', '.join(names)}"


def summary(evidence: Evidence) -> str:
    """Return in one line why a patch has its status."""
    parts = []
    if evidence.upstream:
        parts.append(f"{_all_named(evidence.upstream)} ({evidence.found_by})")
    if evidence.reverted_by:
        parts.append(f"reverted in {_all_named(evidence.reverted_by)}")
    if evidence.knock_on_of:
        parts.append(follows(evidence.knock_on_of))
    if evidence.clean_after:
        parts.append(waits(evidence.clean_after))
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

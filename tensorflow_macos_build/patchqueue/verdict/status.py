"""What became of each patch of a rebased queue, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit


class Status(Enum):
    """What became of a patch."""

    CLEAN = "clean"
    """It is what it was: the same text, though perhaps at other lines."""
    ADAPTED = "adapted"
    """The three-way merge changed its text."""
    UPSTREAM_IDENTICAL = "upstream-identical"
    """Upstream made its changes, in one commit or in several; the tree holds them all."""
    UPSTREAM_CHANGED = "upstream-changed"
    """Upstream has it in another form: nothing is left of it, or what is left is carried on."""
    UPSTREAM_IN_PART = "upstream-in-part"
    """Upstream has some of it; the rest is carried on."""
    EMPTY = "empty"
    """Nothing is left of it, and that is not upstream's doing."""
    RESOLVED = "resolved"
    """It conflicts, and a recorded resolution was replayed."""
    CONFLICT = "conflict"
    """It conflicts with what upstream did: a first cause."""
    KNOCK_ON = "knock-on"
    """It conflicts because an earlier patch does, and would not if that one had not."""
    CLEAN_AFTER = "clean-after"
    """It is clean once an earlier patch's conflict is settled, and else conflicts: it needs nobody.
    Where conflicts are resolved provisionally, it is in the tree."""
    LEFT_OUT = "left-out"
    """It conflicts, and somebody decided to leave it out (`scripts/inv rebase.skip`)."""
    NOT_REACHED = "not-reached"
    """The rebase was told to stop at a conflict before it."""

    @property
    def is_blocking(self) -> bool:
        """Whether somebody has to do something before the queue can move."""
        return self in (Status.CONFLICT, Status.KNOCK_ON, Status.NOT_REACHED)


@dataclass(frozen=True)
class HunkReport:
    """A conflicting region for people.

    Attributes:
        base_line: the number of its first line in the file that the patch was made for.
        line: likewise in the file as it is now, without the patch.
        base: its lines as the patch expects them.
        ours: its lines as they are now.
        theirs: its lines as the patch makes them.
        blamed: the upstream commits that changed them, newest first.
    """

    base_line: int
    line: int
    base: tuple[str, ...]
    ours: tuple[str, ...]
    theirs: tuple[str, ...]
    blamed: tuple[UpstreamCommit, ...]


@dataclass(frozen=True)
class ConflictReport:
    """A conflicting file.

    Attributes:
        path: the file.
        kind: git's stable name for the conflict, such as `CONFLICT (contents)`.
        words: git's sentence on it.
        hunks: its regions; empty where the whole file is what conflicts.
        blamed: the upstream commits to blame, over all regions.
        moved_to: where upstream moved the file, where it did.
        knock_on_of: the names of the earlier patches that it follows from.
    """

    path: str
    kind: str
    words: str
    hunks: tuple[HunkReport, ...]
    blamed: tuple[UpstreamCommit, ...]
    moved_to: str
    knock_on_of: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """Why a patch has its status.

    Attributes:
        upstream: the commits of upstream that hold it, or part of it; beside a conflict those that
            held it once, or may.
        found_by: how they were found: "same changes", "recorded" (the patch's message names them),
            "same lines" or "same files"; beside a conflict also "same subject" or "mention" (the
            patch speaks of them, or of the same issue); "" where there are none.
        reverted_by: the later commits that took those back.
        conflicts: the files in conflict.
        knock_on_of: the names of the earlier patches that the conflict follows from; of those that
            left nothing of it.
        changed_files: the files in which its text changed.
        changed_by: the commits of upstream behind that.
        refused: the files of recorded resolutions that are for another context.
        clean_after: the names of the earlier patches whose conflicts it waits for.
    """

    upstream: tuple[UpstreamCommit, ...] = ()
    found_by: str = ""
    reverted_by: tuple[UpstreamCommit, ...] = ()
    conflicts: tuple[ConflictReport, ...] = ()
    knock_on_of: tuple[str, ...] = ()
    changed_files: tuple[str, ...] = ()
    changed_by: tuple[UpstreamCommit, ...] = ()
    refused: tuple[str, ...] = ()
    clean_after: tuple[str, ...] = ()


@dataclass(frozen=True)
class PatchStatus:
    """What became of one patch.

    Attributes:
        name: its file's name in the queue.
        subject: its subject.
        commit: the commit that it is on the old base.
        status: what became of it.
        evidence: why.
        in_tree: whether the resulting tree holds any of it by the rebase's doing.
    """

    name: str
    subject: str
    commit: str
    status: Status
    evidence: Evidence
    in_tree: bool

"""What is said of a queue's prospects: revision by revision, patch by patch, commit by commit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.audit.model import AuditResult
    from tensorflow_macos_build.patchqueue.forecast.bisection import BreakKind
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase
    from tensorflow_macos_build.patchqueue.verdict.status import Evidence, Status
    from tensorflow_macos_build.patchqueue.verdict.upstream_commit import UpstreamCommit


@dataclass(frozen=True)
class Break:
    """The upstream commit that breaks a patch.

    Attributes:
        kind: by being there, or by missing.
        commit: the commit.
        clean: the full id of the commit beside it on which the patch does not break.
    """

    kind: BreakKind
    commit: UpstreamCommit
    clean: str


@dataclass(frozen=True)
class Turn:
    """An upstream commit at which a patch breaks, or heals, on the way to where it is broken.

    Attributes:
        heals: whether it heals.
        kind: by being there, or by missing.
        commit: the commit.
    """

    heals: bool
    kind: BreakKind
    commit: UpstreamCommit


@dataclass(frozen=True)
class PatchForecast:
    """What becomes of one patch on one revision.

    Attributes:
        status: as a rebase there gives it.
        evidence: likewise.
        breaking: what breaks it, when its status is CONFLICT and it was looked for; else None. From
            that commit on it stays broken.
        earlier: where it broke and healed before that, in turn.
        all_tried: whether every commit was tried at which it can have broken or healed.
    """

    status: Status
    evidence: Evidence
    breaking: Break | None
    earlier: tuple[Turn, ...] = ()
    all_tried: bool = True


@dataclass(frozen=True)
class ForecastColumn:
    """What becomes of the queue on one revision.

    Attributes:
        ref: the revision as it was named.
        commit: its full id.
        distance: how many commits there are on the line from the queue's base to it.
        cells: of each patch, in the queue's order.
        audit: which names that the patches use upstream took away by then.
        due: the names of the patches whose `Drop-When` condition holds there.
    """

    ref: str
    commit: str
    distance: int
    cells: tuple[PatchForecast, ...]
    audit: AuditResult
    due: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the queue moves there without anybody's work."""
        return not any(cell.status.is_blocking for cell in self.cells)


@dataclass(frozen=True)
class ForecastRow:
    """One patch: its file's name, its subject, and what becomes of it on each revision."""

    name: str
    subject: str
    cells: tuple[PatchForecast, ...]


@dataclass(frozen=True)
class BrokenPatch:
    """A patch that a commit breaks.

    Attributes:
        name: its file's.
        refs: the revisions on which it is broken since.
        earlier: as in `PatchForecast`.
        all_tried: likewise.
    """

    name: str
    refs: tuple[str, ...]
    earlier: tuple[Turn, ...]
    all_tried: bool


@dataclass(frozen=True)
class BreakingCommit:
    """A breaking commit, and the patches that it breaks."""

    breaking: Break
    patches: tuple[BrokenPatch, ...]


@dataclass(frozen=True)
class Forecast:
    """A queue's prospects.

    Attributes:
        queue: its name.
        base: what it applies to now.
        patches: names and subjects of its patches, in order.
        columns: a revision each, in the order in which they were asked for.
        replays: on how many commits patches were replayed to find the breaking ones.
    """

    queue: str
    base: QueueBase
    patches: tuple[tuple[str, str], ...]
    columns: tuple[ForecastColumn, ...]
    replays: int

    @property
    def rows(self) -> tuple[ForecastRow, ...]:
        """The same, patch by patch."""
        return tuple(
            ForecastRow(name, subject, tuple(column.cells[position] for column in self.columns))
            for position, (name, subject) in enumerate(self.patches)
        )

    @property
    def breaking_commits(self) -> tuple[BreakingCommit, ...]:
        """The breaking commits, each once, in the order of the patches that they break."""
        broken: dict[Break, dict[BrokenPatch, list[str]]] = {}
        for row in self.rows:
            for column, cell in zip(self.columns, row.cells, strict=True):
                if cell.breaking is not None:
                    patch = BrokenPatch(row.name, (), cell.earlier, cell.all_tried)
                    broken.setdefault(cell.breaking, {}).setdefault(patch, []).append(column.ref)
        return tuple(
            BreakingCommit(
                breaking,
                tuple(replace(patch, refs=tuple(refs)) for patch, refs in patches.items()),
            )
            for breaking, patches in broken.items()
        )

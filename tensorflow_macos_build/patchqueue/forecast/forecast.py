"""What becomes of a queue on several revisions of upstream, and which commit breaks which patch."""

from __future__ import annotations

import functools
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import cycles
from tensorflow_macos_build.console import in_phase, silent
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit.engine import AuditWhen
from tensorflow_macos_build.patchqueue.forecast import bisection, upstream_line
from tensorflow_macos_build.patchqueue.forecast.model import (
    Break,
    Forecast,
    ForecastColumn,
    PatchForecast,
    Turn,
)
from tensorflow_macos_build.patchqueue.forecast.prober import Prober
from tensorflow_macos_build.patchqueue.forecast.replays import PartialReplays
from tensorflow_macos_build.patchqueue.forecast.turns import TurnSearch
from tensorflow_macos_build.patchqueue.formats import trailers
from tensorflow_macos_build.patchqueue.queue import conditions, materialise, opening, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.conditions import UpstreamRevision
from tensorflow_macos_build.patchqueue.rebase import engine, remarks
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.verdict.status import Status
from tensorflow_macos_build.upstream import releases

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.audit.model import AuditResult
    from tensorflow_macos_build.patchqueue.forecast.upstream_line import UpstreamLine
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase, QueueCommit
    from tensorflow_macos_build.patchqueue.queue.opening import OpenedQueue
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


@dataclass(frozen=True)
class ForecastRequest:
    """A forecast as somebody wants it; what it looks at is the releases, then the revisions.

    Attributes:
        folder: the queue's folder.
        cache: the folder that holds the mirrors of upstream repositories.
        latest: how many of the newest releases after the queue's base.
        coming: also the newest pre-release, and the branches of versions that are not released.
        onto: further upstream revisions: tags, branches or ids.
        audit: when to look for names that patches use and that upstream took away.
    """

    folder: Path
    cache: Path
    latest: int = 0
    onto: tuple[str, ...] = ()
    audit: AuditWhen = AuditWhen.LOCAL
    coming: bool = False


def run(request: ForecastRequest, ticker: Ticker = silent) -> Forecast:
    """Open a queue with its upstream, fetch what the replays read, and look ahead.

    Raises:
        UsageError: there is no such queue, or upstream has no such revision.
        WorkFailed: as for `forecast`.
        transfer.Unreachable: the server could not be asked.
    """
    materialise.refuse_unpinned(storage.load_head(request.folder)[1], request.folder)
    opened = opening.open(request.folder, request.cache, ticker)
    newest = _newest(opened, request, ticker) if request.latest or request.coming else ()
    # Each once: one that is named may be among the newest.
    revisions = list(dict.fromkeys([*newest, *request.onto]))
    # One request for all revisions: what a replay finds missing would come one by one.
    opened.prepare(revisions, ticker)
    for revision in revisions if request.audit is AuditWhen.ALWAYS else ():
        opened.prepare_audit(revision, ticker)
    audit = request.audit is not AuditWhen.NEVER
    return forecast(opened.queue, opened.mirror, revisions, ticker, audit=audit)


def _newest(opened: OpenedQueue, request: ForecastRequest, ticker: Ticker) -> list[str]:
    """Return the names of the newest releases after the queue's base, and of what is to come."""
    status = releases.status(opened.mirror, opened.base.commit, ticker)
    names = [release.tag for release in status.newer[-request.latest :] if request.latest]
    if request.coming:
        names += [release.tag for release in status.previews[-1:]]
        names += [branch.name for branch in status.coming]
    return names


def _conditions(patches: Sequence[QueueCommit]) -> Iterator[tuple[str, str]]:
    for patch in patches:
        if text := trailers.value(trailers.parse(patch.message), "Drop-When"):
            yield patch.name, text


@cycles.rarely_sought()
def forecast(
    queue: Queue,
    git: Git,
    revisions: Sequence[str],
    ticker: Ticker = silent,
    *,
    audit: bool = False,
) -> Forecast:
    """Replay a queue on each of several revisions, and find the commits that break its patches.

    Nothing is written to the repository, and nothing is checked out.

    Args:
        queue: the patches and the commit that they are made for.
        git: the repository that has all the commits.
        revisions: tags, branches or ids.
        ticker: told how many patches are replayed on each revision, then how many conflicts are
            bisected.
        audit: also look on each for names that patches use and that upstream took away.

    Raises:
        UsageError: a revision names no commit.
        WorkFailed: a patch does not apply to its own base, or the repository lacks an object.
    """
    commits = {name: resolve(git, name) for name in revisions}
    # What a rebase there would settle by a recorded resolution breaks nothing.
    decisions = Decisions(resolutions.load(queue.folder))
    with open_quarantine(git) as quarantine:
        # Not from the cache of commits, which would write to the repository.
        patches = materialise.queue_commits(queue, quarantine)
        folder = queue.folder if audit else None
        forecaster = Forecaster(quarantine, queue.base, patches, decisions, folder)
        columns = forecaster.columns(commits, ticker)
    named = tuple((patch.name, patch.subject) for patch in patches)
    return Forecast(queue.name, queue.base, named, columns, forecaster.replays)


@dataclass(frozen=True)
class _RevisionReplay:
    """A revision on which the queue was replayed."""

    ref: str
    line: UpstreamLine
    patches: tuple[PatchStatus, ...]
    audit: AuditResult


class Forecaster:
    """Makes the columns of a forecast.

    Args:
        quarantine: the quarantine that holds the patches.
        base: what the first patch applies to.
        patches: in order.
        decisions: what people decided about conflicts.
        audited: the queue's folder, where its moves are audited, too.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        base: QueueBase,
        patches: Sequence[QueueCommit],
        decisions: Decisions,
        audited: Path | None = None,
    ) -> None:
        self._quarantine = quarantine
        self._base = base
        self._patches = patches
        self._audited = audited
        # one for all: from revision to revision most files meet the same
        self._merger = FileMerger(quarantine)
        self._replays = PartialReplays(quarantine, base.commit, patches, decisions, self._merger)
        self._prober = Prober(self._replays)
        self._search = TurnSearch(patches, self._replays.dependencies, self._prober)

    @property
    def replays(self) -> int:
        """On how many commits patches were replayed to find the breaking ones."""
        return self._prober.commits

    def columns(
        self, commits: dict[str, str], ticker: Ticker = silent
    ) -> tuple[ForecastColumn, ...]:
        """Return a column for each revision; `commits` are their full ids by their names."""
        replays: list[_RevisionReplay] = []
        passes = len(commits) + 1
        whole = self._history(list(commits.values()))
        lines = upstream_line.lines_to(self._quarantine, whole, list(commits.values()))
        for number, (ref, commit) in enumerate(commits.items(), 1):
            replaying = in_phase(ticker, number, passes, f"replaying on {ref}")
            replays.append(self._replay(ref, lines[commit], replaying))
        breaks = self._bisect(replays, in_phase(ticker, passes, passes, "bisecting"))
        waiting, upstream = [*_conditions(self._patches)], self._quarantine.source
        return tuple(
            ForecastColumn(
                replay.ref,
                replay.line.history.new,
                len(replay.line.commits) - 1,
                tuple(
                    breaks.get(
                        (replay.ref, position), PatchForecast(patch.status, patch.evidence, None)
                    )
                    for position, patch in enumerate(replay.patches)
                ),
                replay.audit,
                conditions.true_at(UpstreamRevision(upstream, replay.line.history.new), waiting),
            )
            for replay in replays
        )

    def _history(self, commits: Sequence[str]) -> UpstreamHistory:
        """Return what upstream did up to any of several commits: one walk for all of them."""
        first, *others = commits or [self._base.commit]
        return engine.history_of(self._quarantine, self._base, first, beside=others)

    def _replay(self, ref: str, line: UpstreamLine, ticker: Ticker) -> _RevisionReplay:
        everything, is_audited = range(len(self._patches)), self._audited is not None
        replayed = self._replays.of(everything, line.history, ticker, written=is_audited)
        statuses, audit = replayed.statuses(ticker), engine.NOT_AUDITED
        if self._audited is not None:
            audit = remarks.audit(
                self._quarantine,
                line.history,
                replayed.replay,
                statuses,
                self._patches,
                folder=self._audited,
                ticker=ticker,
            )
        return _RevisionReplay(ref, line, statuses, audit)

    def _bisect(
        self, replays: Sequence[_RevisionReplay], ticker: Ticker
    ) -> dict[tuple[str, int], PatchForecast]:
        """Find what breaks each patch that is a first cause, by revision and position."""
        conflicts = [
            (
                replay,
                [at for at, patch in enumerate(replay.patches) if patch.status is Status.CONFLICT],
            )
            for replay in replays
        ]
        for replay, positions in conflicts:
            self._search.expect(replay.line, positions)
        pairs = [(replay, position) for replay, positions in conflicts for position in positions]
        # The last patch first: what is replayed for it serves all before it.
        pairs.sort(key=lambda pair: -pair[1])
        breaks: dict[tuple[str, int], PatchForecast] = {}
        for done, (replay, position) in enumerate(pairs):
            trying = functools.partial(ticker, done, len(pairs), unit="conflicts")
            breaks[replay.ref, position] = self._turns(replay, position, trying)
        return breaks

    def _turns(
        self, replay: _RevisionReplay, patch: int, trying: Callable[[str], None]
    ) -> PatchForecast:
        """Find where a patch turns; `trying` is told the number of each commit that is tried."""
        status, name, numbers = replay.patches[patch], self._patches[patch].name, itertools.count(1)
        # Mostly it is one that the rebase blames; of a merged branch the merge that brought it.
        blamed = [c.oid for conflict in status.evidence.conflicts for c in conflict.blamed]

        def count() -> None:
            trying(f"{name} on the way to {replay.ref}: commit {next(numbers)}")

        positions, all_tried = self._search.of(
            patch, replay.line, replay.line.bringing(blamed), count
        )
        if not positions:
            return PatchForecast(status.status, status.evidence, None, (), all_tried)
        # They alternate, and the last one breaks: so it is at the revision.
        turns = [
            self._turn(replay.line, position, heals=(len(positions) - number) % 2 == 0)
            for number, position in enumerate(positions)
        ]
        line = replay.line.commits
        breaking = Break(turns[-1].kind, turns[-1].commit, line[positions[-1] - 1])
        return PatchForecast(status.status, status.evidence, breaking, tuple(turns[:-1]), all_tried)

    def _turn(self, line: UpstreamLine, position: int, *, heals: bool) -> Turn:
        kind, commit = bisection.cause_of(self._quarantine.objects, line.commits, position)
        return Turn(heals, kind, line.history.describe([commit])[0])

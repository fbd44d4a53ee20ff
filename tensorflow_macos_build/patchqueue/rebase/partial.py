"""A rebase that stops at each conflict which nobody settled, and goes on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.console import phase, silent, ticker_of
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.patchqueue.rebase import engine, reached
from tensorflow_macos_build.patchqueue.rebase.resolver import ConflictResolver
from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree
from tensorflow_macos_build.patchqueue.replay.replay import replay, whole_merges
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict, Replay, StepOutcome
from tensorflow_macos_build.patchqueue.verdict.classify import StatusClassifier
from tensorflow_macos_build.patchqueue.worktree import conflict_tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.pace import WorkProgress
    from tensorflow_macos_build.patchqueue.queue.model import QueueBase, QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tensorflow_macos_build.patchqueue.rebase.reached import Reached
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


class PatchConflict(NamedTuple):
    """The conflict that a replay stopped at: the patch, and git's merge of it."""

    patch: QueueCommit
    merged: MergeResult

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in conflict."""
        return tuple(file.path for file in self.merged.conflicted)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder is the work tree of this very conflict."""
        return conflict_tree.is_of(folder, self.patch.name, self.merged)


class _Replayed(NamedTuple):
    """A replay of the patches that no earlier step passed, and what it asked at conflicts."""

    replay: Replay
    resolver: ConflictResolver


class PartialRebase:
    """A rebase in a quarantine, as far as it goes with what was decided.

    How a conflict is settled changes nothing before it: once it is, the rebase goes on there.

    Args:
        quarantine: where it is made.
        base: what the first patch applies to.
        onto: a full commit id.
        patches: in order.
        ticker: told how many patches are replayed, and what became of how many is known.
        reached: how far an earlier step came, perhaps with other decisions.

    Attributes:
        quarantine: the quarantine.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        base: QueueBase,
        onto: str,
        patches: Sequence[QueueCommit],
        ticker: Ticker = silent,
        *,
        reached: Reached | None = None,
    ) -> None:
        self.quarantine = quarantine
        self._base, self._onto, self._patches = base, onto, patches
        self._history = engine.history_of(quarantine, base, onto)
        self._merger = FileMerger(quarantine)
        self._before = reached
        self._key = reached.key if reached else ""
        self._replayed: _Replayed | None = None
        self._replaying, self._classifying = (
            phase(ticker, name, engine.passes()) for name in engine.passes()
        )

    def go_on(self, decisions: Decisions) -> PatchConflict | None:
        """Replay up to the first conflict that is left; return it, or None where there is none.

        `decisions` are all those of the rebase, with that about the conflict where it stopped.
        """
        quarantine = self.quarantine
        # They may be others about the patches before, too: the queue's own are files to be edited.
        if self._key != self._key_with(decisions):
            self._begin_anew()
        before = self._replayed.replay if self._replayed else None
        known = before.steps if before else ()
        done = known[: sum(map(_is_settled, known))]
        left = self._patches[self._count :]
        resolver = ConflictResolver(quarantine, self._history, self._patches, decisions)
        rest = replay(
            quarantine,
            before.tree if before else self._start,  # nothing of a conflict is taken
            [patch.commit for patch in left],
            OnConflict.STOP,
            resolver=resolver,
            merger=self._merger,
            changes=[step.changes for step in known[len(done) :]] if before else None,
            ticker=self._behind(self._count),
        )
        start = before.onto if before else rest.onto
        self._replayed = _Replayed(Replay(start, rest.tree, (*done, *rest.steps)), resolver)
        self._key = self._key_with(decisions)
        for position, merged in whole_merges(quarantine, rest):
            return PatchConflict(left[position], merged)
        return None

    def go_through(self, decisions: Decisions) -> PatchConflict | None:
        """Do what `go_on` does, without anything that an earlier step reached."""
        if self._before is not None:
            self._begin_anew()
        return self.go_on(decisions)

    def result(self) -> RebaseResult:
        """Return what became of the patches up to where `go_on` came."""
        assert self._replayed is not None
        replayed, resolver = self._replayed
        classifier = StatusClassifier(
            self.quarantine,
            self._history,
            self._patches,
            OnConflict.STOP,
            resolver,
        )
        result = engine.judged(
            self.quarantine,
            self._base,
            self._onto,
            replayed,
            classifier=classifier,
            resolver=resolver,
            passed=self._passed,
            ticker=self._classifying,
        )
        known = self._before.drivers if self._before else ()
        return replace(result, drivers=tuple(sorted({*known, *result.drivers})))

    def reached(self, result: RebaseResult) -> Reached | None:
        """Return how far `go_on` came, which `result` says; None: no farther than before."""
        if self._count == len(self._passed):
            return None
        return reached.extended(self.quarantine, self._before, self._key, result, self._count)

    def replay_with_trees(self) -> Replay:
        """Return the replay of `go_through`, with the tree after each patch."""
        assert self._replayed is not None
        replayed = self._replayed.replay
        tree = PatchedTree(self.quarantine, replayed.onto, self._merger)
        steps = []
        for step in replayed.steps:
            tree.take(step.became)
            steps.append(replace(step, after=tree.write()))
        return replace(replayed, steps=tuple(steps))

    @property
    def _start(self) -> str:
        """What the first patch that is not passed goes onto."""
        return self._before.tree if self._before else self._onto

    @property
    def _passed(self) -> tuple[PatchStatus, ...]:
        """What became of the patches that an earlier step passed."""
        return self._before.passed if self._before else ()

    @property
    def _count(self) -> int:
        """How many patches are passed by now."""
        steps = self._replayed.replay.steps if self._replayed else ()
        return len(self._passed) + sum(map(_is_settled, steps))

    def _key_with(self, decisions: Decisions) -> str:
        return reached.key_of(self._base, self._onto, self._patches, self._count, decisions)

    def _begin_anew(self) -> None:
        self._before, self._replayed = None, None

    def _behind(self, done: int) -> Ticker:
        """Return the ticker of a replay of all but the first patches."""

        def tick(progress: WorkProgress) -> None:
            self._replaying(done + progress.done, len(self._patches), progress.detail)

        return ticker_of(tick)


def _is_settled(step: ReplayStep) -> bool:
    return step.outcome not in (StepOutcome.CONFLICT, StepOutcome.NOT_REACHED)

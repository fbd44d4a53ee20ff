"""A rebase that stops at each conflict which nobody settled, and goes on from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.console import phase, silent, ticker_of
from tensorflow_macos_build.git.file_merges import FileMerger
from tensorflow_macos_build.patchqueue.rebase import engine
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
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep


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


class _Reached(NamedTuple):
    """How far a rebase has come: the replay, and how it was settled what conflicts."""

    replayed: Replay
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
    ) -> None:
        self.quarantine = quarantine
        self._base, self._onto, self._patches = base, onto, patches
        self._history = engine.history_of(quarantine, base, onto)
        self._merger = FileMerger(quarantine)
        self._reached: _Reached | None = None
        self._replaying, self._classifying = (
            phase(ticker, name, engine.passes()) for name in engine.passes()
        )

    def go_on(self, decisions: Decisions) -> PatchConflict | None:
        """Replay up to the first conflict that is left; return it, or None where there is none.

        `decisions` are all those of the rebase, with that about the conflict where it stopped.
        """
        quarantine = self.quarantine
        before = self._reached.replayed if self._reached else None
        known = before.steps if before else ()
        done = known[: sum(map(_is_settled, known))]
        resolver = ConflictResolver(quarantine, self._history, self._patches, decisions)
        rest = replay(
            quarantine,
            before.tree if before else self._onto,  # nothing of a conflict is taken
            [patch.commit for patch in self._patches[len(done) :]],
            OnConflict.STOP,
            resolver=resolver,
            merger=self._merger,
            changes=[step.changes for step in known[len(done) :]] if before else None,
            ticker=self._behind(len(done)),
        )
        start = before.onto if before else rest.onto
        self._reached = _Reached(Replay(start, rest.tree, (*done, *rest.steps)), resolver)
        for position, merged in whole_merges(quarantine, rest):
            return PatchConflict(self._patches[len(done) + position], merged)
        return None

    def result(self) -> RebaseResult:
        """Return what became of the patches up to where `go_on` came."""
        assert self._reached is not None
        replayed, resolver = self._reached
        classifier = StatusClassifier(
            self.quarantine,
            self._history,
            self._patches,
            OnConflict.STOP,
            resolver,
        )
        return engine.judged(
            self.quarantine,
            self._base,
            self._onto,
            replayed,
            classifier=classifier,
            resolver=resolver,
            ticker=self._classifying,
        )

    def replay_with_trees(self) -> Replay:
        """Return the replay up to where `go_on` came, with the tree after each patch."""
        assert self._reached is not None
        replayed = self._reached.replayed
        tree = PatchedTree(self.quarantine, replayed.onto, self._merger)
        steps = []
        for step in replayed.steps:
            tree.take(step.became)
            steps.append(replace(step, after=tree.write()))
        return replace(replayed, steps=tuple(steps))

    def _behind(self, done: int) -> Ticker:
        """Return the ticker of a replay of all but the first patches."""

        def tick(progress: WorkProgress) -> None:
            self._replaying(done + progress.done, len(self._patches), progress.detail)

        return ticker_of(tick)


def _is_settled(step: ReplayStep) -> bool:
    return step.outcome not in (StepOutcome.CONFLICT, StepOutcome.NOT_REACHED)

"""Giving each patch of a finished replay its status, with the evidence.

The words are those of docs/rebase.md. What the tree holds decides; upstream's commits are evidence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from typing_extensions import assert_never

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict, StepOutcome
from tensorflow_macos_build.patchqueue.verdict import line_writers
from tensorflow_macos_build.patchqueue.verdict.carried_texts import ComparedTrees
from tensorflow_macos_build.patchqueue.verdict.conflict_report import ConflictReporter
from tensorflow_macos_build.patchqueue.verdict.counterfactual import (
    CounterfactualReplay,
    OtherReplays,
)
from tensorflow_macos_build.patchqueue.verdict.patches_by_path import PatchesByPath
from tensorflow_macos_build.patchqueue.verdict.settled import SettledReporter
from tensorflow_macos_build.patchqueue.verdict.status import Evidence, PatchStatus, Status
from tensorflow_macos_build.patchqueue.verdict.upstreamed import UpstreamedResolver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.foresight import ForeseenConflict
    from tensorflow_macos_build.patchqueue.replay.steps import Replay, ReplayStep, Resolver
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.line_writers import LineWriters


_NO_EVIDENCE = Evidence()


class StatusClassifier:
    """Assigns each patch of a finished replay its status.

    Args:
        quarantine: where the replay was made.
        git_history: what upstream did.
        patches: the queue.
        on_conflict: what the replay did at conflicts.
        resolver: what it asked about them.
        others: makes the replays done the other way, which tell knock-ons from causes.
        writers: what finds the patches that wrote lines, where the caller has it already.
        compared: what was compared for other replays in the quarantine.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        git_history: UpstreamHistory,
        patches: Sequence[QueueCommit],
        on_conflict: OnConflict,
        resolver: Resolver,
        *,
        others: OtherReplays | None = None,
        writers: LineWriters | None = None,
        compared: ComparedTrees | None = None,
    ) -> None:
        self._compared = compared or ComparedTrees(quarantine)
        self._resolver = resolver
        self._others = others or OtherReplays(quarantine)
        self._quarantine = quarantine
        self._history = git_history
        self._patches = patches
        self._on_conflict = on_conflict
        self._landed = UpstreamedResolver(quarantine, git_history, patches)
        writers = writers or line_writers.of_queue(quarantine, git_history.old, patches)
        self._asked: tuple[Replay, CounterfactualReplay] | None = None
        self._reporter = ConflictReporter(quarantine, git_history, writers)

    def foresee(self, conflicts: Sequence[ForeseenConflict]) -> None:
        """Let git compare what `classify` will ask about conflicts that a replay will meet."""
        if conflicts:
            self._reporter.expect_files(conflict.versions for conflict in conflicts)
            self._history.expect_identical(
                (conflict.commit, conflict.changes) for conflict in conflicts
            )

    def classify(
        self, replay: Replay, ticker: Ticker = silent, *, passed: Sequence[PatchStatus] = ()
    ) -> tuple[PatchStatus, ...]:
        """Return the statuses, in the queue's order.

        Args:
            replay: the replay of the patches behind those `passed`.
            ticker: told of how many patches it is known what became of them.
            passed: what became of the first patches; none of them is in conflict.
        """
        ticker(len(passed), len(self._patches))
        counterfactual = self._counterfactual(replay)
        waiting = {step.commit for step in replay.steps if counterfactual.waits(step)}
        others = [step for step in replay.steps if step.commit not in waiting]
        self._expect(others)
        both = list(zip(self._patches[len(passed) :], replay.steps, strict=True))
        settled = SettledReporter(
            self._quarantine,
            self._history,
            self._landed,
            [(patch, step) for patch, step in both if step.commit not in waiting],
            self._compared,
        )
        settled.go_ahead()
        statuses = [*passed]
        before = PatchesByPath(self._with_changes(len(passed)))
        conflicting, causes = PatchesByPath(), PatchesByPath()
        for patch, step in both:
            ticker(len(statuses), len(self._patches), patch.name)
            if step.commit in waiting:
                names = _names(counterfactual.waited_for(step, causes))
                status, evidence = Status.CLEAN_AFTER, Evidence(clean_after=names)
            elif step.outcome is StepOutcome.CONFLICT:
                status, evidence = self._conflict(step, counterfactual, conflicting)
                if status is Status.CONFLICT:
                    evidence = _with_related(evidence, self._landed.related(patch, step.changes))
                causes.add(patch, step)
            else:
                status, evidence = self._settled(patch, step, before, settled)
            before.add(patch, step)
            if step.outcome is StepOutcome.CONFLICT:
                conflicting.add(patch, step)
            statuses.append(
                PatchStatus(
                    patch.name, patch.subject, patch.commit, status, evidence, step.is_in_tree
                )
            )
        return tuple(statuses)

    def _with_changes(self, count: int) -> Iterator[tuple[QueueCommit, tuple[PathChange, ...]]]:
        """Yield the first patches with what each does to each path."""
        first = self._patches[:count]
        changes = trees.by_commit(self._quarantine.git, [patch.commit for patch in first])
        yield from zip(first, (made for _, made in changes), strict=True)

    def _expect(self, steps: Sequence[ReplayStep]) -> None:
        """Ask git at once for what the patches that do not wait are compared by."""
        asked = (StepOutcome.CONFLICT, StepOutcome.EMPTY, StepOutcome.LANDED)
        self._history.expect_identical(
            (step.commit, step.changes) for step in steps if step.outcome in asked
        )
        self._reporter.expect([step for step in steps if step.outcome is StepOutcome.CONFLICT])

    def is_first_cause(self, replay: Replay, position: int) -> bool:
        """Whether the patch at `position` conflicts, and not because an earlier one does.

        Its status is then CONFLICT. This asks far less than `classify` does.
        """
        steps = replay.steps[: position + 1]
        if steps[position].outcome is not StepOutcome.CONFLICT:
            return False
        conflicting = PatchesByPath()
        # Not strict: the steps end where the question does, and the queue goes on.
        for patch, step in zip(self._patches, steps[:position], strict=False):
            if step.outcome is StepOutcome.CONFLICT:
                conflicting.add(patch, step)
        if not conflicting.all:
            return True
        # What comes later changes nothing before it: one other replay serves all positions.
        if self._asked is None or self._asked[0] is not replay:
            self._asked = replay, self._counterfactual(replay)
        status, _ = self._conflict(steps[position], self._asked[1], conflicting)
        return status is Status.CONFLICT

    def _counterfactual(self, replay: Replay) -> CounterfactualReplay:
        return CounterfactualReplay(replay, self._on_conflict, self._resolver, self._others)

    def _conflict(
        self,
        step: ReplayStep,
        counterfactual: CounterfactualReplay,
        conflicting: PatchesByPath,
    ) -> tuple[Status, Evidence]:
        """Return whether a conflict is a first cause or a knock-on, and the evidence.

        Whose lines it meets decides, else whether the other replay has it, too.
        """
        reports = self._reporter.report(step, conflicting)
        # A patch is a knock-on when all its files are: one that is not needs a person by itself.
        names = list(dict.fromkeys(name for report in reports for name in report.knock_on_of))
        follows = bool(reports) and all(report.knock_on_of for report in reports)
        if not follows and conflicting.all and counterfactual.differs(step):
            follows = True
            # None on its files, where git followed a renamed folder: then it may be any of them.
            related = _names(conflicting.on_files_of(step) or conflicting.all)
            names += [name for name in related if name not in names]
        status = Status.KNOCK_ON if follows else Status.CONFLICT
        return status, Evidence(conflicts=reports, knock_on_of=tuple(names))

    def _settled(
        self, patch: QueueCommit, step: ReplayStep, before: PatchesByPath, settled: SettledReporter
    ) -> tuple[Status, Evidence]:
        match step.outcome:
            case StepOutcome.TAKEN | StepOutcome.MERGED | StepOutcome.EMPTY | StepOutcome.LANDED:
                return settled.of(patch, step, before)
            case StepOutcome.RESOLVED:
                return Status.RESOLVED, self._conflicts(step)
            case StepOutcome.LEFT_OUT:
                return Status.LEFT_OUT, self._conflicts(step)
            case StepOutcome.NOT_REACHED:
                return Status.NOT_REACHED, _NO_EVIDENCE
            case StepOutcome.CONFLICT:
                raise AssertionError("conflicts are told apart before")
            case _:
                assert_never(step.outcome)

    def _conflicts(self, step: ReplayStep) -> Evidence:
        """Return the conflicts of a patch for which it was decided already."""
        return Evidence(conflicts=self._reporter.report(step, PatchesByPath()))


def _with_related(evidence: Evidence, related: Evidence) -> Evidence:
    return replace(
        evidence,
        upstream=related.upstream,
        found_by=related.found_by,
        reverted_by=related.reverted_by,
    )


def _names(patches: Sequence[QueueCommit]) -> tuple[str, ...]:
    return tuple(patch.name for patch in patches)

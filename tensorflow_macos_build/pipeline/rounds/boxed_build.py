"""A build that stops at its time budget, saves what it has, and goes on from there elsewhere."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sys
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import (
    BudgetReached,
    Interrupted,
    MacosBuildError,
    WorkFailed,
    of_machine,
)
from tensorflow_macos_build.pipeline import table, toolchain
from tensorflow_macos_build.pipeline.records import FOR_KEY
from tensorflow_macos_build.pipeline.rounds import budget, round
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.pipeline.rounds.model import RoundEnd
from tensorflow_macos_build.pipeline.rounds.round import RoundTerms
from tensorflow_macos_build.pipeline.rounds.store import Store
from tensorflow_macos_build.pipeline.stages import build as bazel_builds
from tensorflow_macos_build.pipeline.stages.bazel_workspace import BazelWorkspace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.plan import PlannedStage
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.rounds.model import Round
    from tensorflow_macos_build.pipeline.rounds.round import RoundAtWork
    from tensorflow_macos_build.pipeline.stage import Results
    from tensorflow_macos_build.pipeline.workspace import Workspace

_MORE = "give it more time: a larger --time-budget"


class RoundObserver(Protocol):
    """Whoever follows a build in rounds."""

    def waiting_for(self, holder: LockHolder | None) -> None:
        """Another build is at work with the state's folder, and this one waits for it."""

    def note(self, text: str) -> None:
        """Something has happened that people should know at once."""

    def round_ended(self, rounds: Sequence[Round], state: Path) -> None:
        """The last of these rounds is over, and this is the state that it has saved."""


@contextlib.contextmanager
def in_rounds(workspace: Workspace, box: TimeBox, observer: RoundObserver) -> Iterator[BoxedBuild]:
    """Yield what stands beside a build and, when Bazel is at rest, saves its state.

    Raises:
        BudgetReached: the budget is used up; the state is saved.
        WorkFailed: it is used up and nothing was gained, or the state cannot be saved.
    """
    folder = StateFolder(box.folder)
    command = checkout.command(*sys.argv[1:])
    with folder.held(command, observer.waiting_for):
        boxed = BoxedBuild(workspace, box, folder, observer)
        try:
            yield boxed
        except BudgetReached:
            raise boxed.pause() from None
        except Interrupted:
            # Nobody waits for gigabytes to be written: what was built is in this machine's store.
            raise
        except MacosBuildError:
            boxed.save_if_possible(RoundEnd.FAILED)
            raise
        boxed.save_if_possible(RoundEnd.DONE)


class BoxedBuild:
    """A build with a time budget and a folder of states; the release's lock is held."""

    def __init__(
        self, workspace: Workspace, box: TimeBox, folder: StateFolder, observer: RoundObserver
    ) -> None:
        self._workspace = workspace
        self._box = box
        self._folder = folder
        self._observer = observer
        self._round: RoundAtWork | None = None
        self._ended: Round | None = None
        self._is_saved = False
        self._done: tuple[str, ...] = ()

    def is_over(self) -> bool:
        """Whether there is only time left to stop and to save."""
        if self._round is not None:
            pace = self._round.pace or budget.UNKNOWN_PACE
            self._box.deadline.watch(self._round.store.cache.size, pace)
        return self._box.deadline.is_reached()

    def before(self, planned: PlannedStage, results: Results) -> None:
        """Look at the time before a stage runs; begin a round before Bazel's first.

        Raises:
            BudgetReached: the time is used up.
        """
        self._done = tuple(finished.stage.name for finished in results.finished)
        is_bazels = planned.stage in bazel_builds.STAGES
        if is_bazels and self._round is None:
            self._begin(results)
        if not is_bazels:
            # Now and not at the end: smoke tests take their time, too, and may fail.
            self.save_if_possible(RoundEnd.DONE)
        if self.is_over():
            raise BudgetReached("the time budget is used up")

    def _begin(self, results: Results) -> None:
        workspace, settings = self._workspace, self._workspace.release.time_box
        bazel_side = BazelWorkspace(workspace)
        bazel_side.acquire()
        bazel_side.forget_actions()
        tools = {
            **toolchain.identity(workspace.release),
            "bazel": workspace.release.bazel.version or "",
        }
        terms = RoundTerms(
            release=workspace.release.name,
            toolchain=tools,
            plan=_plan(workspace, results, tools),
            max_bytes=int(settings.max_gb * 1e9),
            kept=settings.keep,
        )
        assert workspace.disk_cache is not None
        store = Store(workspace.disk_cache)
        self._round = round.begin(terms, store, self._folder, self._observer.note)

    def save_if_possible(self, end: RoundEnd) -> None:
        """Save the state; where that fails, the build's own end counts, and this is told."""
        try:
            self._save(end)
        except MacosBuildError as error:
            self._observer.note(f"warning: {error}")
        except OSError as error:
            self._observer.note(f"warning: the state is not saved: {of_machine(error)}")

    def _save(self, end: RoundEnd) -> None:
        if self._round is None or self._is_saved:
            return
        self._ended = self._round.finish(end, self._done)
        self._is_saved = True
        if self._ended is None:
            return
        rounds = (*self._round.rounds, self._ended)
        self._observer.round_ended(rounds, self._folder.path(self._round.number))

    def pause(self) -> MacosBuildError:
        """Save the state at the end of the budget, and return the error that ends the build."""
        if self._round is None:
            what = "the time budget was used up before Bazel could begin, and nothing was saved"
            return WorkFailed(what, where="--time-budget", hint=_MORE)
        try:
            self._save(RoundEnd.BUDGET)
        except MacosBuildError as error:
            return error
        if self._ended is None or not self._round.gains(self._ended):
            return round.no_progress()
        return BudgetReached(
            f"the time budget is used up; round {self._ended.number} has run "
            f"{self._ended.run:,} actions, and is saved",
            where=str(checkout.shown(self._folder.path(self._round.number))),
            hint="run the same command again to go on, here or, with that folder, on another "
            "machine",
        )


def _plan(workspace: Workspace, results: Results, tools: dict[str, str]) -> str:
    """Return a digest of all that decides what Bazel builds, which is the same on any machine."""
    made_of: dict[str, object] = {"tools": tools}
    for stage in table.stages_for(workspace.release):
        if stage in bazel_builds.STAGES:
            inputs = stage.inputs(workspace, results)
            # The tools there have paths and times, by which one machine's are told apart.
            excluded = {"tools", "git_dir"}
            made_of[stage.name] = inputs.model_dump(mode="json", context=FOR_KEY, exclude=excluded)
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()

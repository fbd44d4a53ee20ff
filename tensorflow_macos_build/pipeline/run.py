"""Executing a plan: one build of a release at a time, each result put in place by one rename."""

from __future__ import annotations

import contextlib
import errno
import shlex
import shutil
import sys
from typing import TYPE_CHECKING, Any, Protocol

from tensorflow_macos_build import checkout, dependency_groups, files, locks, temporary
from tensorflow_macos_build.errors import ExitCode, MacosBuildError, WorkFailed
from tensorflow_macos_build.pipeline import miniature, stamps
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline.records import files_in
from tensorflow_macos_build.pipeline.rounds import boxed_build
from tensorflow_macos_build.pipeline.stage import FinishedStage, Results, Stage, StageJob, now
from tensorflow_macos_build.pipeline.stages import build as bazel_builds
from tensorflow_macos_build.pipeline.stages.patch import PATCH

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import TypeAlias

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.plan import BuildPlan, BuildRequest, PlannedStage
    from tensorflow_macos_build.pipeline.records import PatchResult, Record
    from tensorflow_macos_build.pipeline.rounds.model import Round
    from tensorflow_macos_build.pipeline.workspace import Workspace

    StageGate: TypeAlias = Callable[[PlannedStage, Results], None]

KEPT = 3
"""How many results of a stage are kept: the one in use and those made last."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}

_LOW_BYTES = 32 * 10**6
"""Bytes free below which a failure is put down to the full disk: some are left where a program
asked for more than them at once."""


class BuildObserver(Protocol):
    """Whoever follows a build: each method is called as soon as what it is named for happens."""

    def waiting_for(self, holder: LockHolder | None) -> None:
        """Another build of this release is at work, by a process, and this one waits for it."""

    def plan_made(self, plan: BuildPlan) -> None:
        """It is decided what will be done."""

    def looked_at(self, findings: Sequence[HostFinding]) -> None:
        """Nothing speaks against running Bazel, as far as could be looked at."""

    def stage_started(self, planned: PlannedStage) -> AbstractContextManager[Ticker]:
        """A stage runs while the context is open; the ticker is told how far it is."""

    def note(self, text: str) -> None:
        """Something has happened in the stage at work that people should know at once."""

    def round_ended(self, rounds: Sequence[Round], state: Path) -> None:
        """The last of these rounds is over, and this is the state that it has saved."""

    def stage_done(self, finished: FinishedStage) -> None:
        """A stage's result is there, made now or before."""


def build(
    workspace: Workspace, request: BuildRequest, observer: BuildObserver
) -> tuple[FinishedStage, ...]:
    """Do what is not up to date; return all stages that were asked for, in order.

    A second build of the same release waits until the first has ended. What killed builds left
    unfinished is swept before.

    Raises:
        UsageError: a finding speaks against it (preflight.py); nothing was done.
        GroupsMissing: this environment lacks what Bazel needs of it; nothing was done.
        MacosBuildError: a stage failed; the results of those before it are kept.
    """
    lock = workspace.folder / ".lock"
    # The plan is made under the lock: what another build makes meanwhile need not be made again.
    command = checkout.command(*sys.argv[1:])
    with space_is_needed(workspace), locks.held_openly(lock, command, observer.waiting_for):
        _sweep(workspace)
        plan = planning.make(workspace, request)
        observer.plan_made(plan)  # first: to bring what is required may take a while
        if _may_come_to_bazel(plan):
            dependency_groups.require(miniature.dependency_groups_of(workspace))
        gate = _Preflight(plan, observer)
        gate.before_all()
        if request.time_box is None:
            return _execute(plan, observer, gate.before)
        with boxed_build.in_rounds(workspace, request.time_box, observer) as boxed:

            def before(planned: PlannedStage, results: Results) -> None:
                gate.before(planned, results)
                boxed.before(planned, results)

            return _execute(plan, observer, before, boxed.is_over)


def _execute(
    plan: BuildPlan,
    observer: BuildObserver,
    before: StageGate,
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[FinishedStage, ...]:
    try:
        return execute(plan, observer, before, is_over)
    finally:
        # Not left to its idle time: until then it keeps its memory and its output base.
        bazel_builds.close(plan.workspace)


class _Preflight:
    """Looks at what a build needs before its first stage, and at upstream again before Bazel.

    Bazel's stages are what takes hours; a build that has none of them to do is not kept waiting.
    """

    def __init__(self, plan: BuildPlan, observer: BuildObserver) -> None:
        self._plan = plan
        self._observer = observer
        self._is_due = False

    def before_all(self) -> None:
        """Look, where the plan may come to Bazel."""
        if _may_come_to_bazel(self._plan):
            self._look()

    def before(self, planned: PlannedStage, results: Results) -> None:
        """Look again where Bazel's turn has come, if something was left for the patched tree."""
        if self._is_due and _is_bazels(planned):
            self._look(results[PATCH])
            self._is_due = False  # once: what cannot be told now never can

    def _look(self, patched: PatchResult | None = None) -> None:
        from tensorflow_macos_build.pipeline import preflight  # noqa: PLC0415 - most builds need none

        workspace, ignore = self._plan.workspace, self._plan.request.ignore
        box = self._plan.request.time_box
        findings = preflight.examine(workspace, ignore, patched=patched, box=box)
        preflight.refuse(findings)
        self._observer.looked_at(findings)
        self._is_due = preflight.awaits_patched_tree(findings)


def _may_come_to_bazel(plan: BuildPlan) -> bool:
    return any(planned.finished is None and _is_bazels(planned) for planned in plan.stages)


def _is_bazels(planned: PlannedStage) -> bool:
    return planned.stage in bazel_builds.STAGES


def execute(
    plan: BuildPlan,
    observer: BuildObserver,
    before: StageGate = lambda planned, results: None,
    is_over: Callable[[], bool] = lambda: False,
) -> tuple[FinishedStage, ...]:
    """Do what a plan says, under the release's lock.

    Args:
        plan: what to do.
        observer: whoever follows it.
        before: called with a stage that is to run and the results before it; it may refuse.
        is_over: whether the time budget is used up.
    """
    results = Results()
    for decided in plan.stages:
        planned = decided
        # What it waited for is there by now: the stages before it are done.
        if planned.state is planning.StageState.WAITS:
            forced = planned.stage.name in plan.request.force
            planned = planning.examine(
                plan.workspace, planned.stage, planned.instructions, results, forced=forced
            )
        if planned.finished is None:
            before(planned, results)
        finished = planned.finished or _run(plan.workspace, planned, results, observer, is_over)
        observer.stage_done(finished)
        results = results.adding(finished)
    return results.finished


def _run(
    workspace: Workspace,
    planned: PlannedStage,
    results: Results,
    observer: BuildObserver,
    is_over: Callable[[], bool],
) -> FinishedStage:
    stage = planned.stage
    # As they are now: the plan may be hours old, and files of the project have changed since.
    inputs = stage.inputs(workspace, results)
    made_of = planning.ingredients(workspace, stage, results)
    key = stamps.key_of(made_of)
    final = planning.result_folder(stage.folder(workspace), key)
    begun = now()
    with observer.stage_started(planned) as ticker, files.atomic_folder(final) as folder:
        job: StageJob[Any, Any] = StageJob(
            workspace,
            planned.instructions,
            inputs,
            folder,
            final,
            ticker,
            observer.note,
            is_over,
            results.finished,
        )
        value: Record = stage.work(job)
        seconds = now() - begun
        # The stamp comes last and is renamed with the rest: a folder without one is no result.
        stamps.write(folder, made_of, value, seconds, _times(job, value))
    _forget_old(stage, workspace, final)
    return FinishedStage(stage, key, value, round(seconds, 3), up_to_date=False)


def _times(job: StageJob[Any], value: Record) -> dict[str, int]:
    """Return the modification times of a result's files, wherever they lie for now."""
    times = {}
    for file in files_in(value):
        path = job.workspace.root / file.path
        inside = path.is_relative_to(job.final)
        present = job.folder / path.relative_to(job.final) if inside else path
        times[file.path] = present.stat().st_mtime_ns  # a rename keeps it (rename(2))
    return times


def _forget_old(stage: Stage[Any, Any], workspace: Workspace, used: Path) -> None:
    """Delete the oldest results of a stage, never the one in use."""
    others = [path for path in stage.folder(workspace).iterdir() if path != used]
    # Beside the results lie unfinished ones (`_sweep` has those) and files on past builds.
    stamped = [path for path in others if (path / stamps.NAME).is_file()]
    newest_first = sorted(stamped, key=lambda path: (path / stamps.NAME).stat().st_mtime_ns)[::-1]
    for old in newest_first[KEPT - 1 :]:
        # One that cannot be deleted costs room, and no build that has just succeeded.
        shutil.rmtree(old, ignore_errors=True)


def _sweep(workspace: Workspace) -> None:
    """Delete what killed builds left unfinished; the release's lock is held."""
    for folder in sorted(path for path in workspace.folder.iterdir() if path.is_dir()):
        temporary.sweep(folder)
    # dist/ is everybody's: another release's build may be filling its part of it just now.
    with locks.held(workspace.dist_lock):
        temporary.sweep(workspace.dist.parent)


@contextlib.contextmanager
def space_is_needed(workspace: Workspace) -> Iterator[None]:
    """Make an error of the body say plainly that the disk is full, whoever met it.

    git and Bazel say so in words of their own, and end with a status that means any failure; so
    for them the room that is left decides.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _disk_full(workspace, str(error.filename or workspace.folder), str(error)) from None
    except MacosBuildError as error:
        room = shutil.disk_usage(workspace.root).free > _LOW_BYTES
        # Other codes mean what they say, disk or no disk: wrong usage, an interrupt.
        if room or error.exit_code is not ExitCode.FAILED:
            raise
        raise _disk_full(workspace, error.where or str(workspace.folder), str(error)) from None


def _disk_full(workspace: Workspace, where: str, detail: str) -> MacosBuildError:
    needed = workspace.release.limits.disk_gb
    build = str(checkout.shown(workspace.root / "build"))
    return WorkFailed(
        "there is no space left for the build",
        where=where,
        detail=detail,
        hint=f"this config needs about {needed:g} GB; free some (`du -sh {shlex.quote(build)}`), "
        "and run the same command again: what was finished is kept",
    )

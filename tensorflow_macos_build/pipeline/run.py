"""Executing a plan: one build of a release at a time, each result put in place by one rename."""

from __future__ import annotations

import contextlib
import errno
import shlex
import shutil
from typing import TYPE_CHECKING, Any, Protocol

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.errors import ExitCode, MacosBuildError, WorkFailed
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline import stamps
from tensorflow_macos_build.pipeline.records import files_in
from tensorflow_macos_build.pipeline.stage import Done, Job, Results, Stage, now
from tensorflow_macos_build.pipeline.stages import build as bazel_builds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.pipeline.plan import BuildRequest, Plan, Step
    from tensorflow_macos_build.pipeline.records import Record
    from tensorflow_macos_build.pipeline.workspace import Workspace

KEPT = 3
"""How many results of a stage are kept: the one in use and those made last."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LOW_BYTES = 32 * 10**6


class BuildObserver(Protocol):
    """Who follows a build: told when it waits, what is planned, and of each stage."""

    def waiting(self, lock: Path) -> None:
        """Another build of this release is at work, and this one waits for it."""

    def planned(self, plan: Plan) -> None:
        """This is what will be done."""

    def working(self, step: Step) -> AbstractContextManager[Ticker]:
        """A stage is about to run; the ticker is told how far it is."""

    def done(self, done: Done) -> None:
        """A stage's result is there."""


def build(workspace: Workspace, wish: BuildRequest, audience: BuildObserver) -> tuple[Done, ...]:
    """Do what is not up to date; give all stages that were asked for, in order.

    A second build of the same release waits until the first has ended. What killed builds left
    unfinished is swept before.

    Raises:
        MacosBuildError: a stage failed; the results of those before it are kept.
    """
    lock = workspace.folder / ".lock"
    with space_is_needed(workspace), files.locked(lock, lambda: audience.waiting(lock)):
        _sweep(workspace)
        plan = planning.make(workspace, wish)
        audience.planned(plan)
        try:
            return execute(plan, audience)
        finally:
            bazel_builds.close(workspace)


def execute(plan: Plan, audience: BuildObserver) -> tuple[Done, ...]:
    """Do what a plan says, under the release's lock."""
    results = Results()
    for planned in plan.steps:
        step = planned
        if step.state is planning.State.WAITS:
            forced = step.stage.name in plan.wish.force
            step = planning.examine(plan.workspace, step.stage, results, forced=forced)
        done = step.done or _run(plan.workspace, step, results, audience)
        audience.done(done)
        results = results.adding(done)
    return results.done


def _run(workspace: Workspace, step: Step, results: Results, audience: BuildObserver) -> Done:
    stage = step.stage
    inputs = stage.inputs(workspace, results)
    made_of = planning.ingredients(workspace, stage, results)
    key = stamps.key_of(made_of)
    final = planning.result_folder(stage.folder(workspace), key)
    begun = now()
    with audience.working(step) as ticker, files.atomic_folder(final) as folder:
        job: Job[Any] = Job(workspace, inputs, folder, final, ticker, results.done)
        value: Record = stage.work(job)
        seconds = now() - begun
        stamps.write(folder, made_of, value, seconds, _times(job, value))
    _forget_old(stage, workspace, final)
    return Done(stage, key, value, round(seconds, 3), up_to_date=False)


def _times(job: Job[Any], value: Record) -> dict[str, int]:
    """Return the modification times of a result's files, wherever they lie for now."""
    times = {}
    for file in files_in(value):
        path = job.workspace.root / file.path
        inside = path.is_relative_to(job.final)
        now_at = job.folder / path.relative_to(job.final) if inside else path
        times[file.path] = now_at.stat().st_mtime_ns
    return times


def _forget_old(stage: Stage[Any, Any], workspace: Workspace, used: Path) -> None:
    """Delete the oldest results of a stage, never the one in use."""
    found = [path for path in stage.folder(workspace).iterdir() if path != used]
    stamped = [path for path in found if (path / stamps.NAME).is_file()]
    newest_first = sorted(stamped, key=lambda path: (path / stamps.NAME).stat().st_mtime_ns)[::-1]
    for old in newest_first[KEPT - 1 :]:
        shutil.rmtree(old, ignore_errors=True)


def _sweep(workspace: Workspace) -> None:
    """Delete what killed builds left unfinished; the release's lock is held."""
    for folder in sorted(path for path in workspace.folder.iterdir() if path.is_dir()):
        files.sweep(folder)
    with files.locked(workspace.dist_lock):
        files.sweep(workspace.dist.parent)


@contextlib.contextmanager
def space_is_needed(workspace: Workspace) -> Iterator[None]:
    """Say it plainly when the disk is full, whoever met it: this process, git or Bazel."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise _disk_full(workspace, str(error.filename or workspace.folder), str(error)) from None
    except MacosBuildError as error:
        room = shutil.disk_usage(workspace.root).free > _LOW_BYTES
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

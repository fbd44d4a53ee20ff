"""How a build is followed and shown: a line a stage for people, a document for programs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline.plan import StageState
from tensorflow_macos_build.tasks.command import print_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Console, Ticker
    from tensorflow_macos_build.pipeline.plan import BuildPlan, PlannedStage
    from tensorflow_macos_build.pipeline.stage import FinishedStage
    from tensorflow_macos_build.pipeline.workspace import Workspace

_NAME_COLUMN = 13
_STATE_COLUMN = 10


class TerminalReporter:
    """The observer of a build (`run.BuildObserver`) that writes to a terminal or a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def waiting_for(self, lock: Path) -> None:
        """Print why nothing happens."""
        self._console.line(f"another build of this release is at work; waiting for it ({lock})")

    def plan_made(self, plan: BuildPlan) -> None:
        """Print how much there is to do."""
        ready = sum(planned.state is StageState.UP_TO_DATE for planned in plan.stages)
        name = plan.workspace.release.name
        self._console.line(f"{name}: {ready} of {len(plan.stages)} stages are up to date", "bold")

    @contextlib.contextmanager
    def stage_started(self, planned: PlannedStage) -> Iterator[Ticker]:
        """Show a stage at work, and why it has to run."""
        title = _plan_line(planned)
        with self._console.group(title), self._console.progress(planned.stage.name) as ticker:
            yield ticker

    def stage_done(self, finished: FinishedStage) -> None:
        """Print a stage's result."""
        took = "up to date" if finished.up_to_date else f"{finished.seconds:.1f} s"
        line = f"{finished.stage.name:<{_NAME_COLUMN}} {took:<{_STATE_COLUMN}} "
        summary = finished.stage.summary(finished.value)
        self._console.line(line + summary, "" if finished.up_to_date else "green")


def show_plan(plan: BuildPlan) -> None:
    """Print a plan, a line a stage, to standard output."""
    print_lines(map(_plan_line, plan.stages))


def _plan_line(planned: PlannedStage) -> str:
    """Return what is to be done about a stage, as the plan and the log of a build show it."""
    name, state = planned.stage.name, planned.state.value
    return f"{name:<{_NAME_COLUMN}} {state:<{_STATE_COLUMN}} {planned.why}"


def show_end(workspace: Workspace, done: Sequence[FinishedStage]) -> None:
    """Print where the result is, to standard output."""
    last = done[-1]
    where = workspace.dist if last.stage.name == "dist" else last.stage.folder(workspace)
    print_lines([str(checkout.shown(where))])


def as_document(workspace: Workspace, done: Sequence[FinishedStage]) -> documents.Json:
    """Return what a build did as a document of schema `build`."""
    stages = [
        {
            "stage": finished.stage.name,
            "key": finished.key,
            "up_to_date": finished.up_to_date,
            "seconds": finished.seconds,
            "result": finished.value.model_dump(mode="json"),
        }
        for finished in done
    ]
    return documents.document("build", 1, {"release": workspace.release.name, "stages": stages})

"""How a build is followed and shown: a line a stage for people, a document for programs."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline.plan import State
from tensorflow_macos_build.tasks.command import print_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Console, Ticker
    from tensorflow_macos_build.pipeline.plan import Plan, Step
    from tensorflow_macos_build.pipeline.stage import Done
    from tensorflow_macos_build.pipeline.workspace import Workspace

_NAME_COLUMN = 13
_STATE_COLUMN = 10


class Follower:
    """The audience of a build at a terminal or in a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def waiting(self, lock: Path) -> None:
        """Say why nothing happens."""
        self._console.line(f"another build of this release is at work; waiting for it ({lock})")

    def planned(self, plan: Plan) -> None:
        """Say how much there is to do."""
        ready = sum(step.state is State.UP_TO_DATE for step in plan.steps)
        name = plan.workspace.release.name
        self._console.line(f"{name}: {ready} of {len(plan.steps)} stages are up to date", "bold")

    @contextlib.contextmanager
    def working(self, step: Step) -> Iterator[Ticker]:
        """Show a stage at work, and why it has to run."""
        title = _step_line(step)
        with self._console.group(title), self._console.progress(step.stage.name) as ticker:
            yield ticker

    def done(self, done: Done) -> None:
        """Show a stage's result."""
        took = "up to date" if done.up_to_date else f"{done.seconds:.1f} s"
        line = f"{done.stage.name:<{_NAME_COLUMN}} {took:<{_STATE_COLUMN}} "
        self._console.line(
            line + done.stage.summary(done.value), "" if done.up_to_date else "green"
        )


def show_plan(plan: Plan) -> None:
    """Print a plan, a line a stage, to standard output."""
    print_lines(map(_step_line, plan.steps))


def _step_line(step: Step) -> str:
    """Say what a stage's turn brings, as the plan and the log of a build do."""
    return f"{step.stage.name:<{_NAME_COLUMN}} {step.state.value:<{_STATE_COLUMN}} {step.why}"


def show_end(workspace: Workspace, done: Sequence[Done]) -> None:
    """Print where the result is, to standard output."""
    last = done[-1]
    where = workspace.dist if last.stage.name == "dist" else last.stage.folder(workspace)
    print_lines([str(checkout.shown(where))])


def as_document(workspace: Workspace, done: Sequence[Done]) -> documents.Json:
    """Return what a build did as a document of schema `build`."""
    stages = [
        {
            "stage": one.stage.name,
            "key": one.key,
            "up_to_date": one.up_to_date,
            "seconds": one.seconds,
            "result": one.value.model_dump(mode="json"),
        }
        for one in done
    ]
    return documents.document("build", 1, {"release": workspace.release.name, "stages": stages})

"""A build's plan and result as documents, and as a line a stage for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline.plan import StageState
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.pipeline.plan import BuildPlan, PlannedStage
    from tensorflow_macos_build.pipeline.stage import FinishedStage
    from tensorflow_macos_build.pipeline.workspace import Workspace

# Fixed widths: lines of a build come one by one, hours apart, and stand in columns all the same.
_NAME_COLUMN = len("build:x86_64") + 1
_STATE_COLUMN = len("up to date")


def plan_document(plan: BuildPlan) -> documents.Json:
    """Return a plan as a document of the schema plan.v1."""
    rows = [
        {
            "stage": planned.stage.name,
            "state": planned.state.value,
            "why": planned.why,
            "key": planned.key,
        }
        for planned in plan.stages
    ]
    return documents.document("plan", 1, {"release": plan.workspace.release.name, "stages": rows})


def plan_lines(plan: BuildPlan) -> Iterator[str]:
    """Yield a line for each stage of a plan."""
    yield from map(planned_line, plan.stages)


def planned_line(planned: PlannedStage) -> str:
    """Return what is to be done about a stage, as the plan and the log of a build show it."""
    name, state = planned.stage.name, planned.state.value
    return f"{name:<{_NAME_COLUMN}} {state:<{_STATE_COLUMN}} {planned.why}"


def finished_line(finished: FinishedStage) -> Line:
    """Return what came of a stage, in the columns of `planned_line`."""
    took = "up to date" if finished.up_to_date else f"{finished.seconds:.1f} s"
    columns = f"{finished.stage.name:<{_NAME_COLUMN}} {took:<{_STATE_COLUMN}}"
    summary = finished.stage.summary(finished.value)
    return Line(f"{columns} {summary}", "" if finished.up_to_date else "green")


def summary(plan: BuildPlan) -> str:
    """Return in one line how much of a build there is to do."""
    ready = sum(planned.state is StageState.UP_TO_DATE for planned in plan.stages)
    return f"{plan.workspace.release.name}: {ready} of {len(plan.stages)} stages are up to date"


def as_document(workspace: Workspace, done: Sequence[FinishedStage]) -> documents.Json:
    """Return what a build did as a document of the schema build.v1."""
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


def as_lines(workspace: Workspace, done: Sequence[FinishedStage]) -> Iterator[str]:
    """Yield where a build's result is."""
    last = done[-1]
    folder = workspace.dist if last.stage.name == "dist" else last.stage.folder(workspace)
    yield str(checkout.shown(folder))

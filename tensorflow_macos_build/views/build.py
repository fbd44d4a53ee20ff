"""A build's plan and result as documents, and as lines for people."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline.plan import StageState
from tensorflow_macos_build.views import doctor
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.config import Limits, TimeBoxSettings
    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.plan import BuildPlan, PlannedStage
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.stage import FinishedStage
    from tensorflow_macos_build.pipeline.workspace import Workspace

# Fixed widths: lines of a build come one by one, hours apart, and stand in columns all the same.
_NAME_COLUMN = len("build:x86_64") + 1
_STATE_COLUMN = len("up to date")


def plan_document(plan: BuildPlan, findings: Sequence[HostFinding] = ()) -> documents.Json:
    """Return a plan as a document of the schema plan.v2, with what was looked at beforehand."""
    release = plan.workspace.release
    body: documents.Json = {
        "release": release.name,
        "stages": [_planned_row(planned) for planned in plan.stages],
        "limits": release.limits.model_dump(mode="json"),
        "hazards": [hazard.value for hazard in release.hazards],
        "unverified": release.unverified,
        "findings": doctor.rows(findings),
    }
    box = plan.request.time_box
    if box is not None:
        given = {"seconds": box.deadline.seconds, "state_dir": str(box.folder)}
        body["time_box"] = {**given, **release.time_box.model_dump(mode="json")}
    return documents.document("plan", 2, body)


def _planned_row(planned: PlannedStage) -> documents.Json:
    commands = planned.instructions.commands().items()
    return {
        "stage": planned.stage.name,
        "state": planned.state.value,
        "why": planned.why,
        "key": planned.key,
        "commands": [{"for": purpose, **_command_row(line)} for purpose, line in commands],
        "settings": planned.instructions.settings(),
    }


def _command_row(line: CommandLine) -> documents.Json:
    return {
        "folder": str(line.cwd),
        "inherited": None if line.inherited is None else sorted(line.inherited),
        "environment": dict(sorted(line.changes.items())),
        "argv": list(line.argv),
        "typed": line.typed(),
    }


def plan_lines(plan: BuildPlan, findings: Sequence[HostFinding] = ()) -> Iterator[str]:
    """Yield a line for each stage of a plan, then what those that are to be done will do.

    At the end stand what is known of the release, and what of `findings` is not as it should be.
    """
    yield from map(planned_line, plan.stages)
    for planned in plan.stages:
        if planned.state is not StageState.UP_TO_DATE:
            yield from _instruction_lines(planned)
    release = plan.workspace.release
    yield from ("", _needs(release.limits))
    if plan.request.time_box is not None:
        yield _in_rounds(plan.request.time_box, release.time_box)
    hazards = [hazard.value for hazard in release.hazards]
    yield from _listed("known ways to fail (docs/config.md)", hazards)
    sentences = [f"{topic}: {sentence}" for topic, sentence in release.unverified.items()]
    yield from _listed("not verified", sentences)
    yield from _listed("looked at beforehand", doctor.as_lines(findings))


def _in_rounds(box: TimeBox, settings: TimeBoxSettings) -> str:
    """Return in one line when a build stops, and what it saves."""
    seconds = box.deadline.seconds
    stops = f"stops after {seconds:g} s" if seconds else "does not stop"
    return (
        f"{stops}; saves a state of at most {settings.max_gb:g} GB, the newest {settings.keep} of "
        f"them are kept: {checkout.shown(box.folder)}"
    )


def _needs(limits: Limits) -> str:
    """Return in one line what a build needs of a machine."""
    hours = f", about {limits.hours:g} hours for an architecture" if limits.hours else ""
    return f"needs {limits.disk_gb:g} GB of disk, {limits.memory_gb:g} GB of memory{hours}"


def _instruction_lines(planned: PlannedStage) -> Iterator[str]:
    commands = planned.instructions.commands()
    settings = planned.instructions.settings()
    if commands or settings:
        yield from ("", planned.stage.name)
    for purpose, line in commands.items():
        yield f"  {purpose}:"
        yield f"    {line.typed()}"
    for name, value in settings.items():
        yield f"  {name}: {json.dumps(value, ensure_ascii=False)}"


def _listed(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield from ("", title)
        yield from (f"  {item}" for item in items)


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


def waiting_line(holder: LockHolder | None) -> str:
    """Return for whom a build waits: the process that has the output base and all else."""
    who = ""
    if holder is not None:
        since = datetime.fromtimestamp(holder.since, timezone.utc)
        who = f": process {holder.pid}, since {since:%Y-%m-%d %H:%M:%S} UTC, `{holder.command}`"
    return f"another build of this release is at work{who}; waiting for it"


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

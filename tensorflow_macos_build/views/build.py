"""A build's plan and result as documents, and as lines for people."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, documents
from tensorflow_macos_build.pipeline import plan as planning
from tensorflow_macos_build.pipeline.plan import StageState
from tensorflow_macos_build.pipeline.records import (
    DistResult,
    SmokeResult,
    VerifyResult,
    WheelResult,
)
from tensorflow_macos_build.report import amounts, verdict
from tensorflow_macos_build.views import doctor, time_spent
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.config import Limits, TimeBoxSettings
    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.plan import BuildPlan, PlannedStage
    from tensorflow_macos_build.pipeline.records import Record
    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.stage import FinishedStage
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.report.verdict import Requirement
    from tensorflow_macos_build.views.lines import Part

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


def finished_line(finished: FinishedStage, why: str = "") -> Line:
    """Return what came of a stage, in the columns of `planned_line`; `why` is why it was run."""
    took = "up to date" if finished.up_to_date else amounts.duration(finished.seconds)
    columns = f"{finished.stage.name:<{_NAME_COLUMN}} {took:<{_STATE_COLUMN}}"
    parts = [finished.stage.summary(finished.value)]
    if (effort := time_spent.effort_of(finished)) is not None:
        parts.append(time_spent.in_short(effort))
    if why.startswith(planning.CHANGED):
        parts.append(why)
    return Line(f"{columns} {'; '.join(parts)}", "" if finished.up_to_date else "green")


def waiting_line(holder: LockHolder | None) -> str:
    """Return for whom a build waits: the process that has the output base and all else."""
    who = ""
    if holder is not None:
        since = datetime.fromtimestamp(holder.since, timezone.utc)
        who = f": process {holder.pid}, since {since:%Y-%m-%d %H:%M:%S} UTC, `{holder.command}`"
    return f"another build of this release is at work{who}; waiting for it"


def summary(plan: BuildPlan) -> str:
    """Return in one line how much of a build there is to do, and why."""
    ready = sum(planned.state is StageState.UP_TO_DATE for planned in plan.stages)
    counts = f"{plan.workspace.release.name}: {ready} of {len(plan.stages)} stages are up to date"
    first = next((stage for stage in plan.stages if stage.state is StageState.TO_RUN), None)
    return counts if first is None else f"{counts}; first: {first.stage.name} ({first.why})"


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


def as_lines(workspace: Workspace, done: Sequence[FinishedStage]) -> Iterator[Part]:
    """Yield what a build made and where it is, what is missing, and what to type next."""
    last = done[-1].value
    if not isinstance(last, (DistResult, WheelResult)):
        yield str(checkout.shown(done[-1].stage.folder(workspace)))
        yield f"next: {_again(workspace)}"
        return
    wheel = checkout.shown(workspace.root / last.wheel.path)
    # Strings, which nothing is laid over: all of it is copied.
    yield str(wheel)
    yield f"sha256 {last.wheel.sha256}"
    yield f"{amounts.size(last.wheel.size)}; {_time_taken(done)}"
    yield from (
        _published(workspace, wheel, done)
        if isinstance(last, DistResult)
        else [f"next: {_again(workspace)}"]
    )


def _published(workspace: Workspace, wheel: Path, done: Sequence[FinishedStage]) -> Iterator[Part]:
    needed = _requirements(wheel.name, done)
    is_ready = all(requirement.is_met for requirement in needed)
    yield Line(verdict.verdict(needed), "bold green" if is_ready else "bold yellow")
    yield f"report: {checkout.shown(workspace.dist / 'report.html')}"
    if is_ready:
        yield f"next: {checkout.command('release.prepare', '--config', workspace.release.name)}"
    else:
        yield f"next, on a Mac: {checkout.command('smoke', wheel)}"


def _requirements(wheel: str, done: Sequence[FinishedStage]) -> tuple[Requirement, ...]:
    findings = [row for stage in done for row in _rows(stage.value, VerifyResult, "findings")]
    checks = [row for stage in done for row in _rows(stage.value, SmokeResult, "checks")]
    return verdict.judge(wheel, findings, checks)


def _rows(value: Record, kind: type[Record], name: str) -> list[documents.Json]:
    rows: list[documents.Json] = value.model_dump()[name] if isinstance(value, kind) else []
    return rows


def _time_taken(done: Sequence[FinishedStage]) -> str:
    made = [finished for finished in done if not finished.up_to_date]
    if not made:
        return f"all {len(done)} stages are up to date"
    seconds = amounts.duration(sum(finished.seconds for finished in made))
    return f"{len(made)} of {len(done)} stages were done, in {seconds}"


def _again(workspace: Workspace) -> str:
    return checkout.command("build", "--config", workspace.release.name)

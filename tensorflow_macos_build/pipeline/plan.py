"""What a build will do, as a value: `--plan` prints it and a run executes it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import stamps
from tensorflow_macos_build.pipeline.records import FileRecord
from tensorflow_macos_build.pipeline.stage import FinishedStage, Instructions, Results, Stage
from tensorflow_macos_build.pipeline.table import stages_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.pipeline.rounds.budget import TimeBox
    from tensorflow_macos_build.pipeline.workspace import Workspace

_SHOWN = 3
"""How many names a reason tells before it only counts: it shares a line with the stage's name."""

CHANGED = "changed: "
"""How the reason begins of a stage that is done again because of what it is made from."""

_KEY_DIGITS = 16
"""How much of a key names a folder: 64 bits tell a stage's results apart, and paths stay short."""


@dataclass(frozen=True)
class BuildRequest:
    """What the user asks of a build.

    Attributes:
        architecture: `arm64`, `x86_64` or `host`: build this one's wheel and stop there; None: all.
        until: the last stage to do; None: all.
        force: stages to do again though they are up to date.
        ignore: codes of findings that shall not stop it.
        time_box: when to stop, and where to save; None: it is built in one go.
    """

    architecture: str | None = None
    until: str | None = None
    force: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    time_box: TimeBox | None = None


class StageState(Enum):
    """What is to be done about a stage."""

    UP_TO_DATE = "up to date"
    TO_RUN = "to run"
    WAITS = "waits"
    """Whether it has to run is decided by what the stages before it make."""


@dataclass(frozen=True)
class PlannedStage:
    """One stage of a plan, and what is to be done about it.

    Attributes:
        stage: the stage.
        instructions: what its work will do.
        state: what is to be done about it.
        why: the reason, for people.
        key: the SHA-256 over what its result is made of; None as long as that is not known.
        finished: the stage with its result, when it is up to date.
    """

    stage: Stage[Any, Any, Any]
    instructions: Instructions
    state: StageState
    why: str
    key: str | None = None
    finished: FinishedStage | None = None


@dataclass(frozen=True)
class BuildPlan:
    """The stages of a build in their order, and what is to be done about each."""

    workspace: Workspace
    request: BuildRequest
    stages: tuple[PlannedStage, ...]


def make(workspace: Workspace, request: BuildRequest) -> BuildPlan:
    """Decide what has to be done. Nothing is run, and nothing is written.

    Raises:
        UsageError: the request names a stage or an architecture that this release does not have,
            or the config a finding that there is not.
    """
    requested = _requested(workspace, request)
    check(workspace)
    stages: list[PlannedStage] = []
    results = Results()
    for stage in requested:
        instructions = stage.instructions(workspace)
        forced = stage.name in request.force
        planned = examine(workspace, stage, instructions, results, forced=forced)
        stages.append(planned)
        # Of a stage that has to run there is no value yet, so those that need it wait.
        if planned.finished is not None:
            results = results.adding(planned.finished)
    return BuildPlan(workspace, request, tuple(stages))


def check(workspace: Workspace) -> None:
    """Refuse now what would only be refused after hours of building.

    Raises:
        UsageError: a name in the config is none that the room it is for knows.
    """
    if workspace.release.verify.allow:
        from tensorflow_macos_build.wheels.verify import Code  # noqa: PLC0415 (most configs need none)

        for entry in workspace.release.verify.allow:
            try:
                Code.named(entry.partition(":")[0])
            except UsageError as error:
                # It knows the name, and not which line of which file has it.
                error.where = str(workspace.loaded.provenance["verify.allow"])
                raise


def examine(
    workspace: Workspace,
    stage: Stage[Any, Any, Any],
    instructions: Instructions,
    results: Results,
    *,
    forced: bool,
) -> PlannedStage:
    """Decide what has to be done about one stage, given the results of those before it."""
    planned = functools.partial(PlannedStage, stage, instructions)
    # Its key has their results in it, so without them nobody knows which result would be its own.
    missing = [need.name for need in stage.needs if need not in results]
    if missing:
        return planned(StageState.WAITS, f"decided by {_few(missing)}")
    made_of = ingredients(workspace, stage, results)
    key = stamps.key_of(made_of)
    if forced:  # the key stays, and what is made replaces what is there
        return planned(StageState.TO_RUN, "forced", key)
    folder = stage.folder(workspace)
    stamp = stamps.read(result_folder(folder, key), workspace.root, stage.result)
    if stamp is None:
        return planned(StageState.TO_RUN, _why(made_of, folder, key), key)
    finished = FinishedStage(stage, key, stamp.value, stamp.seconds, up_to_date=True)
    return planned(StageState.UP_TO_DATE, stage.summary(stamp.value), key, finished)


def ingredients(workspace: Workspace, stage: Stage[Any, Any], results: Results) -> dict[str, Any]:
    """Return what a stage's key is made of."""
    inputs = stage.inputs(workspace, results)
    return stamps.ingredients(inputs, stage.code_digest())


def result_folder(stage_folder: Path, key: str) -> Path:
    """Return the folder of the result that `key` stands for."""
    return stage_folder / key[:_KEY_DIGITS]


def _why(made_of: Mapping[str, Any], stage_folder: Path, key: str) -> str:
    before = stamps.latest_inputs(stage_folder)
    if before is None:
        return "not made yet"
    old, new = dict(_facts(before)), dict(_facts(made_of))
    changed = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if changed:
        return f"{CHANGED}{_few(changed)}"
    # Its stamp was not believed and its inputs are the newest result's: what it made is no more.
    is_stale = result_folder(stage_folder, key).exists()
    return "its files have changed" if is_stale else "not made yet"


def _facts(made_of: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each input by its dotted name."""
    for name, value in made_of.items():
        # A file is one input, known by its record's fields: that its size changed, too, is no news.
        if isinstance(value, dict) and set(value) != set(FileRecord.model_fields):
            yield from _facts(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _requested(workspace: Workspace, request: BuildRequest) -> tuple[Stage[Any, Any], ...]:
    stages = stages_for(workspace.release, request.architecture)
    # Those of this very build: `--force smoke` says nothing where it stops at one thin wheel.
    known = [stage.name for stage in stages]
    for name in (*request.force, *([request.until] if request.until else [])):
        if name not in known:
            hint = f"there are: {', '.join(known)}"
            raise UsageError(f"this build has no stage `{name}`", hint=hint)
    return stages[: known.index(request.until) + 1] if request.until else stages

"""A stage of a build: a pure description (what it is made of) and one function (how it is made)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, cast

from pydantic import BaseModel
from typing_extensions import TypeVar  # `default` came with Python 3.13

from tensorflow_macos_build import closure
from tensorflow_macos_build.pipeline import stamps
from tensorflow_macos_build.pipeline.records import FileRecord, Record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.pipeline.workspace import Workspace


class Instructions:
    """What a stage will do, as far as that is known before any stage has run.

    A plan shows it and the stage's work follows it. It is made of the config and the machine; none
    of it counts as an input, for that what decides a result is in the stage's inputs.
    """

    def commands(self) -> dict[str, CommandLine]:
        """Return the programs that the stage will run, in their order, by what each is for."""
        return {}

    def settings(self) -> dict[str, Any]:
        """Return what else decides the work, as JSON's values."""
        return {}


Section = TypeVar("Section", bound=BaseModel)


@dataclass(frozen=True)
class Configured(Instructions, Generic[Section]):
    """The instructions of a stage that does what a section of the config says."""

    section: Section

    def settings(self) -> dict[str, Any]:
        """Return the section's values."""
        return self.section.model_dump(mode="json")


In = TypeVar("In", bound=Record)
Out = TypeVar("Out", bound=Record)
AnyInstructions = TypeVar("AnyInstructions", bound=Instructions, default=Any)


class Results:
    """The values of the stages that are done, each under its own stage's type.

    Stages are told apart by name: those of one name (`smoke`, with and without the host's wheel)
    are alternatives, of which a build has one.
    """

    def __init__(self, finished: tuple[FinishedStage, ...] = ()) -> None:
        self.finished = finished

    def __contains__(self, stage: Stage[Any, Any]) -> bool:
        """Whether the stage is done."""
        # By name: `smoke` with the host's wheel and without are two values, and one to their users.
        return any(finished.stage.name == stage.name for finished in self.finished)

    def __getitem__(self, stage: Stage[Any, Out]) -> Out:
        """Return the value of a stage that is done."""
        values = {finished.stage.name: finished.value for finished in self.finished}
        return cast("Out", values[stage.name])  # what the stage's `work` has returned

    def adding(self, finished: FinishedStage) -> Results:
        """Return these results and one more."""
        return Results((*self.finished, finished))


def _no_instructions(_workspace: Workspace) -> Any:
    return Instructions()


@dataclass(frozen=True)
class Stage(Generic[In, Out, AnyInstructions]):
    """One step of a build.

    Attributes:
        name: what people and folders call it.
        needs: the stages whose values it is made from.
        inputs: returns all that decides its result, from the config, the machine and `needs`.
        work: makes the result.
        result: the type of the result.
        summary: returns in a few words what came out.
        instructions: returns what `work` will do. It must not fail where this machine lacks what
            the work needs, for a plan is shown anywhere.
    """

    name: str
    needs: tuple[Stage[Any, Any], ...]
    inputs: Callable[[Workspace, Results], In]
    work: Callable[[StageJob[In, AnyInstructions]], Out]
    result: type[Out]
    summary: Callable[[Out], str]
    instructions: Callable[[Workspace], AnyInstructions] = _no_instructions

    @property
    def module(self) -> str:
        """The module that does the work; what that imports decides the result too."""
        return self.work.__module__

    def code_digest(self) -> str:
        """Return a digest of the code that does the work."""
        return closure.digest(self.module, self._modules_before())

    def code_files(self) -> list[Path]:
        """Return the files of the package that `code_digest` is over."""
        return closure.files(self.module, self._modules_before())

    def _modules_before(self) -> frozenset[str]:
        """Return the modules of the stages before, whose code does not count for this one.

        They reach this one by their values, so that one of them that is done again, and gives the
        same, costs no more.
        """
        # Its own stays: fuse and relocate are of one module.
        return frozenset(stage.module for stage in self._before()) - {self.module}

    def _before(self) -> Iterator[Stage[Any, Any]]:
        for need in self.needs:
            yield need
            yield from need._before()

    def folder(self, workspace: Workspace) -> Path:
        """Return the folder of all results of this stage."""
        # A colon would part the path where it stands in a PATH, and the Finder shows it as a slash.
        return workspace.folder / self.name.replace(":", "-")


def _never() -> bool:
    return False


@dataclass(frozen=True)
class StageJob(Generic[In, AnyInstructions]):
    """One run of a stage.

    Attributes:
        workspace: the project's folders.
        instructions: what the plan says that is to be done.
        inputs: what the result is made of, and nothing else.
        folder: the empty folder for the result's files; it is put in place when all is well.
        final: where `folder` will be.
        ticker: told how far the work is.
        note: told what people should know before the work ends, such as a tool's error.
        is_over: whether the time budget leaves only time to stop and to save.
        history: the stages done so far, with how long they took. A report shows it; it must
            decide nothing.
    """

    workspace: Workspace
    instructions: AnyInstructions
    inputs: In
    folder: Path
    final: Path
    ticker: Ticker
    note: Callable[[str], None]
    is_over: Callable[[], bool] = _never
    history: tuple[FinishedStage, ...] = field(default=(), compare=False)

    def file(self, path: Path) -> FileRecord:
        """Return the record of a finished file of the result, or of the project outside of it."""
        inside = path.is_relative_to(self.folder)
        # The record outlives the rename that puts the folder in place, so it names that place.
        final = self.final / path.relative_to(self.folder) if inside else path
        return stamps.file_at(path, self.workspace.root, final)

    def path(self, file: FileRecord) -> Path:
        """Return the path of another stage's file."""
        return self.workspace.root / file.path


@dataclass(frozen=True)
class FinishedStage:
    """A stage whose result is there.

    Attributes:
        stage: the stage.
        key: what its result was made of, as a SHA-256.
        value: the result.
        seconds: how long it took when it was made, wall-clock.
        up_to_date: whether it was there already.
    """

    stage: Stage[Any, Any]
    key: str
    value: Record
    seconds: float
    up_to_date: bool


def now() -> float:
    """Return a clock's seconds, to measure a duration."""
    # Not the time of day, which is set back and forth while a build of hours runs.
    return time.monotonic()

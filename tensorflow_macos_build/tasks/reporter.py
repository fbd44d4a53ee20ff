"""What people see of a build while it works."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.command import print_parts
from tensorflow_macos_build.views import build as view
from tensorflow_macos_build.views import doctor as doctor_view
from tensorflow_macos_build.views import markdown, time_spent
from tensorflow_macos_build.views import rounds as rounds_view
from tensorflow_macos_build.workflow_commands import remarks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Console, Ticker
    from tensorflow_macos_build.locks import LockHolder
    from tensorflow_macos_build.pipeline.doctor import HostFinding
    from tensorflow_macos_build.pipeline.plan import BuildPlan, PlannedStage
    from tensorflow_macos_build.pipeline.rounds.model import Round
    from tensorflow_macos_build.pipeline.stage import FinishedStage


class TerminalReporter:
    """The observer of a build (`run.BuildObserver`) that writes to a terminal or a log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._why = ""

    def waiting_for(self, holder: LockHolder | None) -> None:
        """Print why nothing happens."""
        self._console.line(view.waiting_line(holder))

    def plan_made(self, plan: BuildPlan) -> None:
        """Print how much there is to do."""
        self._console.line(view.summary(plan), "bold")

    def looked_at(self, findings: Sequence[HostFinding]) -> None:
        """Print what was ignored, and what could not be looked at."""
        for line in doctor_view.as_lines(findings):
            self._console.line(line, "dim")

    @contextlib.contextmanager
    def stage_started(self, planned: PlannedStage) -> Iterator[Ticker]:
        """Show a stage at work, and fold what is told of it under why it has to run."""
        title, self._why = view.planned_line(planned), planned.why
        with self._console.group(title), self._console.progress(planned.stage.name) as ticker:
            yield ticker

    def note(self, text: str) -> None:
        """Print what happens in a stage, above its progress."""
        self._console.line(text, "red")
        for annotation in remarks(text, of_compiler=True):
            self._console.annotation(annotation)
        self._console.step_summary(markdown.verbatim(text))

    def round_ended(self, rounds: Sequence[Round], state: Path) -> None:
        """Print what this round ran, beside those before it."""
        print_parts(rounds_view.ended_lines(rounds, state), self._console)
        self._console.step_summary(rounds_view.as_markdown(rounds))

    def stage_done(self, finished: FinishedStage) -> None:
        """Print a stage's result, and of a Bazel build where its time went."""
        line = view.finished_line(finished, self._why)
        self._console.line(line.text, line.style)
        self._why = ""
        effort = time_spent.effort_of(finished)
        if effort is not None and self._console.folds:
            with self._console.group(time_spent.title(finished)):
                for text in time_spent.as_lines(effort):
                    self._console.line(text)
            self._console.step_summary(time_spent.as_markdown(finished, effort))

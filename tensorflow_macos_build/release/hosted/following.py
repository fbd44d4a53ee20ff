"""Settling what comes after a round: ask, decide, dispatch."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.release.hosted import rounds
from tensorflow_macos_build.release.hosted.rounds import NextStep, RoundDecision

if TYPE_CHECKING:
    from tensorflow_macos_build.release.hosted.actions import Repository
    from tensorflow_macos_build.release.workflows import StagedRelease


def settle(
    repository: Repository, release: StagedRelease, branch: str, run: int | None
) -> RoundDecision:
    """Decide what comes after a round, and start the next one if that is it.

    Args:
        repository: where the rounds run.
        release: what is built.
        branch: the branch or tag of the rounds.
        run: the round's run, all jobs of which but the asking one have ended; None: the newest
            round, which counts only when it has ended and was to go on.

    Raises:
        WorkFailed: the API does not answer.
    """
    if run is None:
        newest = next(iter(repository.rounds(release.workflow, branch)), None)
        if newest is None or newest["status"] != "completed":
            return RoundDecision(NextStep.NOTHING, "no round has ended and waits", {})
        run = int(newest["id"])
    ended, of_branch = repository.round_of(run, release.workflow, list(release.parts))
    decision = rounds.decide(ended, release.parts, release.limits)
    if decision.following is not None:
        repository.dispatch(release.workflow, of_branch, decision.following)
    _tell_workflow(decision)
    return decision


def exit_code(decision: RoundDecision) -> ExitCode:
    """Return the exit code of a decision: a build that stops without a wheel has failed."""
    return ExitCode.FAILED if decision.step is NextStep.STOP else ExitCode.DONE


def _tell_workflow(decision: RoundDecision) -> None:
    """Write the decision where later jobs of the workflow read it; elsewhere there is none."""
    if path := os.environ.get("GITHUB_OUTPUT"):
        with Path(path).open("a", encoding="utf-8") as outputs:
            outputs.write(f"step={decision.step.value}\n")

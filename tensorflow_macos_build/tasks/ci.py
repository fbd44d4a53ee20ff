"""`scripts/inv ci.generate`: the workflows that GitHub Actions runs, and what their jobs call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build import checkout
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, print_parts
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from tensorflow_macos_build.release.hosted.actions import Repository

_REPOSITORY = "OWNER/NAME; the default is $GITHUB_REPOSITORY."


@command()
def generate(_context: invoke.Context) -> None:
    """Make .github/workflows from the sources in ci/."""
    from tensorflow_macos_build.pipeline import checks
    from tensorflow_macos_build.release import workflows

    texts = checks.workflow_texts(checkout.root())
    made = workflows.generate(checkout.root(), texts)
    print_parts(Line(f"made: {path}") for path in made)


@command()
def check(_context: invoke.Context) -> ExitCode:
    """Show which workflows are not as ci/ says; 1 when there are some."""
    from tensorflow_macos_build.pipeline import checks
    from tensorflow_macos_build.release import workflows

    stale = workflows.stale(checkout.root(), checks.workflow_texts(checkout.root()))
    print_parts(Line(f"stale: {path}") for path in stale)
    return ExitCode.FAILED if stale else ExitCode.DONE


@command(
    positional=["part"],
    help={
        "part": "An architecture with a Python, such as arm64-3.12.",
        "state_dir": "The folder for the states.",
        "since": "The run from which on states count; 0: all of this branch do.",
        "branch": "The branch or tag of the rounds; the default is $GITHUB_REF_NAME.",
        "repository": _REPOSITORY,
        "plan": "Fetch nothing; print what would be looked for.",
    },
)
def states(
    _context: invoke.Context,
    part: str,
    *,
    state_dir: str = "states",
    since: int = 0,
    branch: str = "",
    repository: str = "",
    plan: bool = False,
) -> None:
    """Fetch the newest saved states of a staged build from the artifacts of its rounds."""
    from tensorflow_macos_build.release.hosted import states as fetching
    from tensorflow_macos_build.views import hosted as view

    named = branch or os.environ.get("GITHUB_REF_NAME", "main")
    request = fetching.StatesRequest(part, named, since, Path(state_dir))
    if plan:
        print_parts(view.states_planned(request))
        return
    with Console().progress("states") as ticker:
        fetched = fetching.fetch(_repository(repository), request, ticker)
    print_parts(view.states_fetched(request, fetched))


@command(
    name="next",
    help={
        "config": "The release, as ci/runners.yaml lists it.",
        "run": "The run of the round; the default is the newest one, if it has ended.",
        "branch": "The branch or tag of the rounds; the default is $GITHUB_REF_NAME.",
        "repository": _REPOSITORY,
        "plan": "Dispatch nothing; print what each outcome would lead to.",
    },
)
def next_round(
    _context: invoke.Context,
    *,
    config: str,
    run: int = 0,
    branch: str = "",
    repository: str = "",
    plan: bool = False,
) -> ExitCode:
    """Decide what comes after a round of a staged build: another one, the end, or a person."""
    from tensorflow_macos_build.release import workflows
    from tensorflow_macos_build.release.hosted import following
    from tensorflow_macos_build.views import hosted as view

    release = workflows.load(checkout.root()).staged_release(config)
    named = branch or os.environ.get("GITHUB_REF_NAME", "main")
    if plan:
        print_parts(view.round_planned(release))
        return ExitCode.DONE
    decision = following.settle(_repository(repository), release, named, run or None)
    print_parts(view.round_decided(decision))
    return following.exit_code(decision)


@command(
    positional=["folder"],
    help={
        "folder": "A folder with one for each queue: in it forecast.json, as `patches.forecast"
        " --json` prints it, and status.json, as `upstream.status --json` does.",
        "repository": _REPOSITORY,
        "plan": "Change nothing; print what the issues would say.",
    },
)
def report(
    _context: invoke.Context, folder: str, *, repository: str = "", plan: bool = False
) -> None:
    """Open, update or close the issue about each queue: how it and its picks stand."""
    from tensorflow_macos_build.release.hosted import issue, nightly
    from tensorflow_macos_build.release.publishing import destinations
    from tensorflow_macos_build.views import hosted as view

    server = os.environ.get("GITHUB_SERVER_URL", "https://github.com")
    issues = nightly.issues(Path(folder), destinations.checked_address(""), server)
    if plan:
        print_parts(view.issues_planned(issues))
        return
    print_parts(view.issues_settled(issue.publish(_repository(repository), issues)))


def _repository(name: str) -> Repository:
    from tensorflow_macos_build.release.hosted import actions
    from tensorflow_macos_build.release.publishing import destinations

    named = name or os.environ.get("GITHUB_REPOSITORY", "")
    return actions.open_repository(named, destinations.checked_address(""))


namespace = invoke.Collection("ci", generate, check, states, next_round, report)

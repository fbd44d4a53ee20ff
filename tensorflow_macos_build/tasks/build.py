"""The main job: from patches to a verified wheel in dist/."""

from __future__ import annotations

from pathlib import Path

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.config import SET_HELP, overrides


@command(
    default=True,
    positional=["config"],
    needs=("git", "bazel"),
    needs_none_with="plan",
    iterable=["set_", "force", "ignore"],
    help={
        "config": "A config under build_configs/, or the path of one.",
        "set_": SET_HELP,
        "plan": "Print what would be done and every command of it, and do nothing.",
        "arch": "Build only this one's thin wheel: arm64, x86_64 or host.",
        "until": "Stop after this stage.",
        "force": "Do this stage again although it is up to date; may be repeated.",
        "time_budget": "Stop in time to save what was built, and exit with 75; the same command"
        " goes on: 90s, 45m, 5h20m.",
        "state_dir": "The folder of saved states that is carried to another machine; by default"
        " build/<release>/rounds.",
        "ignore": "Go on in spite of the finding with this code; may be repeated.",
        "json": "Print one JSON document (schema build.v1, with --plan plan.v2).",
    },
)
def build(
    _context: invoke.Context,
    *,
    set_: list[str],
    force: list[str],
    ignore: list[str],
    config: str = "demo",
    plan: bool = False,
    arch: str = "",
    until: str = "",
    time_budget: str = "",
    state_dir: str = "",
    json: bool = False,
) -> ExitCode:
    """Build a release of the fork: patch, build, fuse, verify, smoke-test, and fill dist/."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline import plan as planning
    from tensorflow_macos_build.pipeline import run
    from tensorflow_macos_build.pipeline.rounds import budget
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.tasks.reporter import TerminalReporter
    from tensorflow_macos_build.views import build as view
    from tensorflow_macos_build.views import build_summary

    in_rounds = bool(time_budget or state_dir)
    workspace = Workspace(load(config, overrides(set_)), in_rounds)
    box = budget.time_box(time_budget, Path(state_dir) if state_dir else None, workspace)
    # Flags have texts for defaults, since invoke takes a flag's type from its default; an empty one
    # was not given.
    request = planning.BuildRequest(arch or None, until or None, tuple(force), tuple(ignore), box)
    if plan:
        from tensorflow_macos_build.pipeline import preflight  # a build that is done needs it not

        stages = planning.make(workspace, request)
        findings = preflight.examine(workspace, ignore, box=box)
        document = view.plan_document(stages, findings)
        present(document, view.plan_lines(stages, findings), json=json)
        return preflight.exit_code(findings)
    done = run.build(workspace, request, TerminalReporter(Console()))
    Console().step_summary(build_summary.as_markdown(workspace.release.name, done))
    present(view.as_document(workspace, done), view.as_lines(workspace, done), json=json)
    return ExitCode.DONE


@command(
    help={
        "config": "A config under build_configs/, or the path of one.",
        "state_dir": "The folder of saved states; by default build/<release>/rounds.",
        "check": "Read all bytes of them, as a build does before it uses one; exit with 1 if one is"
        " bad.",
        "json": "Print one JSON document (schema rounds.v1).",
    },
)
def rounds(
    _context: invoke.Context,
    *,
    config: str = "demo",
    state_dir: str = "",
    check: bool = False,
    json: bool = False,
) -> ExitCode:
    """Show the saved states of a time-boxed build, and what each of its rounds ran."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.views import rounds as view

    folder = Path(state_dir) if state_dir else Workspace(load(config)).rounds
    reports = StateFolder(folder).report(check=check)
    present(view.as_document(reports), view.as_lines(reports), json=json)
    is_bad = check and any(report.state is None for report in reports)
    return ExitCode.FAILED if is_bad else ExitCode.DONE


namespace = invoke.Collection("build", build, rounds)

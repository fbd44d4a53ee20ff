"""The main job: from patches to a verified wheel in dist/."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.config import SET_HELP, overrides

if TYPE_CHECKING:
    import invoke


@command(
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
    json: bool = False,
) -> ExitCode:
    """Build a release of the fork: patch, build, fuse, verify, smoke-test, and fill dist/."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline import plan as planning
    from tensorflow_macos_build.pipeline import run
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.tasks.reporter import TerminalReporter
    from tensorflow_macos_build.views import build as view

    workspace = Workspace(load(config, overrides(set_)))
    # Flags have texts for defaults, since invoke takes a flag's type from its default; an empty one
    # was not given.
    request = planning.BuildRequest(arch or None, until or None, tuple(force), tuple(ignore))
    if plan:
        from tensorflow_macos_build.pipeline import preflight  # a build that is done needs it not

        stages = planning.make(workspace, request)
        findings = preflight.examine(workspace, ignore)
        document = view.plan_document(stages, findings)
        present(document, view.plan_lines(stages, findings), json=json)
        return preflight.exit_code(findings)
    done = run.build(workspace, request, TerminalReporter(Console()))
    present(view.as_document(workspace, done), view.as_lines(workspace, done), json=json)
    return ExitCode.DONE

"""`scripts/inv doctor`: what stands in the way of a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke

    from tensorflow_macos_build.errors import ExitCode


@command(
    positional=["config"],
    iterable=["ignore"],
    help={
        "config": "a config under build_configs/, or the path of one",
        "ignore": "do not count the finding with this code; may be repeated",
        "json": "print one JSON document (schema doctor.v1)",
    },
)
def doctor(
    _context: invoke.Context, *, ignore: list[str], config: str = "demo", json: bool = False
) -> ExitCode:
    """Show what a build of a config needs, whether it is here, and what is known to break it."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline import preflight
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.views import doctor as doctor_view

    workspace = Workspace(load(config))
    findings = preflight.examine(workspace, ignore)
    document = doctor_view.as_document(workspace.release.name, findings)
    present(document, [doctor_view.as_table(findings)], json=json)
    return preflight.exit_code(findings)

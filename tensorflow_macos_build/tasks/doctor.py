"""`scripts/inv doctor`: what this machine lacks for a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke


@command(
    help={
        "config": "a config under build_configs/, or the path of one",
        "json": "print one JSON document (schema doctor.v1)",
    },
)
def doctor(_context: invoke.Context, config: str = "demo", json: bool = False) -> ExitCode:
    """Show what a build of a config needs, whether it is here, and what installs it."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline.doctor import examine
    from tensorflow_macos_build.views import doctor as doctor_view

    loaded = load(config)
    findings = examine(loaded.release, loaded.root)
    document = doctor_view.as_document(loaded.release.name, findings)
    present(document, [doctor_view.as_table(findings)], json=json)
    stopped = any(finding.stops_the_build for finding in findings)
    return ExitCode.FAILED if stopped else ExitCode.DONE

"""`scripts/inv doctor`: what this machine lacks for a build."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, emit

if TYPE_CHECKING:
    import invoke


@command(
    auto_shortflags=False,
    help={
        "config": "a config under build_configs/, or the path of one",
        "json": "print one JSON document (schema doctor.v1)",
    },
)
def doctor(_context: invoke.Context, config: str = "demo", json: bool = False) -> ExitCode:
    """Tell what a build of a config needs, whether it is here, and what installs it."""
    from tensorflow_macos_build.config import load
    from tensorflow_macos_build.pipeline.doctor import examine
    from tensorflow_macos_build.views import doctor as doctor_view

    loaded = load(config)
    findings = examine(loaded.release, loaded.root)
    if json:
        emit(doctor_view.as_document(loaded.release.name, findings))
    else:
        Console(stderr=False).table(doctor_view.as_table(findings))
    return ExitCode.FAILED if any(each.stops_the_build for each in findings) else ExitCode.DONE

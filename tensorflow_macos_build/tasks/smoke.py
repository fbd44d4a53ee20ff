"""`scripts/inv smoke`: a wheel tried on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke


@command(
    positional=["wheel"],
    help={
        "wheel": "The wheel's file.",
        "module": "The module to import from it.",
        "timeout": "Seconds that it may take for each processor.",
        "json": "Print one JSON document (schema smoke.v1).",
    },
)
def smoke(
    _context: invoke.Context,
    wheel: str,
    module: str = "tensorflow",
    timeout: float = 600.0,
    json: bool = False,
) -> ExitCode:
    """Install a wheel into a fresh environment, compute and train; show on what device."""
    from pathlib import Path

    from tensorflow_macos_build import smoke as room
    from tensorflow_macos_build.views import smoke as smoke_view

    options = room.SmokeOptions(module=module, timeout_s=timeout)
    with Console().progress("smoke") as ticker:
        result = room.smoke(Path(wheel), options, ticker)
    present(smoke_view.as_document(result), [smoke_view.as_table(result)], json=json)
    # Where nothing could be tried nothing is proven: that is no pass.
    return ExitCode.DONE if result.ran and not result.failed else ExitCode.FAILED

"""The task that weighs a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke


@command(
    positional=["wheel"],
    help={
        "wheel": "The wheel to weigh: any wheel, thin, universal or pure.",
        "json": "Print one JSON document (schema wheel-contents.v1).",
    },
)
def contents(_context: invoke.Context, wheel: str, *, json: bool = False) -> None:
    """Show what a wheel weighs, by folder and architecture."""
    from tensorflow_macos_build.views import contents as view
    from tensorflow_macos_build.wheels import contents as reading

    read = reading.read(Path(wheel))
    present(view.as_document(read), view.as_lines(read), json=json)

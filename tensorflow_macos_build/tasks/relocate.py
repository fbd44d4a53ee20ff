"""The task that moves the libraries that a wheel needs into the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import DIST

if TYPE_CHECKING:
    import invoke


@command(
    positional=["wheel"],
    iterable=["lib_dir"],
    help={
        "wheel": "A wheel for macOS.",
        "out": "The folder to put the wheel in; one that needs nothing is linked into it as it is.",
        "lib_dir": "A folder to look for libraries in first; may be repeated.",
        "json": "Print one JSON document (schema relocation.v1).",
    },
)
def relocate(
    _context: invoke.Context,
    wheel: str,
    *,
    lib_dir: list[str],
    out: str = DIST,
    json: bool = False,
) -> None:
    """Copy the libraries that a wheel needs from elsewhere into it; only the system's stay out."""
    from tensorflow_macos_build.views import relocate as relocate_view
    from tensorflow_macos_build.wheels.relocate.engine import relocate

    lib_dirs = tuple(map(Path, lib_dir))
    with Console().progress("relocate") as ticker:
        relocated = relocate(Path(wheel), Path(out), lib_dirs=lib_dirs, ticker=ticker)
    present(relocate_view.as_document(relocated), relocate_view.as_lines(relocated), json=json)

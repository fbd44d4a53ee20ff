"""`scripts/inv smoke.sweep`: every kernel of a device, called beside the reference."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks import flag_help
from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    import invoke


@command(
    positional=["wheel"],
    help={
        **flag_help.TRIED,
        "device": "The device to sweep; the default is GPU:0.",
        "ops": "Names of the only ops to call, with commas between them.",
        "timeout": "Seconds that one case may take; the default is 60.",
        "jobs": "Processes that call at the same time; the default is one a core, at most 8.",
        "markdown": "Write the table of errors by op into this file, too.",
        "svg": "Write the errors into this file, too, as a picture.",
        "json": "Print one JSON document (schema smoke-sweep.v1).",
    },
)
def sweep(
    _context: invoke.Context,
    wheel: str | None = None,
    *,
    requirement: str = "",
    python: str = "",
    device: str = "",
    reference: str = "",
    ops: str = "",
    plugin: str = "",
    wheelhouse: str = "",
    constraints: str = "",
    timeout: float = 60.0,
    jobs: int = 0,
    environment: str = "",
    markdown: str = "",
    svg: str = "",
    json: bool = False,
) -> ExitCode:
    """Call every kernel that a device registers, twice, beside the reference."""
    from pathlib import Path

    from tensorflow_macos_build.smoke import sweep as room
    from tensorflow_macos_build.tasks import smoke_flags
    from tensorflow_macos_build.views import sweep as view
    from tensorflow_macos_build.views import sweep_picture

    made_of = {"plugin": plugin, "wheelhouse": wheelhouse, "constraints": constraints}
    request = smoke_flags.request(wheel, requirement, python=python, **made_of)
    tried = smoke_flags.options(
        "", python=python, device=device, reference=reference, environments=environment
    )
    options = smoke_flags.sweep_options(ops, timeout, jobs)
    smoke_flags.refuse_unwritable(markdown, svg)
    with Console().progress("sweep") as ticker:
        report = room.sweep(request, tried, options, ticker)
    if markdown:
        files.write_text(Path(markdown), view.as_markdown(report))
    if svg:
        files.write_text(Path(svg), sweep_picture.draw(report))
    present(view.as_document(report), view.as_parts(report), json=json)
    return ExitCode.DONE if report.passed else ExitCode.FAILED

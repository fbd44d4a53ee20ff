"""Tasks that check a finished wheel and explain what they found."""

from __future__ import annotations

import sys
from pathlib import Path

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, emit


@command(
    positional=["wheel"],
    iterable=["must_export", "allow"],
    auto_shortflags=False,
    help={
        "wheel": "The wheel to check: any wheel, thin, universal or pure.",
        "json": "Print one JSON document (schema verification.v1).",
        "explain": "Show only findings of this code, and its page.",
        "must_export": "Symbols that must be exported: a file of C names, @LIST, or one name;"
        " may be repeated.",
        "allow": "A known finding to accept, as CODE or CODE:GLOB (of members); may be repeated.",
        "config": "Take must_export and allow from this config too.",
    },
)
def run(
    _context: invoke.Context,
    wheel: str,
    *,
    must_export: list[str],
    allow: list[str],
    json: bool = False,
    explain: str = "",
    config: str = "",
) -> ExitCode:
    """Check a wheel as pip, dyld and the kernel of macOS would; 1 when there are errors."""
    from tensorflow_macos_build.views import verify as verify_view
    from tensorflow_macos_build.wheels.verify import verify

    options = verify_view.options(must_export, allow, config)
    code = verify_view.code_of(explain)
    with Console().progress("verify") as ticker:
        found = verify(Path(wheel), options, ticker)
    emit(verify_view.as_document(found)) if json else verify_view.show(found, code)
    return ExitCode.DONE if found.ok else ExitCode.FAILED


@command(
    positional=["code"],
    auto_shortflags=False,
    help={"code": "A finding's code, such as rpath-misses."},
)
def explain(_context: invoke.Context, code: str) -> None:
    """Print what a finding means, why it matters, and what to do."""
    from tensorflow_macos_build.wheels.verify import Code

    sys.stdout.write(Code.named(code).explanation())


namespace = invoke.Collection("verify", explain)
namespace.add_task(run, default=True)

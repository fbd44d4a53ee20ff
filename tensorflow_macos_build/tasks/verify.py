"""Tasks that check a finished wheel and explain the findings."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import ExitCode
from tensorflow_macos_build.tasks.command import command, present

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.wheels.verify import VerifyOptions


@command(
    positional=["wheel"],
    iterable=["must_export", "allow", "with_"],
    help={
        "wheel": "The wheel to check: any wheel, thin, universal or pure.",
        "json": "Print one JSON document (schema verification.v1).",
        "explain": "Show only findings of this code, and its page.",
        "must_export": "Symbols that must be exported: a file of C names, @LIST, or one name;"
        " may be repeated.",
        "allow": "A known finding to accept, as CODE or CODE:GLOB (of members); may be repeated.",
        "with_": "A plugin's wheel, which must load from beside this one; may be repeated.",
        "config": "Take must_export and allow from this config too.",
    },
)
def run(
    _context: invoke.Context,
    wheel: str,
    *,
    must_export: list[str],
    allow: list[str],
    with_: list[str],
    json: bool = False,
    explain: str = "",
    config: str = "",
) -> ExitCode:
    """Check a wheel as pip, dyld and the kernel of macOS would; 1 when there are errors."""
    from tensorflow_macos_build.views import verify as verify_view
    from tensorflow_macos_build.wheels.verify import Code, verify

    options = verify_options(must_export, allow, config, with_)
    # Before the wheel is read, which takes long: a code that is none is refused at once.
    code = Code.named(explain) if explain else None
    with Console().progress("verify") as ticker:
        verification = verify(Path(wheel), options, ticker)
    lines = verify_view.as_lines(verification, code, code.explanation() if code else "")
    present(verify_view.as_document(verification), lines, json=json)
    return ExitCode.DONE if verification.ok else ExitCode.FAILED


def verify_options(
    must_export: Sequence[str], allow: Sequence[str], config: str, plugins: Sequence[str] = ()
) -> VerifyOptions:
    """Return what the flags of `verify` and a config ask for, the config's first.

    Raises:
        UsageError: the config is wrong, or a file of symbols cannot be read.
    """
    from tensorflow_macos_build import config as configs
    from tensorflow_macos_build.wheels.verify import VerifyOptions
    from tensorflow_macos_build.wheels.verify.must_export import entries

    configured = configs.load(config).release.verify if config else None
    symbols = configured.must_export if configured else ()
    accepted = configured.allow if configured else ()
    return VerifyOptions(
        must_export=(*symbols, *entries(must_export)),
        allow=(*accepted, *allow),
        plugins=tuple(map(Path, plugins)),
    )


@command(
    positional=["code"],
    help={"code": "A finding's code, such as rpath-misses."},
)
def explain(_context: invoke.Context, code: str) -> None:
    """Print what a finding means, why it matters, and what to do."""
    from tensorflow_macos_build.wheels.verify import Code

    sys.stdout.write(Code.named(code).explanation())


namespace = invoke.Collection("verify", explain)
namespace.add_task(run, default=True)

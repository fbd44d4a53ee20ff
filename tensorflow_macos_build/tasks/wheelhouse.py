"""The task that makes a wheelhouse."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import command, emit
from tensorflow_macos_build.tasks.folders import WHEELHOUSE, WHEELS

if TYPE_CHECKING:
    import invoke


@command(
    positional=["requirement"],
    iterable=["rule", "thin", "allow"],
    auto_shortflags=False,
    help={
        "requirement": "A requirement such as tensorflow==2.16.2, or a config, NAME.yaml, whose"
        " `wheelhouse` lists some.",
        "out": "The folder to make; an older wheelhouse in its place is replaced.",
        "python": "CPython's version; the default is the config's, else 3.11.",
        "macos_x86_64": "The lowest macOS of Intel Macs; the default is the config's, else 10.15.",
        "macos_arm64": "The lowest macOS of Apple silicon; the default is the config's, else 12.0.",
        "index": "The index's address (PEP 503 or 691); the default is uv's: UV_DEFAULT_INDEX.",
        "cache": "The folder for what is fetched and fused.",
        "rule": "A verdict for files that differ, as PROJECT:GLOB=VERDICT (see `fuse`); may be"
        " repeated.",
        "rules": "A file of such verdicts, as errors of this task print it; --rule counts first.",
        "thin": "A project to leave as two thin wheels; may be repeated.",
        "allow": "A known finding of `verify` to accept, as CODE or CODE:GLOB; may be repeated.",
        "json": "Print one JSON document (schema wheelhouse.v1).",
    },
)
def wheelhouse(
    _context: invoke.Context,
    requirement: str,
    *,
    rule: list[str],
    thin: list[str],
    allow: list[str],
    rules: str = "",
    out: str = WHEELHOUSE,
    python: str = "",
    macos_x86_64: str = "",
    macos_arm64: str = "",
    index: str = "",
    cache: str = WHEELS,
    json: bool = False,
) -> None:
    """Make a folder of wheels that installs on Intel Macs and on Apple silicon alike."""
    from tensorflow_macos_build.views import wheelhouse as view
    from tensorflow_macos_build.wheels import wheelhouse

    macos = {"x86_64": macos_x86_64, "arm64": macos_arm64}
    order = view.order(requirement, python=python, macos=macos, index=index, cache=cache)
    order = view.detailed(order, rule=rule, rules=rules, thin=thin, allow=allow)
    with Console().progress("wheelhouse") as ticker:
        made = wheelhouse.build(order.requirements, Path(out), order.options, ticker)
    emit(view.as_document(order, made)) if json else view.show(made)

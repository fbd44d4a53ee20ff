"""How a wheelhouse is asked for and shown."""

from __future__ import annotations

import dataclasses
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from rich.table import Table

from tensorflow_macos_build import documents
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.wheelhouse import WheelhouseOptions
from tensorflow_macos_build.wheels.wheelhouse import rules as known_rules
from tensorflow_macos_build.wheels.wheelhouse.target import version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.wheels.wheelhouse import Wheelhouse

_DEFAULTS = {"python": "3.11", "x86_64": "10.15", "arm64": "12.0"}
_MEGABYTE = 1_000_000


@dataclass(frozen=True)
class WheelhouseRequest:
    """What is asked for: the requirements, and for which Macs."""

    requirements: tuple[str, ...]
    options: WheelhouseOptions


def order(
    requirement: str, *, python: str, macos: Mapping[str, str], index: str, cache: str
) -> WheelhouseRequest:
    """Put together what the flags and a config ask for; a flag counts more.

    Raises:
        UsageError: a version is malformed, or the config has no wheelhouse.
    """
    requirements, told = _from_config(requirement)
    told = {**_DEFAULTS, **told, **{key: value for key, value in macos.items() if value}}
    options = WheelhouseOptions(
        cache=Path(cache),
        python=version(python or told["python"], "--python"),
        macos={
            "x86_64": version(told["x86_64"], "--macos-x86-64"),
            "arm64": version(told["arm64"], "--macos-arm64"),
        },
        index=index or None,
    )
    return WheelhouseRequest(requirements, options)


def detailed(
    found: WheelhouseRequest,
    *,
    rule: Sequence[str],
    rules: str,
    thin: Sequence[str],
    allow: Sequence[str],
) -> WheelhouseRequest:
    """Add what the repeatable flags and a file of rules say.

    Raises:
        UsageError: a rule is malformed, or the file cannot be read.
    """
    saved = known_rules.read(Path(rules)) if rules else ()
    options = dataclasses.replace(
        found.options,
        rules=(*map(known_rules.parse_known_rule, rule), *saved),
        thin=frozenset(map(canonicalize_name, thin)),
        allow=tuple(allow),
    )
    return dataclasses.replace(found, options=options)


def _from_config(requirement: str) -> tuple[tuple[str, ...], dict[str, str]]:
    if not requirement.endswith(".yaml"):
        return (requirement,), {}
    from tensorflow_macos_build import config

    release = config.load(requirement).release
    if not release.wheelhouse:
        raise UsageError(
            "the config lists no requirement under `wheelhouse`",
            where=requirement,
            hint="add e.g. `wheelhouse: [tensorflow==2.16.2]`, or give a requirement",
        )
    host = f"{sys.version_info.major}.{sys.version_info.minor}"
    told = {"python": host if release.python == "host" else release.python}
    told["arm64"] = release.architectures.arm64.deployment_target
    told["x86_64"] = release.architectures.x86_64.deployment_target
    return release.wheelhouse, told


def as_document(found: WheelhouseRequest, made: Wheelhouse) -> documents.Json:
    """Return a wheelhouse as a document of the schema wheelhouse.v1."""
    macos = found.options.macos
    wheels = [
        {
            "name": one.name,
            "version": one.version,
            "file": one.file,
            "sha256": one.sha256,
            "size": one.size,
            "how": one.kind.value,
            "archs": list(one.archs),
            "sources": list(one.sources),
        }
        for one in made.wheels
    ]
    body = {
        "folder": str(made.folder),
        "lock": str(made.lock),
        "requirements": list(found.requirements),
        "python": _dotted(found.options.python),
        "macos": {arch: _dotted(macos[arch]) for arch in sorted(macos)},
        "wheels": wheels,
        "notes": list(made.notes),
    }
    return documents.document("wheelhouse", 1, body)


def show(made: Wheelhouse) -> None:
    """Print what the house holds, the notes, and how to install from it."""
    console = Console(stderr=False)
    table = Table("wheel", "how", "MB", box=None, pad_edge=False)
    for one in made.wheels:
        table.add_row(one.file, one.kind.value, f"{one.size / _MEGABYTE:.1f}")
    console.table(table)
    for note in made.notes:
        console.line(f"note: {note}", "yellow")
    total = sum(one.size for one in made.wheels) / _MEGABYTE
    console.line(f"{len(made.wheels)} wheels, {total:.1f} MB in {made.folder}", "bold")
    flags = (
        "--no-index",
        "--find-links",
        str(made.folder),
        "--require-hashes",
        "-r",
        str(made.lock),
    )
    console.line(shlex.join(["pip", "install", *flags]))


def _dotted(found: tuple[int, int]) -> str:
    return f"{found[0]}.{found[1]}"

"""The task that makes a wheelhouse."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.tasks.command import command, present
from tensorflow_macos_build.tasks.folders import WHEELHOUSE, WHEELS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import invoke

    from tensorflow_macos_build.wheels.wheelhouse import WheelhouseRequest

_DEFAULTS = {"python": "3.11", "x86_64": "10.15", "arm64": "12.0"}
"""What counts where neither a flag nor a config says it."""


@command(
    positional=["requirement"],
    iterable=["rule", "thin", "allow"],
    help={
        "requirement": "A requirement such as tensorflow==2.16.2, or the path of a config,"
        " build_configs/NAME.yaml, whose `wheelhouse` lists some.",
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
    request = wheelhouse_request(requirement, python=python, macos=macos, index=index, cache=cache)
    request = with_rules(request, rule=rule, rules=rules, thin=thin, allow=allow)
    with Console().progress("wheelhouse") as ticker:
        made = wheelhouse.build(request.requirements, Path(out), request.options, ticker)
    present(view.as_document(request, made), view.as_lines(made), json=json)


def wheelhouse_request(
    requirement: str, *, python: str, macos: Mapping[str, str], index: str, cache: str
) -> WheelhouseRequest:
    """Return what the flags and a config ask for; a flag counts more.

    Raises:
        UsageError: a version is malformed, or the config has no wheelhouse.
    """
    from tensorflow_macos_build.wheels.wheelhouse import WheelhouseOptions, WheelhouseRequest
    from tensorflow_macos_build.wheels.wheelhouse.target import version

    requirements, configured = _from_config(requirement)
    flags = {"python": python, **macos}
    # The later counts: a flag over the config, and that over the defaults.
    chosen = {**_DEFAULTS, **configured, **{key: text for key, text in flags.items() if text}}
    options = WheelhouseOptions(
        cache=Path(cache),
        python=version(chosen["python"], "--python"),
        macos={
            "x86_64": version(chosen["x86_64"], "--macos-x86-64"),
            "arm64": version(chosen["arm64"], "--macos-arm64"),
        },
        index=index or None,
    )
    return WheelhouseRequest(requirements, options)


def with_rules(
    request: WheelhouseRequest,
    *,
    rule: Sequence[str],
    rules: str,
    thin: Sequence[str],
    allow: Sequence[str],
) -> WheelhouseRequest:
    """Return a request with what the repeatable flags and a file of rules say.

    Raises:
        UsageError: a rule is malformed, or the file cannot be read.
    """
    from packaging.utils import canonicalize_name

    from tensorflow_macos_build.wheels.wheelhouse import rules as known_rules

    saved = known_rules.read(Path(rules)) if rules else ()
    options = replace(
        request.options,
        # the first rule that matches counts, so those that were typed stand before a file's
        rules=(*map(known_rules.parse_known_rule, rule), *saved),
        thin=frozenset(map(canonicalize_name, thin)),
        allow=tuple(allow),
    )
    return replace(request, options=options)


def _from_config(requirement: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the requirements and versions that a config states; of a requirement, itself."""
    # A config is told by its ending: its bare name would be a project's.
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
    # `host` in a config is the Python that builds, which is this one.
    host = f"{sys.version_info.major}.{sys.version_info.minor}"
    return release.wheelhouse, {
        "python": host if release.python == "host" else release.python,
        "arm64": release.architectures.arm64.deployment_target,
        "x86_64": release.architectures.x86_64.deployment_target,
    }

"""The flags of `smoke`: what is tried, and how."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import config as configs
from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline.stages import prove
from tensorflow_macos_build.smoke import EnvironmentRequest, SmokeOptions
from tensorflow_macos_build.smoke.sweep import SweepOptions
from tensorflow_macos_build.views import smoke_junit, smoke_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.smoke import SmokeReport

_READ: dict[str, Callable[[str], Any]] = {
    "checks": lambda text: tuple(filter(None, text.split(","))),
    "environments": Path,
}
"""How the text of a flag is read, where it is more than text."""


def request(
    wheel: str | None, requirement: str, *, python: str, **made_of: str
) -> EnvironmentRequest:
    """Return what the environment is made of.

    Args:
        wheel: the wheel's file.
        requirement: what is tried in the place of a wheel.
        python: the Python of the environment; alone, it is tried as it is.
        made_of: `plugin`, `wheelhouse` and `constraints`: files and a folder.

    Raises:
        UsageError: two things are to be tried, or none; or a file is not there.
    """
    if wheel and requirement:
        raise UsageError("give a wheel or `--requirement`, not both")
    if not (wheel or requirement or python):
        raise UsageError("give a wheel, `--requirement`, or `--python` to try what it has")
    given = {name: Path(value) for name, value in made_of.items() if value}
    if given and not (wheel or requirement):
        raise UsageError(
            f"`--{next(iter(given))}` is for an environment that is made; give a wheel, too"
        )
    return EnvironmentRequest(
        wheel=Path(wheel) if wheel else None,
        requirement=requirement,
        **given,
    )


def check_set(quick: bool, soak: bool) -> str:
    """Return the set that two flags ask for; empty for none.

    Raises:
        UsageError: they ask for two.
    """
    if quick and soak:
        raise UsageError("`--quick` and `--soak` are two sets; give one of them")
    return "quick" if quick else "soak" if soak else ""


def options(config: str, **given: Any) -> SmokeOptions:
    """Return what a config asks for, or the defaults, with the flags that were given over it.

    Raises:
        UsageError: the config or a value is wrong.
    """
    base = prove.options_of(configs.load(config).release.smoke) if config else SmokeOptions()
    read = {
        name: _READ[name](value) if name in _READ else value
        for name, value in given.items()
        if value  # what is empty or 0 is a flag's default, and means what the config says
    }
    return dataclasses.replace(base, **read)


def refuse_unwritable(*names: str) -> None:
    """Refuse results' files that could not be written; an empty name is of no file.

    Raises:
        OSError: one cannot be.
    """
    for name in filter(None, names):
        files.refuse_unwritable(Path(name))


def write_files(report: SmokeReport, *, junit: str, page: str) -> None:
    """Write a result as JUnit XML and as a page, where files are named for them."""
    if junit:
        files.write_text(Path(junit), smoke_junit.as_xml(report))
    if page:
        files.write_text(Path(page), smoke_page.as_page(report))


def sweep_options(ops: str, timeout_s: float, jobs: int) -> SweepOptions:
    """Return which calls a sweep makes.

    Raises:
        UsageError: a number makes no sense.
    """
    names = tuple(filter(None, ops.split(",")))
    if not jobs:
        return SweepOptions(ops=names, timeout_s=timeout_s)
    return SweepOptions(ops=names, timeout_s=timeout_s, jobs=jobs)

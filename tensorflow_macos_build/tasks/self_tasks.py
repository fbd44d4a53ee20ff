"""`scripts/inv self.install`: this program by its bare name, with completion."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import invoke

from tensorflow_macos_build import checkout, installation
from tensorflow_macos_build.installation import PlaceState
from tensorflow_macos_build.tasks import completion
from tensorflow_macos_build.tasks.command import command, print_parts
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.installation import Placement

_DONE = {
    PlaceState.MISSING: "install",
    PlaceState.OUTDATED: "renew",
    PlaceState.INSTALLED: "there already",
    PlaceState.FOREIGN: "kept, somebody else's",
}

_UNDONE = {
    PlaceState.MISSING: "not there",
    PlaceState.OUTDATED: "remove",
    PlaceState.INSTALLED: "remove",
    PlaceState.FOREIGN: "kept, somebody else's",
}


@command(help={"plan": "Print what would be done, and do nothing."})
def install(_context: invoke.Context, *, plan: bool = False) -> None:
    """Make `inv` a program of yours: a link in ~/.local/bin, and completion for your shells."""
    wanted = _placements()
    lines = [f"{_DONE[item.state]}: {item.described}" for item in wanted]
    if not plan:
        installation.install(wanted)
    print_parts(map(Line, [*lines, *_advised(wanted)]))


@command(help={"plan": "Print what would be done, and do nothing."})
def uninstall(_context: invoke.Context, *, plan: bool = False) -> None:
    """Take away what `self.install` has put into your folders."""
    wanted = _placements()
    lines = [f"{_UNDONE[item.state]}: {item.described}" for item in wanted]
    if not plan:
        installation.uninstall(wanted)
    print_parts(map(Line, lines))


def _placements() -> tuple[Placement, ...]:
    scripts = {shell: completion.script(shell) for shell in completion.SHELLS}
    return installation.placements(checkout.root() / "scripts/inv", scripts, os.environ)


def _advised(wanted: tuple[Placement, ...]) -> Iterator[str]:
    lines = installation.advice(wanted, os.environ.get("PATH", ""))
    if lines:
        yield "For your shell's start-up file (~/.bashrc; ~/.zshrc, above compinit):"
    yield from (f"    {line}" for line in lines)


namespace = invoke.Collection("self", install, uninstall)

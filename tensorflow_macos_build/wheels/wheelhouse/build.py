"""Building a wheelhouse: resolve for both kinds of Mac, fetch, fuse, verify, lock.

The folder appears in one step, when it is whole. What was fetched and fused stays in the cache, so
a second run, or one after a kill, does only what is left.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import in_phase, silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.wheelhouse.builder import WheelhouseBuilder
from tensorflow_macos_build.wheels.wheelhouse.choose import choose
from tensorflow_macos_build.wheels.wheelhouse.fetch import fetch
from tensorflow_macos_build.wheels.wheelhouse.lock import LOCK
from tensorflow_macos_build.wheels.wheelhouse.model import Wheelhouse
from tensorflow_macos_build.wheels.wheelhouse.resolve import resolve
from tensorflow_macos_build.wheels.wheelhouse.target import Target

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.wheels.wheelhouse.model import WheelhouseOptions
    from tensorflow_macos_build.wheels.wheelhouse.resolve import ResolvedPackages


def build(
    requirements: Sequence[str], out: Path, options: WheelhouseOptions, ticker: Ticker = silent
) -> Wheelhouse:
    """Make a folder that installs requirements on both kinds of Mac.

    Args:
        requirements: requirements such as "tensorflow==2.16.2".
        out: the folder; an older one is replaced when the new one is whole.
        options: for which Macs, and how.
        ticker: told how far the work is.

    Raises:
        UsageError: a requirement is malformed.
        WorkFailed: they cannot be met, fetched, fused or verified.
    """
    # Before the network is asked: what is fetched may take an hour, and be of no use.
    _refuse_foreign(out)
    targets = [Target(arch, os, options.python) for arch, os in sorted(options.macos.items())]
    resolution = resolve(
        requirements,
        targets,
        index=options.index,
        cache=options.cache,
        ticker=in_phase(ticker, 1, 4, "resolving"),
    )
    choices = choose(resolution.packages)
    offers = [offer for choice in choices for offer in choice.offers]
    fetching = in_phase(ticker, 2, 4, "fetching")
    paths = fetch(offers, options.cache, options.retry, fetching)
    builder = WheelhouseBuilder(options, paths)
    fusing = in_phase(ticker, 3, 4, "fusing")
    for number, choice in enumerate(choices):
        fusing(number, len(choices), choice.name, unit="packages")
        builder.take(choice)
    # Only now, so that one run shows all rules that a person has to write.
    builder.refuse_unsettled()
    builder.verify(in_phase(ticker, 4, 4, "verifying"))
    builder.write(out)
    notes = (*_lowered(resolution), *builder.notes)
    return Wheelhouse(out, out / LOCK, tuple(builder.wheels), notes)


def _refuse_foreign(out: Path) -> None:
    """Refuse to replace a folder that is no wheelhouse."""
    if out.exists() and not (out / LOCK).is_file() and any(out.iterdir()):
        raise WorkFailed(
            "the folder holds other things than a wheelhouse, and would be replaced",
            where=str(out),
            hint="give a folder by --out that is empty, or not there",
        )


def _lowered(resolution: ResolvedPackages) -> list[str]:
    return [
        f"{name} is {taken}: one kind of Mac alone would get {alone}, which the other cannot have"
        for name, taken, alone in resolution.lowered
    ]

"""Which releases of TensorFlow export a symbol, as far as the table of plugins has looked.

`plugins.json` beside this module is what `scripts/inv plugins.matrix --json` printed
(docs/plugins.md).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class SymbolHistory:
    """The releases that export a symbol.

    Attributes:
        last: the newest that does.
        gone: the one after it, which does not; None when the newest known one does.
    """

    last: str
    gone: str | None


def is_known(arch: str, name: str) -> bool:
    """Whether some release exports a symbol on an architecture."""
    return name in _symbols(arch)[1]


def history(arch: str, name: str) -> SymbolHistory | None:
    """Return which releases export a symbol; None when none is known to."""
    releases, symbols = _symbols(arch)
    if name not in symbols:
        return None
    newest = max(symbols[name])
    gone = releases[newest + 1] if newest + 1 < len(releases) else None
    return SymbolHistory(releases[newest], gone)


@cache
def _symbols(arch: str) -> tuple[list[str], dict[str, list[int]]]:
    """Return the releases, oldest first, and for each symbol the places of those that have it."""
    file = resources.files("tensorflow_macos_build.wheels.verify") / "plugins.json"
    document: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    table = document["symbols"].get(arch, {"releases": [], "exported": {}})
    exported = {name: _places(ranges) for name, ranges in table["exported"].items()}
    return table["releases"], exported


def _places(ranges: list[list[int]]) -> list[int]:
    return [place for first, last in ranges for place in range(first, last + 1)]

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


def plugins() -> tuple[str, ...]:
    """Return the plugins of the table, such as `tensorflow-metal==1.2.0`."""
    return tuple(dict.fromkeys(_pin(plugin) for plugin in _table()["plugins"]))


def taken(pin: str) -> tuple[str, ...]:
    """Return the C names, without Mach-O's underscore, that a plugin takes of TensorFlow."""
    names = {
        name
        for plugin in _table()["plugins"]
        if _pin(plugin) == pin
        for first, last in plugin["takes"]
        for name in _table()["names"][first : last + 1]
    }
    return tuple(sorted(name[1:] for name in names if not name.startswith("__Z")))


def _pin(plugin: dict[str, str]) -> str:
    return f"{plugin['project']}=={plugin['version']}"


@cache
def _table() -> dict[str, Any]:
    file = resources.files("tensorflow_macos_build.wheels.verify") / "plugins.json"
    table: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return table


@cache
def _symbols(arch: str) -> tuple[list[str], dict[str, list[int]]]:
    """Return the releases, oldest first, and for each symbol the indices of those that have it."""
    table = _table()
    hosts = [host for host in table["hosts"] if host["arch"] == arch]
    exported: dict[str, list[int]] = {}
    for index, host in enumerate(hosts):
        for first, last in host["exported"]:
            for name in table["names"][first : last + 1]:
                exported.setdefault(name, []).append(index)
    return [host["version"] for host in hosts], exported

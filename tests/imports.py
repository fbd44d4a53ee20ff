"""The package's imports as its sources have them, and the floors that import-linter holds it to."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[1]
PACKAGE = "tensorflow_macos_build"
_EMBEDDED = ROOT / PACKAGE / "upstream" / "embedded" / "source"
"""The miniature's own files: data for this package, not its code."""


def modules() -> dict[str, Path]:
    """Return the package's modules by their dotted names; a package's is its `__init__.py`."""
    paths = (path for path in (ROOT / PACKAGE).rglob("*.py") if _EMBEDDED not in path.parents)
    return {_name(path): path for path in sorted(paths)}


def arrows() -> dict[str, set[str]]:
    """Return for each module those that it imports: anywhere in it, for type checkers too."""
    known = modules()
    return {
        name: {target for target in _targets(path, known) if target != name}
        for name, path in known.items()
    }


def floors(container: str) -> list[list[str]]:
    """Return a package's rooms from the highest floor to the lowest; none without a contract."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers" and container in contract["containers"]:
            return [re.split(r"\s*[|:]\s*", layer) for layer in contract["layers"]]
    return []


def _name(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")


def _targets(path: Path, known: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.ImportFrom(module=str(module)) if module in known:
                for alias in node.names:
                    member = f"{module}.{alias.name}"
                    yield member if member in known else module
            case ast.Import():
                yield from (alias.name for alias in node.names if alias.name in known)
            case _:
                pass

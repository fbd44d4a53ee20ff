"""The package's imports as its sources have them, and the floors that import-linter holds it to."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[1]
PACKAGE = "tensorflow_macos_build"
_EMBEDDED = ROOT / PACKAGE / "upstream" / "embedded" / "source"
"""The miniature's own files: data for this package, not its code."""

_INSIDE = ROOT / PACKAGE / "smoke" / "inside"
"""A program for the Pythons of other environments; it imports nothing of the package."""


@dataclass(frozen=True)
class Layers:
    """A contract of import-linter: the floors of a package, the highest first.

    Attributes:
        container: the package.
        floors: the rooms of each floor.
        mingled: the numbers of the floors whose rooms may import each other (`:` parts them in the
            contract; those that `|` parts must not).
    """

    container: str
    floors: tuple[tuple[str, ...], ...]
    mingled: frozenset[int] = frozenset()

    def floor(self, module: str) -> tuple[int, str] | None:
        """Return the number of a module's floor, and its room there; None: it has none."""
        if not module.startswith(f"{self.container}."):
            return None
        room = module.removeprefix(f"{self.container}.").partition(".")[0]
        return next(((at, room) for at, rooms in enumerate(self.floors) if room in rooms), None)

    def forbids(self, importer: str, imported: str) -> bool:
        """Whether one module must not import another."""
        above, below = self.floor(importer), self.floor(imported)
        if above is None or below is None or above == below:
            return False
        return above[0] > below[0] or (above[0] == below[0] and above[0] not in self.mingled)


def all_layers() -> Iterator[Layers]:
    """Yield the contracts on floors, in pyproject.toml's order."""
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in settings["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            floors = tuple(tuple(re.findall(r"\w+", layer)) for layer in contract["layers"])
            mingled = frozenset(at for at, layer in enumerate(contract["layers"]) if ":" in layer)
            for container in contract["containers"]:
                yield Layers(container, floors, mingled)


def floors(container: str) -> tuple[tuple[str, ...], ...]:
    """Return a package's rooms from the highest floor to the lowest; none without a contract."""
    return next((layers.floors for layers in all_layers() if layers.container == container), ())


def modules() -> dict[str, Path]:
    """Return the package's modules by their dotted names; a package's is its `__init__.py`."""
    paths = sorted((ROOT / PACKAGE).rglob("*.py"))
    return {_name(path): path for path in paths if not {_EMBEDDED, _INSIDE} & {*path.parents}}


@functools.cache
def arrows() -> Mapping[str, set[str]]:
    """Return for each module those that it imports: anywhere in it, for type checkers too."""
    return arrows_of({name: ast.parse(path.read_bytes()) for name, path in modules().items()})


def arrows_of(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return what `arrows` does for modules that are parsed.

    A name that a package only hands on counts as one of the module that it has it from.
    """
    handed_on = {
        module: {name: source for source, name in _imported(tree)} for module, tree in trees.items()
    }

    def source(module: str, name: str) -> str:
        if f"{module}.{name}" in trees:
            return f"{module}.{name}"
        origin = handed_on[module].get(name, "")
        return source(origin, name) if origin in trees else module

    return {
        module: {source(*pair) for pair in _imported(tree) if pair[0] in trees} - {module}
        for module, tree in trees.items()
    }


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the modules that are imported from and the names that are taken; "" for the whole."""
    for node in ast.walk(tree):
        match node:
            case ast.Import():
                yield from ((alias.name, "") for alias in node.names)
            case ast.ImportFrom(module=str(module), level=0):
                yield from ((module, alias.name) for alias in node.names)
            case ast.ImportFrom():
                raise AssertionError("imports are absolute")
            case _:
                pass


def _name(path: Path) -> str:
    dotted = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    return dotted.removesuffix(".__init__")

"""The package's own imports: none goes up to a higher floor, and none leads back to where it began.

All imports count: at the top, within functions (which import-linter reads, too), and those that
only type checkers see. The floors are those of import-linter's contracts in pyproject.toml.
"""

from __future__ import annotations

import ast
import importlib
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

ROOT = Path(__file__).parents[2]
PACKAGE = "tensorflow_macos_build"
MINIATURE = ROOT / PACKAGE / "upstream/embedded/source"
"""Files of the embedded upstream, which are data here."""


@dataclass(frozen=True)
class Contract:
    """A contract of import-linter: the floors of a container, the highest first.

    Rooms on one floor must not know each other; those that colons part may.
    """

    container: str
    floors: tuple[tuple[str, ...], ...]
    open_floors: frozenset[int]

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
        return above[0] > below[0] or (above[0] == below[0] and above[0] not in self.open_floors)


def contracts() -> Iterator[Contract]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in project["tool"]["importlinter"]["contracts"]:
        if contract["type"] == "layers":
            floors = tuple(tuple(re.findall(r"\w+", layer)) for layer in contract["layers"])
            is_open = frozenset(at for at, layer in enumerate(contract["layers"]) if ":" in layer)
            for container in contract["containers"]:
                yield Contract(container, floors, is_open)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def parsed() -> dict[str, ast.Module]:
    paths = (ROOT / PACKAGE).rglob("*.py")
    return {
        module_name(path): ast.parse(path.read_bytes())
        for path in sorted(paths)
        if not path.is_relative_to(MINIATURE)
    }


def imported_names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the modules that are imported from and the names that are taken; "" for the whole."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield from ((node.module or "", alias.name) for alias in node.names)


def imports(trees: Mapping[str, ast.Module]) -> dict[str, set[str]]:
    """Return which modules each module imports.

    A name that a package only hands on is one of the module that it has it from.
    """
    handed_on = {
        module: {name: source for source, name in imported_names(tree)}
        for module, tree in trees.items()
    }

    def source(module: str, name: str) -> str:
        if f"{module}.{name}" in trees:
            return f"{module}.{name}"
        origin = handed_on[module].get(name, "")
        return source(origin, name) if origin in trees else module

    return {
        module: {source(*pair) for pair in imported_names(tree) if pair[0] in trees} - {module}
        for module, tree in trees.items()
    }


def circles(graph: Mapping[str, set[str]]) -> list[frozenset[str]]:
    """Return the strongly connected components of more than one node (Tarjan 1972)."""
    numbers: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    components: list[frozenset[str]] = []

    def visit(node: str) -> None:
        numbers[node] = lowest[node] = len(numbers)
        stack.append(node)
        for following in sorted(graph[node]):
            if following not in numbers:
                visit(following)
            if following in stack:
                lowest[node] = min(lowest[node], lowest[following])
        if lowest[node] == numbers[node]:
            start = stack.index(node)
            components.append(frozenset(stack[start:]))
            del stack[start:]

    for node in sorted(graph):
        if node not in numbers:
            visit(node)
    return [component for component in components if len(component) > 1]


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    return imports(parsed())


def test_no_module_leads_back_to_itself(graph: dict[str, set[str]]) -> None:
    assert circles(graph) == []


def test_no_import_goes_up(graph: dict[str, set[str]]) -> None:
    up = [
        f"{importer} imports {imported}"
        for contract in contracts()
        for importer, all_imported in graph.items()
        for imported in sorted(all_imported)
        if contract.forbids(importer, imported)
    ]
    assert up == []


def test_every_room_has_a_floor(graph: dict[str, set[str]]) -> None:
    homeless = [
        module
        for contract in contracts()
        for module in graph
        if module.rpartition(".")[0] == contract.container and contract.floor(module) is None
    ]
    assert homeless == [f"{PACKAGE}.__main__"]


def test_circles_are_found_and_lines_are_not() -> None:
    graph = {"a": {"b"}, "b": {"c", "d"}, "c": {"a"}, "d": {"e"}, "e": set(), "f": {"e", "a"}}
    assert circles(graph) == [frozenset("abc")]


def test_a_name_that_a_package_hands_on_counts_as_its_modules() -> None:
    sources = {
        "p": "from p.a import A",
        "p.a": "A = 1",
        "p.b": "from p import A",
        "q": "from p import b\nif TYPE_CHECKING:\n    from p.a import A\nimport os",
    }
    graph = imports({module: ast.parse(source) for module, source in sources.items()})
    assert graph == {"p": {"p.a"}, "p.a": set(), "p.b": {"p.a"}, "q": {"p.a", "p.b"}}


def test_floors_forbid_the_way_up_and_the_way_across() -> None:
    contract = Contract("p", (("top", "beside"), ("low", "other")), frozenset([0]))
    cases = {
        ("p.low.x", "p.top.y"): True,
        ("p.low.x", "p.other"): True,
        ("p.top.x", "p.low.y"): False,
        ("p.top.x", "p.beside"): False,
        ("p.low.x", "p.low.y"): False,
        ("p.low.x", "q.top"): False,
    }
    assert {pair: contract.forbids(*pair) for pair in cases} == cases

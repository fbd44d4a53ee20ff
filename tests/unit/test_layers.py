"""The package's own imports: none goes up to a higher floor, and none leads back to where it began.

All imports count: at the top, within functions, and those that only type checkers see. The floors
are those of import-linter's contracts in pyproject.toml.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import pytest

from tests import imports
from tests.imports import Layers

if TYPE_CHECKING:
    from collections.abc import Mapping


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
def graph() -> Mapping[str, set[str]]:
    return imports.arrows()


def test_no_module_leads_back_to_itself(graph: Mapping[str, set[str]]) -> None:
    assert circles(graph) == []


def test_no_import_goes_up(graph: Mapping[str, set[str]]) -> None:
    up = [
        f"{importer} imports {imported}"
        for layers in imports.all_layers()
        for importer, all_imported in graph.items()
        for imported in sorted(all_imported)
        if layers.forbids(importer, imported)
    ]
    assert up == []


def test_every_room_has_a_floor(graph: Mapping[str, set[str]]) -> None:
    homeless = [
        module
        for layers in imports.all_layers()
        for module in graph
        if module.rpartition(".")[0] == layers.container and layers.floor(module) is None
    ]
    assert homeless == [f"{imports.PACKAGE}.__main__"]


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
    graph = imports.arrows_of({name: ast.parse(text) for name, text in sources.items()})
    assert graph == {"p": {"p.a"}, "p.a": set(), "p.b": {"p.a"}, "q": {"p.a", "p.b"}}


def test_floors_forbid_the_way_up_and_the_way_across() -> None:
    layers = Layers("p", (("top", "beside"), ("low", "other")), frozenset([0]))
    cases = {
        ("p.low.x", "p.top.y"): True,
        ("p.low.x", "p.other"): True,
        ("p.top.x", "p.low.y"): False,
        ("p.top.x", "p.beside"): False,
        ("p.low.x", "p.low.y"): False,
        ("p.low.x", "q.top"): False,
    }
    assert {pair: layers.forbids(*pair) for pair in cases} == cases

"""A view makes something of a value, and does nothing else: no files, programs, sockets, output."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents, views
from tensorflow_macos_build.views import pages
from tests.view_samples.calls import CALLS

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(views.__file__).parent
MODULES = [
    importlib.import_module(module.name)
    for module in pkgutil.iter_modules([str(FOLDER)], f"{views.__name__}.")
]
ACTS = ("open", "os.", "shutil.", "socket.", "subprocess.", "tempfile.", "pty.")
"""How the audit events begin that a process raises when it reaches outside itself (PEP 578)."""

BARRED = {"print", "open", "input", "stdout", "stderr", "environ", "Console"}
"""Names that a view has no use for. A test's own output would hide what a view prints."""

_watched: list[tuple[str, tuple[Any, ...]]] | None = None


def _note(event: str, args: tuple[Any, ...]) -> None:
    if _watched is not None and event.startswith(ACTS):
        _watched.append((event, args))


sys.addaudithook(_note)


def _functions() -> set[Callable[..., Any]]:
    """Every function that the views have for others."""
    return {
        function
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


def _made(view: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    made = view(*args)
    return list(made) if isinstance(made, Iterator) else made


def _of_templates(act: tuple[str, tuple[Any, ...]]) -> bool:
    _, args = act
    # The styles that all pages share lie beside a report's.
    return bool(args) and Path(str(args[0])).parent in {
        room / "templates" for room in (FOLDER, FOLDER.parent / "report")
    }


def test_every_view_has_a_sample() -> None:
    assert _functions() - {pages.render} == set(CALLS)


@pytest.mark.parametrize("view", CALLS, ids=lambda view: f"{view.__module__}.{view.__name__}")
def test_a_view_only_makes_something_of_a_value(
    view: Callable[..., Any], capfd: pytest.CaptureFixture[str]
) -> None:
    global _watched  # noqa: PLW0603 - an audit hook cannot be taken away again
    for args in CALLS[view]:
        before = repr(args)
        first = _made(view, args)  # imports what it needs
        _watched = []
        try:
            again = _made(view, args)
        finally:
            acts, _watched = _watched, None
        assert [act for act in acts if not _of_templates(act)] == []
        assert repr(args) == before
        if isinstance(first, (str, dict)):
            assert again == first
        if isinstance(first, dict) and "schema" in first:
            documents.check(first)
    assert capfd.readouterr() == ("", "")


def test_no_view_names_what_prints_or_reads() -> None:
    named = {
        (path.name, word)
        for path in FOLDER.glob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        for word in (getattr(node, "id", ""), getattr(node, "attr", ""))
        if word in BARRED
    }
    assert not named

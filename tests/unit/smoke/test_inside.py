"""What runs inside an environment: any Python from 3.6 on takes it, and it needs nothing else."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.smoke.inside import zygote
from tensorflow_macos_build.smoke.inside.checks import kernels
from tensorflow_macos_build.smoke.selection import FULL, QUICK, SOAK, catalogue, select
from tensorflow_macos_build.smoke.zygote import INSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODULES = sorted(INSIDE.rglob("*.py"))

NEWER = {"dataclasses", "graphlib", "zoneinfo", "tomllib", "importlib.resources"}
"""Modules of the standard library that came after Python 3.6."""


BUILTIN = {"dict", "frozenset", "list", "set", "tuple", "type"}


def evaluated(tree: ast.Module) -> Iterator[ast.expr]:
    """Yield the annotations of a module; those in quotes are constants."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.arg, ast.AnnAssign)) and node.annotation is not None:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef) and node.returns is not None:
            yield node.returns


def is_newer(annotation: ast.expr) -> bool:
    """Whether only a newer Python evaluates an annotation: `X | Y`, `list[int]`."""
    return any(
        isinstance(node, ast.BinOp)
        or (isinstance(node, ast.Subscript) and ast.unparse(node.value) in BUILTIN)
        for node in ast.walk(annotation)
    )


def imports_at_top(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield str(node.module)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(INSIDE).as_posix())
def test_a_module_is_what_an_old_python_takes(path: Path) -> None:
    # The oldest grammar that ast knows; 3.6 lacks of it what no module here has any use for.
    tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 7))
    imported = set(imports_at_top(tree))
    assert "__future__" not in imported  # `annotations` came with 3.7
    assert not imported & NEWER
    other = {name for name in imported if name.partition(".")[0] not in sys.stdlib_module_names}
    # The sweep's workers are no checks, and are never listed: they run where NumPy is.
    allowed = {"numpy"} if path.parent.name == "sweep" else set()
    assert other <= allowed, "what the environment brings is imported when it is used"
    assert not [ast.unparse(node) for node in evaluated(tree) if is_newer(node)]


def test_the_checks_are_listed_without_tensorflow_and_each_has_a_set() -> None:
    checks = catalogue()
    assert {"device", "compute", "train"} <= {check.name for check in checks}
    assert len({check.name for check in checks}) == len(checks)
    assert all(set(check.sets) <= {QUICK, FULL, SOAK} and check.sets for check in checks)
    assert all(check.summary.endswith(".") for check in checks)
    quick, full, soak = (set(select(checks, check_set=name)) for name in (QUICK, FULL, SOAK))
    assert full <= soak
    assert quick


def test_a_wheel_without_a_plugin_still_shows_the_symbols_that_plugins_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = SimpleNamespace(__file__=str(tmp_path / "tensorflow/__init__.py"))
    context = SimpleNamespace(tf=module, device="GPU:0")
    monkeypatch.delenv(kernels.VARIABLE, raising=False)
    monkeypatch.setattr(zygote, "perform", lambda *_: kernels.check_kernels(context))
    row = zygote.attempt({}, "kernels")
    assert row["outcome"] == "not_applicable"
    assert row["evidence"]["symbols_missing"] == sorted(kernels.SYMBOLS)


def test_the_standard_module_numbers_is_not_hidden_by_the_program_s(tmp_path: Path) -> None:
    # NumPy imports it: `python FOLDER` puts FOLDER first on sys.path.
    specification = tmp_path / "list.json"
    specification.write_text(json.dumps({"mode": "list"}))
    script = (
        f"import runpy, sys; sys.argv[1:] = [{str(specification)!r}];"
        f"runpy.run_path({str(INSIDE)!r}, run_name='__main__');"
        "import numbers; print(numbers.Number)"
    )
    argv = [sys.executable, "-I", "-B", "-c", script]
    ended = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == "<class 'numbers.Number'>"

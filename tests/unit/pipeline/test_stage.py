"""A stage's key covers the code that does its work, and not the code of the stages before it."""

from __future__ import annotations

import ast
import importlib
from pathlib import Path
from typing import Any

import pytest

from tensorflow_macos_build import closure, config
from tensorflow_macos_build.pipeline import stages, table
from tensorflow_macos_build.pipeline.stage import Stage

ROOT = Path(__file__).parents[3]
TABLE = table.stages_for(config.load("demo", root=ROOT).release)
PACKAGE = Path(closure.__file__).parent
STAGES = f"{stages.__name__}."


def _code(stage: Stage[Any, Any]) -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in stage.code_files()}


def test_a_wheel_is_made_by_more_than_its_stage() -> None:
    code = _code(table._BUILDS["arm64"])
    assert {
        *("bazel/driver.py", "pipeline/stages/build.py", "pipeline/stages/worktree.py"),
        *("pipeline/tools.py", "pipeline/fingerprints.py", "process.py", "git/repository.py"),
    } <= code


def test_the_code_of_the_stages_before_is_not_this_stages() -> None:
    before = ("patchqueue/", "upstream/")
    assert not [name for name in _code(table._BUILDS["arm64"]) if name.startswith(before)]
    # It weighs what is in the wheel, and so looks into wheels, but fuses and verifies none.
    published = ("bazel/", "patchqueue/", "wheels/fuse/", "wheels/verify/")
    assert not [name for name in _code(TABLE[-1]) if name.startswith(published)]


@pytest.mark.parametrize("module", sorted({stage.module for stage in TABLE}))
def test_stages_take_nothing_from_each_other_but_stages(module: str) -> None:
    """So what is left out of a key is only what reaches the stage as a value."""
    own = importlib.import_module(module)
    others = {stage.module for stage in TABLE} - {module}
    tree = ast.parse(Path(str(own.__file__)).read_bytes())
    modules = {
        name for name, value in vars(own).items() if getattr(value, "__name__", "") in others
    }
    taken = {
        (node.value.id, node.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in modules
    }
    values = [getattr(getattr(own, name), attribute) for name, attribute in taken]
    values += [
        getattr(own, alias.asname or alias.name)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module in others
        for alias in node.names
    ]
    assert all(isinstance(value, Stage) for value in values), values

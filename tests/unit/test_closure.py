"""What a module's results depend on is read from its text as the interpreter would read it."""

from __future__ import annotations

import ast
import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import closure

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "tensorflow_macos_build"
PACKAGE = Path(closure.__file__).parent
STAGES = {
    f"{NAME}.pipeline.stages.{name}"
    for name in ("source", "patch", "build", "join", "prove", "publish")
}
ROOMS = (f"{NAME}.wheels.fuse", f"{NAME}.wheels.verify", f"{NAME}.patchqueue.rebase")


def _file(name: str) -> Path | None:
    below = PACKAGE.joinpath(*name.split(".")[1:])
    files = (below.with_suffix(".py"), below / "__init__.py")
    return next((path for path in files if path.is_file()), None)


def _names(tree: ast.AST) -> Iterator[str]:
    """Read imports by Python's own parser, but for those that only type checkers see."""
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                pass
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{alias.name}" for alias in names)
            case _:
                yield from _names(node)


@functools.cache
def _imported(path: Path) -> tuple[str, ...]:
    return tuple(_names(ast.parse(path.read_bytes())))


def _walked(module: str) -> set[Path]:
    walked: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = None if name in walked or name.partition(".")[0] != NAME else _file(name)
        walked.add(name)
        if path is not None:
            waiting += [*_imported(path), name.rpartition(".")[0]]
    return {path for path in map(_file, walked) if path is not None and path.is_file()}


@pytest.mark.parametrize("module", [*sorted(STAGES), *ROOMS])
def test_every_import_is_followed_as_pythons_parser_finds_it(module: str) -> None:
    assert _walked(module) <= set(closure.files(module))


def _files(module: str) -> set[str]:
    return {path.relative_to(PACKAGE).as_posix() for path in closure.files(module)}


def test_data_count_where_they_are_read() -> None:
    assert {"smoke/inside/zygote.py", "smoke/inside/checks/basics.py"} < _files(f"{NAME}.smoke")
    assert "report/templates/report.html.j2" in _files(f"{NAME}.report.page")
    assert "wheels/wheelhouse/rules.yaml" in _files(f"{NAME}.wheels.wheelhouse")
    assert any(name.startswith("schemas/") for name in _files(f"{NAME}.documents"))
    assert any(name.startswith("wheels/verify/pages/") for name in _files(f"{NAME}.wheels.verify"))
    assert any(
        name.startswith("upstream/embedded/source/") for name in _files(f"{NAME}.upstream.mirror")
    )
    assert not any(name.startswith("schemas/") for name in _files(f"{NAME}.macho.fat"))


def _loaded(module: str) -> set[Path]:
    """Let the interpreter import a module, and say which files of the package that took."""
    own = f"n.split('.')[0] == {NAME!r}"
    script = (
        f"import sys, {module}\nfor n, m in sys.modules.items():\n    if {own}: print(m.__file__)"
    )
    argv = [sys.executable, "-c", script]
    ended = subprocess.run(argv, check=True, capture_output=True, text=True)
    return {Path(line) for line in ended.stdout.splitlines()}


@pytest.mark.parametrize("module", [*sorted(STAGES), *ROOMS])
def test_what_the_interpreter_loads_is_in_the_closure(module: str) -> None:
    assert _loaded(module) <= set(closure.files(module))


def _digest(folder: Path, module: str) -> str:
    script = f"from {NAME} import closure; print(closure.digest({module!r}))"
    argv = [sys.executable, "-c", script]
    env = {**os.environ, "PYTHONPATH": str(folder)}
    printed = subprocess.run(
        argv, cwd=folder, env=env, check=True, capture_output=True, text=True
    ).stdout
    return printed.strip()


@pytest.mark.parametrize(
    ("changed", "module", "differs"),
    [
        ("git/repository.py", "pipeline.stages.build", True),
        ("process.py", "pipeline.stages.build", True),
        ("pipeline/fingerprints.py", "pipeline.stages.build", True),
        ("pipeline/tools.py", "pipeline.stages.build", True),
        ("patchqueue/replay/replay.py", "pipeline.stages.patch", True),  # imported when it runs
        ("wheels/deflate/splice.py", "wheels.fuse.engine", True),
        ("upstream/embedded/source/configure.py", "pipeline.stages.source", True),
        ("wheels/verify/run.py", "wheels.fuse.engine", False),
        ("tasks/program.py", "pipeline.stages.build", False),
    ],
)
def test_a_change_of_the_code_changes_what_depends_on_it(
    tmp_path: Path, changed: str, module: str, differs: bool
) -> None:
    shutil.copytree(PACKAGE, tmp_path / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    before = closure.digest(f"{NAME}.{module}")  # the same wherever the package lies
    with (tmp_path / NAME / changed).open("a") as stream:
        stream.write("# changed\n")
    after = _digest(tmp_path, f"{NAME}.{module}")
    assert (after != before) is differs

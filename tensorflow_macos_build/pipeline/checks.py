"""What a change must pass before it lands: linters first, then the tests.

The linters are the locked ones of the running Python's environment. Their settings are in
pyproject.toml, so that an editor and this module find the same faults.
"""

from __future__ import annotations

import os
import shlex
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout, process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import memory_folder, tools
from tensorflow_macos_build.release import changelog, workflows
from tensorflow_macos_build.temporary import SCRATCH_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.console import Ticker

_SHELL_SCRIPTS = ("scripts/inv", "scripts/lock", ".ci/run")

_TEST_FILES = 2 << 30
"""Room for the temporary files of tests in memory: a whole run had 0.8 GB at most at once."""

_FREE_FOR_BUILDS = 12 << 30
"""What has to be free there: builds in tests refuse a disk that has less than 10 GB free."""

_TEST_FOLDER = f"{SCRATCH_PREFIX}tests-"


@dataclass(frozen=True)
class Linter:
    """A program that looks for faults in the checkout's files.

    Attributes:
        name: what people call it.
        argv: the program and its arguments, relative to the checkout.
        fix: what to type when it objects; empty when a person has to think.
    """

    name: str
    argv: tuple[str | Path, ...]
    fix: str = ""


def linters(root: Path) -> tuple[Linter, ...]:
    """Return the linters of the checkout `root`, the quick ones first."""
    workflow_files = sorted((root / workflows.WORKFLOWS).glob("*.yml"))
    schema = ("--builtin-schema", "vendor.github-workflows")  # one that needs no network
    ruff, here = checkout.shown(_locked("ruff")), checkout.shown(root)
    listed = [
        Linter("ruff", (_locked("ruff"), "check"), fix=_typed(ruff, "check", "--fix", here)),
        Linter("ruff format", (_locked("ruff"), "format", "--check"), _typed(ruff, "format", here)),
        Linter("shellcheck", (_tool("shellcheck"), *_SHELL_SCRIPTS)),
        Linter("import-linter", (_locked("lint-imports"),)),
        Linter("mypy", (_locked("mypy"),)),
    ]
    if workflow_files:  # without a file to read, either program fails
        listed += [
            Linter("check-jsonschema", (_locked("check-jsonschema"), *schema, *workflow_files)),
            Linter("actionlint", (_locked("actionlint"), *workflow_files)),
            # Without the network: what it would ask GitHub for is read when a pin is renewed.
            Linter("zizmor", (_locked("zizmor"), "--offline", "--quiet", *workflow_files)),
        ]
    return tuple(listed)


def _typed(*words: str | Path) -> str:
    return shlex.join(map(str, words))


def lint(root: Path, ticker: Ticker) -> None:
    """Run every linter on the checkout `root`, to the last one whatever those before find.

    Raises:
        WorkFailed: some of them object; the detail holds what each of them prints.
    """
    changelog.load(root)  # raises for a fragment that is none
    listed = linters(root)
    objections = _drift(root)
    for number, linter in enumerate(listed):
        ticker(number, len(listed), linter.name)
        printed = objection(linter, root)
        if printed:
            objections.append(f"{linter.name}\n{printed}")
    ticker(len(listed), len(listed))
    if objections:
        fixes = [*(linter.fix for linter in listed if linter.fix), checkout.command("ci.generate")]
        raise WorkFailed(
            f"{len(objections)} of {len(listed) + 1} linters object",
            detail="\n".join(objections),
            hint=f"some of it can be mended by {' and '.join(f'`{fix}`' for fix in fixes)}",
        )


def tests_pass(
    root: Path, paths: Sequence[str], jobs: int, announce: Callable[[str], object]
) -> bool:
    """Run pytest on `paths` of the checkout (none: all tests) in `jobs` processes (0: its choice).

    What pytest prints goes straight to the terminal, and its summary is the last of it. A run
    without any test does not pass. `announce` gets a line about where the tests' files are when
    they are in memory: those are gone at the end.

    Raises:
        UsageError: there is no such path.
    """
    # Each process takes a run of tests, so that few fixtures of modules are made twice, and whoever
    # is done first takes half of what another has left: no long test ends alone.
    spread = ("-n", str(jobs or _processes()), "--dist", "worksteal")
    argv: list[str | Path] = [_locked("pytest"), *spread, *map(_test_path, paths)]
    with memory_folder.made(_TEST_FOLDER, _TEST_FILES, _FREE_FOR_BUILDS) as folder:
        if folder is None:
            return process.attach(argv, cwd=root) == 0
        announce(f"temporary files of tests: in memory, in {folder}; deleted at the end")
        # Named by one letter: the address of a socket, below it, has 108 bytes (unix(7)).
        argv.append(f"--basetemp={folder / 't'}")
        return process.attach(argv, cwd=root, env={"TMPDIR": str(folder)}) == 0


def _processes() -> int:
    """Return how many processes keep the processors busy: many a test waits for a server."""
    processors = os.cpu_count() or 1
    return processors + processors // 2


def _test_path(typed: str) -> str:
    """Return a path of tests, with or without `::NAME`, as pytest can take it from any folder."""
    path = str(Path.cwd() / typed)  # absolute, for pytest takes `-x` for a flag
    if not Path(path.partition("::")[0]).exists():
        raise UsageError("there are no such tests", where=typed)
    return path


def workflow_texts(root: Path) -> dict[Path, str]:
    """Return the text of every workflow of the checkout `root`, by its path in the checkout.

    Raises:
        UsageError: a source of the workflows in ci/ is wrong.
    """

    def packages(runner: workflows.Runner) -> list[str]:
        if unknown := sorted(set(runner.preinstalled) - set(tools.TOOLS)):
            known = f"tools are called {', '.join(tools.TOOLS)}"
            raise UsageError(f"{runner.label}: no tool is called {unknown[0]}", hint=known)
        if not runner.label.startswith("ubuntu-"):
            return []  # scripts/inv installs them by Homebrew
        needed = tools.debian_packages(set(tools.TEST_TOOLS) - set(runner.preinstalled))
        return sorted([*needed, *([runner.nginx.package] if runner.nginx else [])])

    return workflows.render(root, packages)


def _drift(root: Path) -> list[str]:
    stale = workflows.stale(root, workflow_texts(root))
    return [f"workflows\nnot as ci/ says: {', '.join(map(str, stale))}"] if stale else []


def objection(linter: Linter, root: Path) -> str:
    """Return what a linter has against the checkout `root`; empty when nothing."""
    completed = process.run(linter.argv, cwd=root, expected=())
    if completed.status == 0:
        return ""
    return (completed.stdout + completed.stderr).decode("utf-8", "replace")


def _locked(program: str) -> Path:
    """Return the path of a program that the lock brings."""
    return Path(sysconfig.get_path("scripts")) / program


def _tool(name: str) -> Path:
    return tools.locate(name) or Path(name)

"""A task imports what it needs: a list, a version or a document waits for no library of another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

HEAVY = (
    "delocate",
    "git",
    "jinja2",
    "jsonschema",
    "numpy",
    "PIL",
    "pydantic",
    "requests",
    "rich",
    "zlib_ng",
)
"""What this package depends on, and takes a while to import. (PyYAML: invoke imports it itself.)"""


def _imported(*args: str) -> set[str]:
    """Return the packages that a task has imported when it is done."""
    run = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tensorflow_macos_build", *args],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line for line in run.stderr.splitlines() if line.startswith("import time:")]
    assert len(lines) > 50, "each import is a line"
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("args", [["--list"], ["--version"], ["build", "--help"]])
def test_what_runs_no_task_imports_no_library_of_one(args: list[str]) -> None:
    assert not _imported(*args) & set(HEAVY)


def test_a_build_looks_what_there_is_to_do_without_what_only_some_work_needs() -> None:
    modules = ("tasks.reporter", "pipeline.run", "pipeline.rounds.budget", "views.build_summary")
    names = ", ".join(f"tensorflow_macos_build.{module}" for module in modules)
    code = f"import sys, {names}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not set(run.stdout.split()) & (set(HEAVY) - {"pydantic", "rich"})


def test_a_document_is_printed_without_what_draws() -> None:
    assert "rich" not in _imported("config.show", "demo", "--json")


@pytest.mark.parametrize("line", ["fus", "patches.drop --queue demo 00", "verify tests/"])
def test_a_word_is_completed_without_the_tasks_and_what_they_need(line: str) -> None:
    imported = _imported("--complete", "--", *line.split(" "))
    assert not imported & {*HEAVY, "invoke", "yaml"}

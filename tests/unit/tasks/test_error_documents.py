"""With `--json`, a task that gives no document of its own prints that of its error."""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.tasks.command import Command
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program

if TYPE_CHECKING:
    from pathlib import Path

NOWHERE = "/nowhere/at-all.yaml"
TASKS = sorted(
    name
    for name in namespace.task_names
    if "json" in inspect.signature(namespace[name].body).parameters
)
MORE = {
    "build": ["--config", NOWHERE],
    "doctor": ["--config", NOWHERE],
    "plugins.matrix": ["--find-links", NOWHERE],
}
"""Tasks that would succeed without arguments."""


def _argv(name: str) -> list[str]:
    """Return a command line of a task that is complete, and about what is not there."""
    task = namespace[name]
    assert isinstance(task, Command)
    flags = [word for word in task.required if word not in task.operands]
    named = [f"--{flag.replace('_', '-').strip('-')}={NOWHERE}" for flag in flags]
    return [name, *[NOWHERE for _ in task.operands], *named, *MORE.get(name, [])]


def _run(argv: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        Program(namespace=namespace, binary="inv").run(["inv", *argv])
    return int(ended.value.code or 0)


@pytest.mark.parametrize("name", TASKS)
def test_an_error_is_the_one_document_on_standard_output(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status = _run([*_argv(name), "--json"])
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    documents.check(document)
    assert document["schema"] == {"name": "error", "version": 1}
    assert document["exit_code"] == status == 2
    # On a slow machine lines on how far the work is come before it.
    assert any(line.startswith("error: ") for line in captured.err.splitlines())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", TASKS)
def test_a_command_line_that_is_wrong_is_a_document_too(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run([name, "--no-such-flag", "--json"]) == 2
    document = json.loads(capsys.readouterr().out)
    documents.check(document)
    assert "no-such-flag" in document["what"] + document["hint"]

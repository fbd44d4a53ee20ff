"""What every task does, whatever it is."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import invoke
import pytest

from tensorflow_macos_build import temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tensorflow_macos_build.tasks.command import choice, command, emit, report


@command()
def idle(_context: invoke.Context) -> None:
    """Find the work done."""


def test_a_task_that_has_nothing_to_do_sweeps_what_killed_runs_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / f"{temporary.SCRATCH_PREFIX}killed-x").mkdir()
    with temporary.scratch("live") as live:
        (tmp_path / f"{temporary.SCRATCH_PREFIX}killed-y").mkdir()
        idle(invoke.Context())
        assert list(tmp_path.iterdir()) == [live]


@command()
def overtaken(_context: invoke.Context) -> None:
    """Work while a program of a killed task writes into the folder that was swept already."""
    left = Path(tempfile.gettempdir()) / f"{temporary.SCRATCH_PREFIX}killed-z"
    (left / "env").mkdir(parents=True)


def test_a_task_sweeps_what_programs_of_a_killed_one_wrote_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    overtaken(invoke.Context())
    assert not list(tmp_path.iterdir())


def test_a_document_commands_no_runner_of_github_actions(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """It is looked for `##[` anywhere in a line (actions/runner, ActionCommand.cs)."""
    foreign = {"subject": "##[error]x", "\\##[group]": ["::error::x", "###[x]"]}
    emit(foreign)
    out = capfd.readouterr().out
    assert json.loads(out) == foreign
    assert "##[" not in out
    assert not any(line.lstrip().startswith("::") for line in out.splitlines())


def test_a_choice_is_one_of_an_enumeration() -> None:
    assert [choice("--on-conflict", policy.value, OnConflict) for policy in OnConflict] == [
        *OnConflict
    ]
    with pytest.raises(UsageError, match="`--on-conflict ignore`: it is one of provisional, skip"):
        choice("--on-conflict", "ignore", OnConflict)


def test_on_github_actions_each_mistake_is_an_annotation_at_its_line_and_in_the_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    detail = "c.yaml:3:5: no key `a`\nc.yaml:4:1: ::stop-commands::x"
    report(UsageError("2 mistakes", detail=detail), json=False)
    report(WorkFailed("it failed", where="x.whl", hint="try this"), json=False)
    commands = [line for line in capsys.readouterr().err.splitlines() if line.startswith("::")]
    assert commands == [
        "::error file=c.yaml,line=3,col=5,title=2 mistakes::no key `a`",
        r"::error file=c.yaml,line=4,col=1,title=2 mistakes::\x3a:stop-commands::x",
        "::error file=x.whl::it failed%0Atry this",
    ]
    assert "    c.yaml:3:5: no key `a`" in summary.read_text()

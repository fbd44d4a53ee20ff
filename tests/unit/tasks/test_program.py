"""The command line's contract: exit codes, hints, and no traceback."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, cast

import invoke
import pytest

from tensorflow_macos_build.errors import BudgetReached, UsageError, WorkFailed
from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.tasks.command import command
from tensorflow_macos_build.tasks.program import Program

if TYPE_CHECKING:
    from tensorflow_macos_build.errors import ExitCode

ROOT = Path(__file__).parents[3]

RAISED = {
    "work": WorkFailed("it failed"),
    "usage": UsageError("it is wrong"),
    "budget": BudgetReached("time is up"),
    "interrupt": KeyboardInterrupt(),
}


@command(positional=["how"], auto_shortflags=False)
def end(_context: invoke.Context, how: str, jobs: int = 1) -> ExitCode | None:
    """End as asked."""
    if how in RAISED:
        raise RAISED[how]
    return None


@command(needs=("shellcheck",), auto_shortflags=False)
def needy(_context: invoke.Context) -> None:
    """Need a tool."""


def _run(*argv: str) -> int:
    namespace = invoke.Collection(end, needy)
    try:
        Program(namespace=namespace, binary="inv").run(["inv", *argv])
    except SystemExit as ended:
        return cast("int", ended.code)
    return 0


@pytest.mark.parametrize(
    ("how", "status"), [("well", 0), ("work", 1), ("usage", 2), ("budget", 75), ("interrupt", 130)]
)
def test_how_a_task_ends_is_the_exit_status(how: str, status: int) -> None:
    assert _run("end", how) == status


def test_an_interrupt_outside_a_task_is_130_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_self: invoke.Program) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(invoke.Program, "execute", interrupted)
    assert _run("end", "well") == 130


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["ent"], "hint: did you mean `end`?"),
        (["end", "well", "--job=2"], "hint: did you mean `--jobs`?"),
        (["--lits"], "hint: did you mean `--list`?"),
        (["end"], "'end' did not receive required positional arguments: 'how'"),
        (["end", "well", "--jobs"], "Flag `--jobs` needed value"),
        (["end", "well", "--jobs=two"], "'two'"),
        (["--list", "nowhere"], "'nowhere' not found"),
        (["end", "well", "surplus"], "'surplus'"),
    ],
)
def test_wrong_usage_is_2_and_says_what(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("error: ")
    assert says in told.err
    assert "<Argument" not in told.err


def test_a_value_is_not_taken_for_a_mistyped_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("end", "needi", "--jobs") == 2
    assert "did you mean" not in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--list"], ["--help"], ["--help", "end"], ["--version"]])
def test_help_needs_no_tool_and_is_done(argv: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "locate", lambda _name: pytest.fail("it looked for a tool"))
    assert _run(*argv) == 0


@pytest.mark.parametrize("argv", [["end", "--help"], ["end", "work", "--help"]])
def test_help_behind_a_task_is_help_and_not_the_tasks_argument(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 0
    assert "Usage: inv [--core-opts] end" in capsys.readouterr().out


def test_a_missing_tool_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(tools, "_HOMEBREW_LLVM", ())
    assert _run("needy") == 2
    assert "shellcheck" in capsys.readouterr().err
    assert _run("end", "well") == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_meets_no_traceback(
    unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    program = [sys.executable, "-m", "tensorflow_macos_build.tasks.program", "--list"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 1

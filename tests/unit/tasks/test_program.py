"""The command line's contract: exit codes, hints, and no traceback."""

from __future__ import annotations

import errno
import json
import subprocess
from typing import TYPE_CHECKING, cast

import invoke
import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import BudgetReached, UsageError, WorkFailed
from tensorflow_macos_build.pipeline import tools
from tensorflow_macos_build.process import ProgramMissing
from tensorflow_macos_build.tasks.command import command
from tensorflow_macos_build.tasks.program import Program

if TYPE_CHECKING:
    from tensorflow_macos_build.errors import ExitCode


RAISED = {
    "work": WorkFailed("it failed"),
    "usage": UsageError("it is wrong"),
    "budget": BudgetReached("time is up"),
    "interrupt": KeyboardInterrupt(),
    "tool": ProgramMissing("the program `bazel` is not on PATH"),
    "memory": MemoryError(),
    "path": FileNotFoundError(errno.ENOENT, "No such file or directory", "some/file"),
    "disk": OSError(errno.ENOSPC, "No space left on device", "some/file"),
    "thread": RuntimeError("can't start new thread"),
}


@command(positional=["how"])
def end(
    _context: invoke.Context, how: str, jobs: int = 1, limit: float = 1.0, json: bool = False
) -> ExitCode | None:
    """End as asked."""
    if how in RAISED:
        raise RAISED[how]
    return None


@command(needs=("shellcheck",), needs_none_with="plan")
def needy(_context: invoke.Context, plan: bool = False) -> None:
    """Need a tool, unless there is only a plan to print."""


def _run(*argv: str) -> int:
    namespace = invoke.Collection(end, needy)
    try:
        Program(namespace=namespace, binary="inv").run(["inv", *argv])
    except SystemExit as ended:
        return cast("int", ended.code)
    return 0


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ("well", 0),
        ("work", 1),
        ("usage", 2),
        ("budget", 75),
        ("interrupt", 130),
        ("tool", 2),
        ("memory", 1),
        ("path", 2),
        ("disk", 1),
        ("thread", 1),
    ],
)
def test_how_a_task_ends_is_the_exit_status(
    how: str, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run("end", how) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert _run("end", how, "--json") == status
    as_json = capsys.readouterr()
    assert as_json.err == captured.err
    if status:
        document = json.loads(as_json.out)
        documents.check(document)
        assert document["exit_code"] == status
        assert document["what"] in captured.err


@pytest.mark.parametrize("kind", [TypeError, RuntimeError, RecursionError])
def test_a_defect_keeps_its_traceback(
    kind: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RAISED, "defect", kind("a mistake of this package"))
    with pytest.raises(kind):
        _run("end", "defect")


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
        (["end"], "`end` needs `--how`"),
        (["end", "well", "--jobs"], "`--jobs` needs a value"),
        (["end", "well", "--jobs=two"], "`--jobs` takes a whole number, not `two`"),
        (["end", "well", "--jobs", "1.5"], "`--jobs` takes a whole number, not `1.5`"),
        (["end", "well", "--jobs=" + "9" * 5000], "`--jobs` takes a whole number"),
        (["end", "well", "--limit=x"], "`--limit` takes a number, not `x`"),
        (["end", "well", "--limit=nan"], "`--limit` takes a number, not `nan`"),
        (["end", "well", "--limit=inf"], "`--limit` takes a number, not `inf`"),
        (["--list", "nowhere"], "'nowhere' not found"),
        (["end", "well", "surplus"], "`end` takes no `surplus`"),
    ],
)
def test_wrong_usage_is_2_and_says_what(
    argv: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(*argv) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert says in captured.err
    assert "<Argument" not in captured.err


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
    assert "Usage: inv end HOW [--flags]" in capsys.readouterr().out


def test_the_version_names_the_commit(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("--version") == 0
    head = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert f"({head.stdout[:12]})" in capsys.readouterr().out


def test_a_missing_tool_is_named_with_what_installs_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    assert _run("needy") == 2
    assert "shellcheck" in capsys.readouterr().err
    assert _run("end", "well") == 0
    assert _run("needy", "--plan") == 0


def test_variables_of_invoke_decide_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INVOKE_RUN_WATCHERS", "3")
    monkeypatch.setenv("INVOKE_TASKS_DEDUPE", "")
    assert _run("end", "well") == 0

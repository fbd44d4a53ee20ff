"""The errors that a user can meet, and the exit code that each of them means.

An error says what happened, where, and what to do next. `tasks` is the only
place that catches them, prints them and exits; anything that is not a
`MacosBuildError` is a defect of this package and keeps its traceback.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a task's exit status tells the shell.

    `PAUSED` is EX_TEMPFAIL of sysexits.h; `INTERRUPTED` is 128 + SIGINT, as shells report it.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    PAUSED = 75
    INTERRUPTED = 130


class MacosBuildError(Exception):
    """The base of all errors that a user can meet.

    Args:
        what: one sentence that says what happened.
        where: the place at fault: `file`, `file:line` or `file:line:column`, a wheel's member, a
            patch's name. Empty when there is none.
        hint: what to do next: a command to type, a key to change. Empty when there is nothing.
        detail: further lines that explain it, shown as they are: a program's stderr, a difference.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, *, where: str = "", hint: str = "", detail: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.detail = detail

    def __str__(self) -> str:
        """Give the whole error as lines of plain text: where, what, detail and hint."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        lines = [head]
        if self.detail:
            lines += [f"    {line}" for line in self.detail.rstrip("\n").splitlines()]
        if self.hint:
            lines.append(f"hint: {self.hint}")
        return "\n".join(lines)


class WorkFailed(MacosBuildError):
    """The work itself failed: a conflict, a failed build, a broken wheel, a failed smoke."""

    exit_code = ExitCode.FAILED


class UsageError(MacosBuildError):
    """The command line, a config or an input file is wrong; nothing was done."""

    exit_code = ExitCode.USAGE


class BudgetReached(MacosBuildError):
    """The time budget is used up; what was finished is kept, and the same command goes on."""

    exit_code = ExitCode.PAUSED


class Interrupted(MacosBuildError):
    """The user stopped the work; what was finished is kept, and the same command goes on."""

    exit_code = ExitCode.INTERRUPTED

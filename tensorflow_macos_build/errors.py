"""The errors that a user can meet, and the exit code that each of them means.

An error says what happened, where, and what to do next. `tasks` is the only
place that catches them, prints them and exits; what is neither a `MacosBuildError` nor something
that the machine refused (`of_machine`) is a defect of this package and keeps its traceback.
"""

from __future__ import annotations

import contextlib
import errno
import os
from enum import IntEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def printable(text: str, kept: str = "\t") -> str:
    r"""Return a text in which what a terminal would obey is shown by its escape, as `\x1b`.

    Control and format characters (Unicode's Other and Separator categories, a bidirectional
    override among them) are escaped; those in `kept` and the space stay.
    """
    return "".join(
        char
        if char.isprintable() or char in kept
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


class ExitCode(IntEnum):
    """What a task's exit status tells the shell."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # as bash and argparse have it
    PAUSED = 75  # EX_TEMPFAIL of sysexits.h: "the user is invited to retry"
    INTERRUPTED = 130  # 128 + SIGINT, as shells report it


MEANINGS = {
    ExitCode.DONE: "done",
    ExitCode.FAILED: "the work failed (a conflict, a failed build or smoke test, a finding that is"
    " an error), or the machine ran out of something",
    ExitCode.USAGE: "wrong usage or config, a path that cannot be used, or a tool is missing or too"
    " old; nothing was done",
    ExitCode.PAUSED: "stopped at the time budget; the same command goes on",
    ExitCode.INTERRUPTED: "interrupted; the same command goes on",
}
"""What each exit code means."""


class MacosBuildError(Exception):
    """The base of all errors that a user can meet.

    Args:
        what: one sentence that says what happened.
        where: what is at fault: `file`, `file:line` or `file:line:column`, a wheel's member, a
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
        """Return the whole error as lines of plain text: where, what, detail and hint."""
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


_CHOOSE = "give another path, or change what stands there"
_FREE = "free some there (`df -h` and `df -i` show what is left) and run the same command again"

_REFUSALS: dict[int, tuple[type[MacosBuildError], str, str]] = {
    errno.ENOENT: (UsageError, "there is no such file or folder", _CHOOSE),
    errno.ENOTDIR: (UsageError, "a part of the path is no folder", _CHOOSE),
    errno.EISDIR: (UsageError, "it is a folder, not a file", _CHOOSE),
    errno.EEXIST: (UsageError, "something stands there already", _CHOOSE),
    errno.ENOTEMPTY: (UsageError, "the folder is not empty", _CHOOSE),
    errno.ENAMETOOLONG: (UsageError, "the name is too long for the file system", _CHOOSE),
    errno.ELOOP: (UsageError, "symbolic links lead in a circle", _CHOOSE),
    errno.EINVAL: (UsageError, "the system does not take it", _CHOOSE),
    errno.EACCES: (UsageError, "you may not read or write it", "see `ls -ld` of it and above it"),
    errno.EPERM: (UsageError, "the system does not permit it", "see `ls -ld` of it and above it"),
    errno.EROFS: (UsageError, "the file system is read-only", "give a folder on another one"),
    errno.ENOSPC: (WorkFailed, "no space, or no room for another file, is left", _FREE),
    errno.EDQUOT: (WorkFailed, "your quota of disk space is used up", _FREE),
    errno.EFBIG: (WorkFailed, "the file would be larger than is allowed", "see `ulimit -f`"),
    errno.EMFILE: (WorkFailed, "too many files are open", "raise the limit: `ulimit -n 4096`"),
    errno.ENFILE: (WorkFailed, "too many files are open on this machine", "end other programs"),
    errno.ENOMEM: (WorkFailed, "memory is used up", "end other programs"),
    errno.EAGAIN: (WorkFailed, "too many processes run, or memory is short", "end other programs"),
}


_OF_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Errors of write(2) about the file, which it knows by a descriptor only."""


@contextlib.contextmanager
def naming(path: Path | str, *, instead_of: str | None = None) -> Iterator[None]:
    """Make errors of writing in the body name `path`, where they name no file.

    And where they name one in whose path `instead_of` stands: a temporary one, which a person has
    never heard of.
    """
    try:
        yield
    except OSError as error:
        is_nameless = error.filename is None and error.errno in _OF_WRITE
        if is_nameless or (instead_of is not None and instead_of in str(error.filename)):
            error.filename = str(path)
        raise


def refusals() -> tuple[MacosBuildError, ...]:
    """Return the error for each thing that the operating system refuses, without a place."""
    return tuple(kind(what, hint=hint) for kind, what, hint in _REFUSALS.values())


_NO_THREAD = "can't start new thread"
"""CPython says so by a RuntimeError and by nothing more particular (_threadmodule.c)."""


def of_machine(error: OSError | MemoryError | RuntimeError) -> MacosBuildError:
    """Return the error that a user can understand for one that the operating system raised.

    What a path or permission is at fault for is wrong usage (2); what the machine ran out of is
    work that failed (1), and the same command may do later.

    Raises:
        RuntimeError: it is not the machine's, but a defect of this package.
    """
    # These two carry no errno; they are told as the errors of the system that stand behind them.
    if isinstance(error, MemoryError):
        return of_machine(OSError(errno.ENOMEM, ""))
    if isinstance(error, RuntimeError):
        if str(error) != _NO_THREAD:
            raise error
        return of_machine(OSError(errno.EAGAIN, ""))
    if _is_of_a_deleted_folder(error):
        return UsageError("the folder that you are in was deleted", hint="type: cd")
    # shutil.Error has no number, and its text is all that there is.
    words = error.strerror or str(error) or type(error).__name__
    kind, what, hint = _REFUSALS.get(error.errno or 0, (WorkFailed, words, ""))
    if error.errno and words not in ("", os.strerror(error.errno)):
        what = words  # not the kernel's, but somebody's who knows more (tempfile, shutil)
    return kind(what, where=_file_of(error), hint=hint)


def _is_of_a_deleted_folder(error: OSError) -> bool:
    """Whether it is getcwd(3)'s, which names no file and whose words are those of any file."""
    if error.errno != errno.ENOENT or _file_of(error):
        return False
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _file_of(error: OSError) -> str:
    """Return the file that an operating system's error names; "" where it names none."""
    name = error.filename
    return os.fsdecode(name) if isinstance(name, (str, bytes, os.PathLike)) else ""

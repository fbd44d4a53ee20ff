"""The one door to other programs.

Programs are named by argv lists and never by shell text. Their environment starts from the
caller's, or from named variables of it, with locale and time zone pinned, so that what they print
does not depend on the machine.
A program has a process group of its own (setsid(2)), so that an interrupt from the terminal
reaches this process alone, which then ends what it started (children.py).
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import PurePath
from typing import IO, TYPE_CHECKING, Any

from tensorflow_macos_build.children import PATIENCE, Supervision, stop, wait
from tensorflow_macos_build.command_line import PINNED
from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tensorflow_macos_build.children import Child

NOWHERE = subprocess.DEVNULL
"""Where a stream goes that nobody reads."""

_TAIL_LINES = 40
_LONGEST_LINE = 500
"""How much of a failed program's last words its error shows: two screens, and no endless line."""

_SUBCOMMAND = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")

_KEPT_BYTES = 1 << 16
"""How much of a watched program's standard error is kept for the report of its failure."""


class ProgramMissing(UsageError):
    """A program that the work needs is not on PATH."""


class ProgramFailed(WorkFailed):
    """A program ended with a status that its caller did not expect.

    It is called by its name and sub-command, and its own last words follow: the whole command line
    (of git, 900 characters) tells a person nothing.

    Attributes:
        completed: the program's argv, exit status and captured output.
    """

    def __init__(self, completed: Completed, *, hint: str = "") -> None:
        tail = completed.stderr.decode("utf-8", "replace").splitlines()[-_TAIL_LINES:]
        super().__init__(
            f"`{_short_name(completed.argv)}` {_end(completed.status)}",
            detail="\n".join(line[:_LONGEST_LINE] for line in tail),
            hint=hint,
        )
        self.completed = completed


@dataclass(frozen=True)
class Completed:
    """A program that has ended.

    Attributes:
        argv: the program's name and arguments.
        status: its exit status; negative N when signal N ended it.
        stdout: the bytes it wrote to standard output; empty when they were not captured.
        stderr: likewise for standard error.
    """

    argv: tuple[str, ...]
    status: int
    stdout: bytes
    stderr: bytes


def find(program: str, *, hint: str = "") -> str:
    """Return the absolute path of a program on PATH.

    Raises:
        ProgramMissing: it is not there; `hint` tells the user how to install it.
    """
    path = shutil.which(program)
    if path is None:
        raise ProgramMissing(f"the program `{program}` is not on PATH", hint=hint)
    return path


def environment(
    changes: Mapping[str, str | None] | None = None, inherited: Collection[str] | None = None
) -> dict[str, str]:
    """Return the caller's environment with `PINNED` and then `changes` laid over it.

    A change to None takes the variable away. Where `inherited` is given, no other variables of the
    caller's are in it.
    """
    names = os.environ.keys() if inherited is None else os.environ.keys() & set(inherited)
    callers = {name: os.environ[name] for name in names}
    merged: dict[str, str | None] = {**callers, **PINNED, **(changes or {})}
    return {name: value for name, value in merged.items() if value is not None}


def run(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    inherited: Collection[str] | None = None,
    stdin: bytes = b"",
    stdout: IO[Any] | None = None,
    expected: Sequence[int] = (0,),
    timeout: float | None = None,
    hint: str = "",
) -> Completed:
    """Run a program to its end and capture what it writes.

    Args:
        argv: the program, looked up on PATH, and its arguments.
        cwd: the folder to run in.
        env: changes to the environment, as `environment` takes them.
        inherited: the only variables of the caller's that the program gets; None: all.
        stdin: what the program reads from standard input.
        stdout: the file that gets its standard output; None: it is captured.
        expected: exit statuses that are not failures; empty: every status is expected.
        timeout: seconds after which the program is stopped.
        hint: what to tell the user when it fails or is missing.

    Raises:
        ProgramMissing: the program is not on PATH.
        ProgramFailed: it ended with another status than expected, or was stopped at `timeout`.
    """
    with start(
        argv,
        cwd=cwd,
        env=env,
        inherited=inherited,
        hint=hint,
        stdout=stdout or subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        try:
            captured, stderr = child.communicate(stdin, timeout=timeout)
        except subprocess.TimeoutExpired as expired:
            stop(child)
            late = Completed(_words(argv), child.returncode, b"", expired.stderr or b"")
            raise ProgramFailed(late, hint=hint or f"it was stopped after {timeout} s") from None
    completed = Completed(_words(argv), child.returncode, captured or b"", stderr)
    if expected and completed.status not in expected:
        raise ProgramFailed(completed, hint=hint)
    return completed


def attach(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    hint: str = "",
) -> int:
    """Run a program on this process's own terminal to its end, and return its exit status.

    It shares standard input, output and error, and the process group, so an interrupt from the
    terminal reaches both: the program may then end its own work before KeyboardInterrupt goes on.

    Raises:
        ProgramMissing: the program is not on PATH.
    """
    words = _words(argv)
    located = [find(words[0], hint=hint), *words[1:]]
    with subprocess.Popen(located, cwd=cwd, env=environment(env)) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            _await_end(child)
            raise


def watch(
    argv: Sequence[str | Path],
    on_stderr: Callable[[bytes], None],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    stdin: bytes = b"",
    expected: Sequence[int] = (0,),
    idle: float | None = None,
    hint: str = "",
) -> Completed:
    """Run a program to its end, handing over what it writes to standard error as it comes.

    Args:
        argv: the program, looked up on PATH, and its arguments.
        on_stderr: gets each piece of standard error, cut anywhere.
        cwd: the folder to run in.
        env: changes to the environment, as `environment` takes them.
        stdin: what the program reads from standard input.
        expected: exit statuses that are not failures; empty: every status is expected.
        idle: seconds of silence, on both of its outputs, after which the program is stopped.
        hint: what to tell the user when it fails or is missing.

    Returns:
        The status and standard output, and the end of standard error (64 KiB).

    Raises:
        ProgramMissing: the program is not on PATH.
        ProgramFailed: it ended with another status than expected, a stopped one with that of the
            signal.
    """
    with start(argv, cwd=cwd, env=env, hint=hint, stderr=subprocess.PIPE) as child:
        # A pipe holds 64 KiB (pipe(7)): who writes all before reading, and a program that answers
        # before it has read all, would wait for each other.
        feeder = threading.Thread(target=_feed, args=(child, stdin), daemon=True)
        feeder.start()
        stdout, stderr = _read_both(child, on_stderr, idle)
        child.wait()
        feeder.join()
    completed = Completed(_words(argv), child.returncode, stdout, stderr)
    if expected and completed.status not in expected:
        raise ProgramFailed(completed, hint=hint)
    return completed


def first_bytes(
    argv: Sequence[str | Path],
    *,
    limit: int,
    timeout: float,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
) -> bytes:
    """Return what a program writes to standard output, of one that may be anything.

    Not more than `limit` bytes are read, and for not longer than `timeout` seconds; then the
    program is stopped.

    Raises:
        ProgramMissing: the program is not on PATH.
        OSError: the system cannot run it.
    """
    written = bytearray()
    deadline = time.monotonic() + timeout
    with (
        start(argv, cwd=cwd, env=env, stderr=subprocess.DEVNULL) as child,
        selectors.DefaultSelector() as waiting,
    ):
        assert child.stdin is not None
        assert child.stdout is not None
        # It may read before it answers, and would wait for us.
        child.stdin.close()
        waiting.register(child.stdout, selectors.EVENT_READ)
        while len(written) < limit and waiting.select(max(0.0, deadline - time.monotonic())):
            piece = os.read(child.stdout.fileno(), limit - len(written))
            if not piece:
                break
            written += piece
    return bytes(written)


def start(
    argv: Sequence[str | Path],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str | None] | None = None,
    inherited: Collection[str] | None = None,
    hint: str = "",
    stdout: int | IO[Any] = subprocess.PIPE,
    stderr: int | IO[bytes] | None = None,
) -> AbstractContextManager[Child]:
    """Start a program with a pipe on its standard input, in a process group of its own.

    Leaving the body, by its end or by an exception, stops a program that still runs. `stdout` and
    `stderr` are as for `subprocess.Popen` (`NOWHERE`, too), `env` and `inherited` as for
    `environment`.

    Raises:
        ProgramMissing: the program is not on PATH.
    """
    words = _words(argv)
    located = [find(words[0], hint=hint), *words[1:]]

    def launch() -> Child:
        return subprocess.Popen(
            located,
            cwd=cwd,
            env=environment(env, inherited),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    return Supervision(launch)


def _feed(child: Child, content: bytes) -> None:
    assert child.stdin is not None
    with contextlib.suppress(OSError):  # a program may end before it has read everything
        child.stdin.write(content)
        child.stdin.close()


def _read_both(
    child: Child, on_stderr: Callable[[bytes], None], idle: float | None
) -> tuple[bytes, bytes]:
    assert child.stdout is not None
    assert child.stderr is not None
    stdout, kept = bytearray(), b""
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        waiting.register(child.stderr, selectors.EVENT_READ)
        while waiting.get_map():
            ready = waiting.select(idle)
            if not ready:
                stop(child)
                break
            for key, _ in ready:
                # What there is: a buffered `read` would wait until it has so many bytes.
                piece = os.read(key.fd, _KEPT_BYTES)
                if not piece:
                    waiting.unregister(key.fileobj)
                elif key.fileobj is child.stdout:
                    stdout += piece
                else:
                    on_stderr(piece)
                    kept = (kept + piece)[-_KEPT_BYTES:]
    return bytes(stdout), kept


def _await_end(child: Child) -> None:
    """Let a program end that got its interrupt from the terminal; send more where it does not."""
    for seconds, send in zip(PATIENCE, (child.terminate, child.kill), strict=True):
        if wait(child, seconds):
            return
        send()
    wait(child)


def _short_name(argv: Sequence[str]) -> str:
    """Return a program's name and its sub-command, the first word that is no flag, path or value.

    >>> _short_name(["/usr/bin/git", "-c", "gc.auto=0", "--git-dir", "/x", "merge-tree", "-z"])
    'git merge-tree'
    """
    name, *words = argv
    subcommand = next((word for word in words if _SUBCOMMAND.fullmatch(word)), "")
    return f"{PurePath(name).name} {subcommand}".rstrip()


def _end(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:  # a real-time signal
        return f"was ended by the signal {-status}"


def _words(argv: Sequence[str | Path]) -> tuple[str, ...]:
    return tuple(os.fspath(word) for word in argv)

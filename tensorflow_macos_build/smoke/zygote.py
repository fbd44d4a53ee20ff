"""The parent's end of the program in `inside/`: a process for each check, kept within bounds.

How a process ended is an outcome like any other: a check that crashes, hangs, or eats memory is
reported, and the next one runs.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import shutil
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from tensorflow_macos_build import process
from tensorflow_macos_build.smoke import observation
from tensorflow_macos_build.smoke.model import CheckOutcome
from tensorflow_macos_build.smoke.observation import Observation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from tensorflow_macos_build.children import Child

INSIDE = Path(__file__).with_name("inside")
"""The folder that the environment's own Python runs."""

# -I keeps the program from the caller's PYTHON…, but not the programs that it starts.
ENVIRONMENT: dict[str, str | None] = {
    "PYTHONPATH": None,
    "PYTHONHOME": None,
    "PYTHONSTARTUP": None,
    # TensorFlow's log is what is left of a crash: a caller's wish for silence must not hide it.
    "TF_CPP_MIN_LOG_LEVEL": "0",
}

_LOOK_S = 0.5 if sys.platform == "darwin" else 0.1
"""Seconds between two looks at a process's time and memory; on a Mac each starts ps(1)."""

_STOP_S = 20.0
"""Seconds in which the zygote has to end a check that it is told to end."""

_OVERWRITTEN = (
    CheckOutcome.CRASHED,
    "the module's code wrote over the answers of the program that imports it",
)

_TAKEN = (
    CheckOutcome.CRASHED,
    "the module's code waits for processes that are not its own, this one among them: "
    "how it ended is not known",
)


@dataclass(frozen=True)
class CheckBounds:
    """What a check may take.

    Attributes:
        seconds: how long it may run; importing the module has as long for itself.
        memory_mb: how much memory its process may hold, in MiB.
    """

    seconds: float
    memory_mb: int


class _Gone(Exception):
    """The program in the environment is of no more use.

    Attributes:
        end: why it had to be ended, as an outcome and its reason; None where it ended by itself.
    """

    def __init__(self, end: tuple[CheckOutcome, str] | None = None) -> None:
        super().__init__()
        self.end = end


SPECIFICATION = "serve.json"
"""The file that tells the program what to do, in the folder that it works in."""


def variables(folder: Path) -> dict[str, str | None]:
    """Return the changes to the environment that the program gets which works in a folder."""
    return {**ENVIRONMENT, "HOME": str(folder)}


def program_argv(prefix: Sequence[str], python: Path) -> list[str]:
    """Return the command line of the program, to which a specification's path is added.

    It is isolated from the caller's environment and site, and where native code crashes, the log
    says which Python line called it (faulthandler).
    """
    return [*prefix, str(python), "-I", "-X", "faulthandler", str(INSIDE)]


class CheckProcesses:
    """The processes that run checks in one environment; to be used in a `with` statement.

    Args:
        argv: the program, as `program_argv` makes it.
        spec: what every check is told: `module`, `device`, `reference`, `quick`, `virtual`,
            `options`.
        folder: an existing folder for logs and results.
        bounds: of the import, and of checks that are given no others.
        env: changes to the caller's environment.
        spawn: whether each check starts a program of its own, instead of a fork of one that has
            imported the module.
    """

    def __init__(
        self,
        argv: Sequence[str],
        spec: Mapping[str, Any],
        folder: Path,
        bounds: CheckBounds,
        *,
        env: Mapping[str, str] | None = None,
        spawn: bool = sys.platform == "darwin",
    ) -> None:
        self._argv = list(argv)
        isolation = "spawn" if spawn else "fork"
        self._spec = {**spec, "mode": "serve", "isolation": isolation, "argv": self._argv}
        self._folder = folder
        self._bounds = bounds
        self._env = {**variables(folder), **(env or {})}
        self._running = contextlib.ExitStack()
        self._child: Child | None = None
        self._pending = b""
        self._check = 0
        self._count = 0

    def __enter__(self) -> CheckProcesses:
        """Start nothing yet: `start` does."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End all that was started."""
        self._running.close()

    def start(self) -> Observation:
        """Start the program and import the module; return how the import came out."""
        log = self._folder / "import.log"
        begun = time.monotonic()
        try:
            row = self._launch(log)
        except _Gone as gone:
            return self._import_ended(log, time.monotonic() - begun, gone.end)
        if row is None:
            return self.run("import")
        return observation.observed(row, time.monotonic() - begun, None, log)

    def run(
        self, name: str, options: Mapping[str, Any] | None = None, bounds: CheckBounds | None = None
    ) -> Observation:
        """Run a check in a process of its own, to its end or to its bounds."""
        bounds = bounds or self._bounds
        if self._child is None:
            started = self.start()  # the last check has taken the program with it
            if not started.passed:
                return started
        self._count += 1
        folder = self._folder / f"{self._count:04}"
        (folder / "work").mkdir(parents=True)
        request = {
            "name": name,
            "options": dict(options or {}),
            "memory_mb": bounds.memory_mb,
            "log": str(folder / "log"),
            "result": str(folder / "result.json"),
            "folder": str(folder / "work"),
        }
        try:
            return self._observe(request, bounds, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _launch(self, log: Path) -> dict[str, Any] | None:
        """Start the program, and return the import's row; None where checks are spawned."""
        specification = self._folder / SPECIFICATION
        specification.write_text(json.dumps(self._spec), encoding="utf-8")
        with log.open("wb") as opened:
            supervision = process.start(
                [*self._argv, specification], cwd=self._folder, env=self._env, stderr=opened
            )
            self._child = self._running.enter_context(supervision)
        self._pending = b""
        begun = time.monotonic()
        while (answer := self._answer(_LOOK_S)) is None:
            beyond = _beyond(self._child.pid, time.monotonic() - begun, self._bounds)
            if beyond:
                self._end_program()
                raise _Gone(beyond)
        row = answer.get("import")
        if answer.get("event") != "ready" or not isinstance(row, (dict, type(None))):
            self._end_program()
            raise _Gone(_OVERWRITTEN)
        return row

    def _import_ended(
        self, log: Path, seconds: float, stopped: tuple[CheckOutcome, str] | None
    ) -> Observation:
        by_itself = observation.ended(self._let_go())
        outcome, why = stopped or by_itself
        # A status of 0 has no words: the module's code has ended the program as if all was well.
        why = why or "it ended the program that imports it"
        return Observation(outcome, why, seconds=seconds, log_tail=observation.tail(log))

    def _let_go(self) -> int:
        """Return the status of a program that has gone, and end what it may have left at work."""
        child, self._child = self._child, None
        running, self._running = self._running, contextlib.ExitStack()
        running.close()
        if self._check:
            # Linux has killed it already, when the program died (PR_SET_PDEATHSIG).
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._check, signal.SIGKILL)
        return child.returncode if child is not None else 0

    def _observe(
        self, request: Mapping[str, Any], bounds: CheckBounds, folder: Path
    ) -> Observation:
        begun = time.monotonic()
        log, result = folder / "log", folder / "result.json"
        stopped: tuple[CheckOutcome, str] | None = None
        try:
            self._send(request)
            answer, stopped = self._await(begun, bounds)
            status = answer["status"]
            code = None if status is None else os.waitstatus_to_exitcode(int(status))
            end = _TAKEN if code is None else observation.ended(code)
            max_rss = int(answer["max_rss_mb"]) or None
        except (_Gone, OSError, ValueError, KeyError, TypeError):
            # The check has ended the program that started it, or it is beyond help.
            _, how = observation.ended(self._let_go())
            end, max_rss = (CheckOutcome.CRASHED, f"the program that started it: {how}"), None
        seconds = time.monotonic() - begun
        if stopped or end[1]:
            outcome, why = stopped or end
            return Observation(outcome, why, {}, seconds, max_rss, observation.tail(log))
        return observation.observed(observation.written(result), seconds, max_rss, log)

    def _await(
        self, begun: float, bounds: CheckBounds
    ) -> tuple[dict[str, Any], tuple[CheckOutcome, str] | None]:
        """Return the answer that a check has ended, and why it was stopped where it was."""
        stopped: tuple[CheckOutcome, str] | None = None
        self._check, given_up = 0, float("inf")
        while True:
            answer = self._answer(_LOOK_S) or {}
            if answer.get("event") == "ended":
                self._check = 0
                return answer, stopped
            if answer.get("event") == "started":
                self._check = int(answer["pid"])
            now = time.monotonic()
            if stopped is None:
                stopped = _beyond(self._check, now - begun, bounds)
                if stopped:
                    self._send({"event": "stop"})
                    given_up = now + _STOP_S
            elif now > given_up:
                self._end_program()
                self._let_go()
                return {"status": 0, "max_rss_mb": 0}, stopped

    def _send(self, request: Mapping[str, Any]) -> None:
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps(request).encode() + b"\n")
        self._child.stdin.flush()

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        """Return the program's next answer; None when none has come in so many seconds.

        Raises:
            _Gone: its end of the pipe is closed, or that is no answer of its.
        """
        assert self._child is not None
        assert self._child.stdout is not None
        line = _line(self._child.stdout, self._pending, seconds)
        self._pending = line[1]
        if line[0] is None:
            return None
        try:
            answer = json.loads(line[0])
        except (ValueError, RecursionError):
            raise _Gone(_OVERWRITTEN) from None
        if not isinstance(answer, dict):
            raise _Gone(_OVERWRITTEN)
        return answer

    def _end_program(self) -> None:
        """Kill the program at once: it may be where no softer signal reaches it."""
        if self._child is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._child.pid, signal.SIGKILL)


def _line(pipe: IO[bytes], pending: bytes, seconds: float) -> tuple[bytes | None, bytes]:
    """Return the next whole line that comes within so many seconds, and what is beyond it."""
    with selectors.DefaultSelector() as waiting:
        waiting.register(pipe, selectors.EVENT_READ)
        deadline = time.monotonic() + seconds
        while b"\n" not in pending:
            if not waiting.select(max(0.0, deadline - time.monotonic())):
                return None, pending
            piece = os.read(pipe.fileno(), 1 << 16)
            if not piece or len(pending) > observation.LONGEST_RESULT:
                raise _Gone
            pending += piece
    line, _, rest = pending.partition(b"\n")
    return line, rest


def _beyond(pid: int, seconds: float, bounds: CheckBounds) -> tuple[CheckOutcome, str] | None:
    """Return which of its bounds a process is beyond, as an outcome and its reason."""
    if seconds > bounds.seconds:
        return CheckOutcome.HUNG, f"it was stopped after {bounds.seconds:g} s"
    if pid and resident_mb(pid) > bounds.memory_mb:
        return CheckOutcome.KILLED, f"it held more than {bounds.memory_mb} MB of memory"
    return None


def resident_mb(pid: int) -> int:
    """Return the memory that a process holds, in MiB; 0 of one that has ended."""
    if sys.platform == "darwin":
        shown = process.run(["ps", "-o", "rss=", "-p", str(pid)], expected=())
        return int(shown.stdout.strip() or 0) >> 10
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20

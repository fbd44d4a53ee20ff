"""The workers of a sweep: starts them, follows what they write, and ends those that hang."""

import contextlib
import importlib
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from typing import Any, Dict, List, Optional

from .schedule import Ended, Schedule
from .worker import work

_TAIL = 4096
"""Bytes of a dead worker's log in which the reason of its end is looked for."""

_STARTS = 5
"""How many workers in a row may end before they begin a case; then none will ever."""

_START_S = 150.0
"""Seconds that a worker may take until its first case: one that is started anew imports TensorFlow,
whatever a case may take."""

_MEMORY = 12 << 30
"""Bytes of address space that one worker may have: a kernel that asks for more than any machine
has would otherwise end the machine's other work."""


class Worker:
    """A process that calls a batch of cases, and what it has written so far."""

    def __init__(self, batch: List[int], process: int, pipe: int, log: str, child: Any) -> None:
        self.batch = batch
        self.process = process
        self.pipe = pipe
        self.log = log
        # Popen waits for a process that it was dropped for whenever another one is started, and
        # would take its exit status from `reap`.
        self._child = child
        self.begun: List[int] = []
        self.side = ""
        self.heard = time.monotonic()
        self.killed = False
        self._partial = b""

    def rows(self) -> Optional[List[Dict[str, Any]]]:
        """Return the lines that it has written since; None: it has ended."""
        content = os.read(self.pipe, 1 << 16)
        if not content:
            return None
        self.heard = time.monotonic()
        lines = (self._partial + content).split(b"\n")
        self._partial = lines.pop()
        return [json.loads(line.decode()) for line in lines]

    def follow(self, row: Dict[str, Any]) -> bool:
        """Take note of a line; return whether it is an outcome."""
        if "at" not in row:
            self.side = ""
            return True
        if self.begun[-1:] != [row["case"]]:
            self.begun.append(row["case"])
        self.side = row["at"]
        return False

    def hangs(self, bound: float) -> bool:
        """Whether it has been silent for longer than a case may take, or its start before them."""
        limit = bound if self.begun else max(bound, _START_S)
        return time.monotonic() - self.heard > limit

    def kill(self) -> None:
        """End it."""
        self.killed = True
        os.kill(self.process, signal.SIGKILL)

    def reap(self) -> Optional[Ended]:
        """Wait for its end; return how it ended where that was in the middle of a case."""
        os.close(self.pipe)
        code = self._exit_code()
        if not self.side:
            return None
        why = "it hung" if self.killed else _ending(code, self.log)
        return Ended(self.begun[-1], self.side, why, self.killed, len(self.begun) == 1)

    def _exit_code(self) -> int:
        """Wait for the process; return its exit status, or its signal's number, negated."""
        if self._child is not None:
            return int(self._child.wait())
        status = os.waitpid(self.process, 0)[1]
        return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def run_file(path: str) -> None:
    """Call all cases of a specification's file, and write their outcomes to the file it names."""
    with open(path) as file:
        spec = json.load(file)
    if spec["fork"]:
        # Once, for all workers. It computes nothing: after that, forked processes would hang.
        importlib.import_module("tensorflow")
    with open(spec["out"], "w") as out:
        Sweeping(path, spec, out).run()


def work_file(path: str) -> None:
    """Be one worker, for the cases whose numbers come on standard input."""
    with open(path) as file:
        spec = json.load(file)
    batch = json.loads(sys.stdin.readline())
    work([spec["cases"][number] for number in batch], spec, _writer(spec["descriptor"]))


class Sweeping:
    """A sweep under way: the workers, what waits for them, and the file of outcomes."""

    def __init__(self, path: str, spec: Dict[str, Any], out: Any) -> None:
        self._path = path
        self._spec = spec
        self._out = out
        self._schedule = Schedule(list(range(len(spec["cases"]))), spec["batch"])
        self._workers: List[Worker] = []
        self._unstarted = 0
        self._done = 0

    def run(self) -> None:
        """Call every case, unless no worker gets as far as that."""
        try:
            while self._fill():
                for worker in _ready(self._workers, self._spec["timeout"]):
                    self._hear(worker)
        finally:
            for worker in self._workers:
                worker.kill()
                worker.reap()

    def _fill(self) -> bool:
        """Start workers while cases wait; return whether any is at work."""
        while len(self._workers) < self._spec["jobs"] and self._unstarted < _STARTS:
            batch = self._schedule.take()
            if not batch:
                break
            self._workers.append(_start(self._path, self._spec, batch))
        return bool(self._workers)

    def _hear(self, worker: Worker) -> None:
        rows = worker.rows()
        for row in rows or []:
            if worker.follow(row):
                self._write(self._schedule.decided(row))
        if rows is None:
            self._workers.remove(worker)
            self._unstarted = 0 if worker.begun else self._unstarted + 1
            ended = worker.reap()
            if self._schedule.give_back(worker.batch, worker.begun, ended) and ended:
                self._write(_ended_row(ended))

    def _write(self, row: Dict[str, Any]) -> None:
        self._out.write(json.dumps(row) + "\n")
        self._out.flush()
        self._done += 1
        total = len(self._spec["cases"])
        if self._done % 50 == 0 or self._done == total:
            # The caller's progress; it also shows that this process lives.
            sys.stderr.write("swept %d of %d\n" % (self._done, total))
            sys.stderr.flush()


def _ready(workers: List[Worker], bound: float) -> List[Worker]:
    """Return the workers that have written or ended; those that hang are killed, and so end."""
    pipes = {worker.pipe: worker for worker in workers}
    ready = select.select(list(pipes), [], [], 1.0)[0]
    for worker in workers:
        if worker.pipe not in ready and worker.hangs(bound) and not worker.killed:
            worker.kill()
    return [pipes[pipe] for pipe in ready]


def _ended_row(ended: Ended) -> Dict[str, Any]:
    """Return the outcome of a case that ended its worker.

    Where the reference died there is no result to hold the device's against: no inputs are known.
    """
    outcome = "die" if ended.side == "device" else "refused"
    return {
        "case": ended.case,
        "outcome": outcome,
        "why": ended.side + ": " + ended.why,
        "seconds": 0.0,
    }


def _start(path: str, spec: Dict[str, Any], batch: List[int]) -> Worker:
    read, write = os.pipe()
    # By the end that stays open as long as the worker lives; the other's number is given again.
    log = "%s.%d.log" % (spec["out"], read)
    child = None
    if spec["fork"]:
        process = os.fork()
        if process == 0:
            _be_worker(spec, batch, write, log)
    else:
        os.set_inheritable(write, True)
        child = _spawn("%s.%d" % (path, read), dict(spec, descriptor=write), batch, log)
        process = child.pid
    os.close(write)
    return Worker(batch, process, read, log, child)


def _be_worker(spec: Dict[str, Any], batch: List[int], write: int, log: str) -> None:
    """Be a forked worker, which never returns into what its parent was doing."""
    status = 1
    try:
        target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(target, 1)
        os.dup2(target, 2)
        _bound_memory()
        work([spec["cases"][number] for number in batch], spec, _writer(write))
        status = 0
    except BaseException as error:
        os.write(2, repr(error).encode())
    finally:
        os._exit(status)


def _spawn(path: str, spec: Dict[str, Any], batch: List[int], log: str) -> Any:
    """Start a worker that imports TensorFlow itself: on a Mac, Metal does not survive a fork."""
    with open(path, "w") as file:
        json.dump(spec, file)
    program = os.path.dirname(os.path.abspath(__file__))
    argv = [sys.executable, "-I", "-X", "faulthandler", program, "work", path]
    with open(log, "wb") as output:
        child = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            pass_fds=[spec["descriptor"]],
        )
    assert child.stdin is not None
    child.stdin.write(json.dumps(batch).encode() + b"\n")
    child.stdin.close()
    return child


def _bound_memory() -> None:
    with contextlib.suppress(ValueError, OSError):  # a lower limit may be in force already
        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))


def _writer(descriptor: int) -> Any:
    def write(row: Dict[str, Any]) -> None:
        os.write(descriptor, json.dumps(row).encode() + b"\n")

    return write


def _ending(code: int, log: str) -> str:
    """Return how a process ended, with the line of its log that says why (a failed CHECK)."""
    why = "signal %s" % signal.Signals(-code).name if code < 0 else "exit status %d" % code
    with open(log, "rb") as file:
        file.seek(max(0, os.path.getsize(log) - _TAIL))
        lines = file.read().decode("utf-8", "replace").splitlines()
    fatal = [line for line in lines if " F " in line or line.startswith("F")]
    return why + (": " + fatal[-1][:300] if fatal else "")

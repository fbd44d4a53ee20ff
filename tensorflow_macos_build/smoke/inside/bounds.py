"""What keeps a check's process within bounds, and ends what it leaves behind."""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import tempfile
from typing import Any, Dict, Iterator

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h

LONGEST_FILE = 4 << 30
"""Bytes of any file that a check writes, its log among them."""


def adopt_orphans() -> None:
    """Let orphans below this process become its own children, so that it can end them (Linux)."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Let this process be killed when its parent, of that id, ends (Linux)."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended before that
        os._exit(70)


def _prctl(option: int, value: int) -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def wake_at_child() -> int:
    """Return a descriptor that can be read from when a child has ended."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    # The module may have blocked them: then no check would be seen to end.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT))
    return reading


def _leave(number: int, frame: Any) -> None:
    # Once: what ends all that was started is not stopped by the next one.
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)
    raise SystemExit(128 + number)


def set_in_child(request: "Dict[str, Any]") -> None:
    """Make this process a check's: a session, a folder and a log of its own, bounds, no signals."""
    # The session is new already where the process was spawned by who leads it.
    with contextlib.suppress(PermissionError):
        os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    log = os.open(request["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for descriptor in (1, 2):
        os.dup2(log, descriptor)
    os.close(log)
    os.chdir(request["folder"])
    # Keras takes its settings from ~/.keras/keras.json, and writes that file at its import.
    os.environ["HOME"] = os.environ["TMPDIR"] = request["folder"]
    # The module may have asked for the folder already at its import, and tempfile keeps the answer.
    tempfile.tempdir = request["folder"]
    lower(resource.RLIMIT_FSIZE, LONGEST_FILE)
    lower(resource.RLIMIT_CORE, 0)
    # The parent watches what is resident. This stops what takes more than it can watch; address
    # space alone is no measure, of which TensorFlow reserves much more than it uses.
    lower(resource.RLIMIT_DATA, 2 * request["memory_mb"] << 20)


def lower(limit: int, value: int) -> None:
    """Lower a limit of this process, for good."""
    _, hard = resource.getrlimit(limit)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    # Of some limits a Mac has a smaller range than the numbers say.
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(limit, (value, value))


def megabytes(max_rss: int) -> int:
    """Return `ru_maxrss` in MiB: it is KiB on Linux and bytes on a Mac (getrusage(2))."""
    return max_rss >> 20 if sys.platform == "darwin" else max_rss >> 10


def end_group(pid: int) -> None:
    """Kill the process group of a check, which its own process led."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_children() -> None:
    """Kill what this process has below it, also what left its group, and wait for it."""
    for _ in range(1000):  # the orphans of what is killed come up, level by level
        children = list(own_children())
        if not children:
            return
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(children[0], 0)


def own_children() -> "Iterator[int]":
    """Yield the ids of this process's children (proc(5)); none where there is no /proc."""
    own = str(os.getpid())
    with contextlib.suppress(OSError):
        for name in os.listdir("/proc"):
            if name.isdigit() and _parent(name) == own:
                yield int(name)


def _parent(pid: str) -> str:
    try:
        with open("/proc/{}/stat".format(pid), encoding="utf-8", errors="replace") as opened:
            # The program's name is in brackets, and may hold any character.
            return opened.read().rpartition(")")[2].split()[1]
    except (OSError, IndexError):
        return ""

"""Bazel's servers and the programs that pass for Bazel."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import process

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNALS = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
"""What a server is sent, and how many seconds it then has: it may end its actions by itself."""

_POLL_SECONDS = 0.05
"""A server is no child of this process, so its end is looked for, and cannot be waited for."""

_PROCESSES = Path("/proc")
"""proc(5); a Mac has none."""


def environment(program: Path) -> dict[str, str | None]:
    """Return the variables that a Bazel of this kind needs."""
    # Debian's wrapper finds only versions installed beside it, and refuses a tree whose
    # .bazelversion names another; so it is told to take what it has. bazelisk fetches the version
    # that the tree names, and is told nothing.
    beside = [path.name for path in program.resolve().parent.glob("bazel-*")]
    wrapper = any(re.fullmatch(r"bazel-[\d.]+", name) for name in beside) and _is_script(program)
    return {"USE_BAZEL_VERSION": "latest"} if wrapper else {}


def end_server(output_base: Path, *, at_once: bool = False) -> None:
    """End the server of an output base, and so the command that it is at work on, if any.

    It is for what a killed build left behind, and `at_once` for a person who does not wait: then
    the server cannot end its actions, and they are ended here.

    The server's process id is in the output base; a process of that id which is not this output
    base's server is let alone.
    """
    try:
        pid = int((output_base / "server" / "server.pid.txt").read_text())
    except (OSError, ValueError):
        return
    # Listed while it lives: afterwards they are children of the system's first process. Only the
    # Linux sandbox ends with its server (prctl(2), PR_SET_PDEATHSIG); others' actions work on.
    actions = _descendants(pid) if at_once and _is_server(pid, output_base) else []
    for number, patience in _SIGNALS[1:] if at_once else _SIGNALS:
        # Looked at before each signal: the id may have become another process's meanwhile.
        if not _is_server(pid, output_base):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
        deadline = time.monotonic() + patience
        while _is_server(pid, output_base) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    for action in actions:
        with contextlib.suppress(ProcessLookupError):
            os.kill(action, signal.SIGKILL)


def _descendants(pid: int) -> list[int]:
    """Return the ids of a process's children, of theirs, and so on; the nearest first."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    family = list(children.get(pid, ()))
    for child in family:  # it grows meanwhile
        family += children.get(child, ())
    return family


def _parents() -> Iterator[tuple[int, int]]:
    """Yield every process's id and its parent's."""
    if not _PROCESSES.is_dir():
        for line in process.run(["ps", "-A", "-o", "pid=,ppid="]).stdout.splitlines():
            child, parent = line.split()
            yield int(child), int(parent)
        return
    for folder in _PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended since it was listed
            # The name in parentheses may hold anything; state and parent follow it (proc(5)).
            facts = (folder / "stat").read_bytes().rpartition(b")")[2].split()
            yield int(folder.name), int(facts[1])


def _is_server(pid: int, output_base: Path) -> bool:
    return f"--output_base={output_base}".encode() in _command_line(pid)


def _command_line(pid: int) -> list[bytes]:
    """Return the words of a process's command line; none when there is no such process."""
    if not _PROCESSES.is_dir():
        # ps joins words by spaces. An output base has none in its path: Bazel works in no such.
        listed = process.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], expected=())
        return listed.stdout.split()
    try:
        return (_PROCESSES / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _is_script(program: Path) -> bool:
    with program.resolve().open("rb") as stream:
        return stream.read(2) == b"#!"

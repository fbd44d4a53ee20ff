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

_PATIENCE = 10.0
"""Seconds that a server has to end its actions and itself when it is told to (SIGTERM)."""

_LIMIT = 10.0
"""Seconds after which what the system does not take away is left to it."""

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
    the server cannot end its actions, and they are ended here. Its clients end, too: one would
    start a server anew.
    """
    if not at_once:
        for pid in _at_work(output_base):
            _send(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while _at_work(output_base) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    deadline = time.monotonic() + _LIMIT
    # A second look before it is believed: what a dying server has just started is in no list that
    # was begun before.
    while (pids := _at_work(output_base) or _at_work(output_base)) and time.monotonic() < deadline:
        for pid in pids:
            _kill_family(pid)
        time.sleep(_POLL_SECONDS)


def _at_work(output_base: Path) -> list[int]:
    """Return the ids of the server and the clients of an output base.

    Not by server/server.pid.txt, which a server that has just been started has not written yet.
    """
    word = f"--output_base={output_base}".encode()
    return [pid for pid, words in _command_lines() if word in words and pid != os.getpid()]


def _kill_family(pid: int) -> None:
    """Kill a process and what it has started.

    Only the Linux sandbox ends with its server (prctl(2), PR_SET_PDEATHSIG); other actions would
    work on.
    """
    _send(pid, signal.SIGSTOP)  # so that it starts no more while they are listed
    family = _descendants(pid)  # now: without their parent they are the system's first process's
    _send(pid, signal.SIGKILL)
    for action in family:
        # Bazel's process-wrapper gives an action a group of its own, where it may still multiply.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if (group := os.getpgid(action)) != os.getpgrp():
                os.killpg(group, signal.SIGKILL)
        _send(action, signal.SIGKILL)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


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


def _command_lines() -> Iterator[tuple[int, list[bytes]]]:
    """Yield the ids of the processes below this one's root, and the words of their command lines.

    One that is dead, and not waited for, has no words.
    """
    if not _PROCESSES.is_dir():
        # ps joins words by spaces. An output base has none in its path: Bazel works in no such.
        for line in process.run(["ps", "-A", "-ww", "-o", "pid=,args="]).stdout.splitlines():
            pid, *words = line.split()
            yield int(pid), words
        return
    own_root = (_PROCESSES / "self/root").stat()
    for folder in _PROCESSES.glob("[0-9]*"):
        # It has ended since it was listed, or is another person's, and its root is not shown.
        with contextlib.suppress(OSError):
            # Below another root, a container's or a chroot's, the same path is another folder.
            if os.path.samestat((folder / "root").stat(), own_root):
                yield int(folder.name), (folder / "cmdline").read_bytes().split(b"\0")


def _is_script(program: Path) -> bool:
    with program.resolve().open("rb") as stream:
        return stream.read(2) == b"#!"

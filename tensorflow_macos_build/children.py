"""A program that this one has started: how its end is waited for, and how it is ended.

It is never left at work by an interrupt, whenever that comes. Ending it begins with SIGINT, then
comes SIGTERM, then SIGKILL, each to the program's whole process group.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import time
from typing import TYPE_CHECKING

from tensorflow_macos_build import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable

Child = subprocess.Popen[bytes]

PATIENCE = (10.0, 5.0)
"""Seconds that a program has after SIGINT, and after SIGTERM, before the next stronger signal.
SIGINT comes first: at it Bazel's client cancels its server's work, and programs in Python tidy up,
which SIGTERM ends at once."""

_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.05
"""Seconds between two looks at whether a program has ended: most end as soon as they are told."""


class Supervision:
    """The time in which a program runs. It is stopped at the end, whenever interrupts come.

    No generator: one that is interrupted on the way into or out of the body is left where it is.
    """

    def __init__(self, launch: Callable[[], Child]) -> None:
        self._launch = launch
        self._child: Child | None = None

    def __enter__(self) -> Child:
        try:
            child = self._begin()
        except BaseException:
            self._end()
            raise
        return child

    def __exit__(self, *_exception: object) -> None:
        self._end()

    @interrupts.undisturbed
    def _begin(self) -> Child:
        self._child = self._launch()
        return self._child

    @interrupts.undisturbed
    def _end(self) -> None:
        if self._child is None:
            return
        # Closed before it is stopped: a program that reads its input to the end, or writes to a
        # full pipe, so ends by itself. Closing writes what is still buffered, which may fail.
        for pipe in (self._child.stdin, self._child.stdout, self._child.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        stop(self._child)


@interrupts.undisturbed
def stop(child: Child) -> None:
    """End a program and its process group: SIGINT, then SIGTERM, then SIGKILL; wait for it.

    Members of the group that ignored the softer signals end with the program. A person's second
    interrupt, or one during the wait, ends the patience: SIGKILL follows at once.
    """
    if _has_ended(child):
        return  # its id is free again, and may be another group's by now
    patience = interrupts.Patience()
    for number, seconds in zip((signal.SIGINT, signal.SIGTERM), PATIENCE, strict=True):
        _signal_group(child, number)
        if wait(child, seconds, patience) or patience.is_lost:
            break
    # The leader may be gone, and members of its group still there. The kernel gives a group's id to
    # nobody else as long as it has a member.
    _signal_group(child, signal.SIGKILL)
    wait(child)


def wait(
    child: Child, seconds: float = math.inf, patience: interrupts.Patience | None = None
) -> bool:
    """Wait for a program to end, so many seconds or while there is patience; return whether it has.

    Not by `Popen.wait`: an interrupt there may leave its lock held, and then every later wait for
    the program lasts for ever (`Popen._internal_poll` has it before its `try`).
    """
    deadline, pause = time.monotonic() + seconds, _SHORTEST_PAUSE
    while not _has_ended(child):
        if time.monotonic() > deadline or (patience is not None and patience.is_lost):
            return False
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    return True


def _has_ended(child: Child) -> bool:
    if child.returncode is None:
        try:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
        except ChildProcessError:
            # An interrupt has come between the system's answer to Popen and its being noted; Popen
            # itself then says so, too.
            child.returncode = 0
        else:
            child.returncode = os.waitstatus_to_exitcode(status) if pid else None
    return child.returncode is not None


def _signal_group(child: Child, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, number)

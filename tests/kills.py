"""Ending a process at its n-th change of the file system, as a kill would.

A kill at a read leaves what one at the next change leaves, so reads do not count.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

WATCHED = {
    *("os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.truncate"),
    *("os.chmod", "os.utime", "shutil.rmtree", "ctypes.dlsym", "subprocess.Popen"),
}
"""Audit events of what changes the file system (Python's "Audit events table"), but for `open`."""

_KILLED = 137
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def ended_at(
    step: int, folder: Path, action: Callable[[], object], *, within: float | None = None
) -> bool:
    """Run `action` in a child that ends at its `step`-th change of something below `folder`.

    Programs that it starts with the folder's name on their command line, and calls into libc, count
    too. With `within`, the child ends so many seconds after its `step`-th start of a program, and
    the program with it: in the midst of what that writes, mostly. False: the action came to its end
    first.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, _KILLED), code
        return code == _KILLED
    dying = threading.Event()
    _end_at(step, folder, within, dying)
    code = 1
    try:
        action()
        code = 0
    finally:
        # where a program was killed first, this process may see that before its own end
        os._exit(_KILLED if dying.is_set() else code)


def _end_at(step: int, folder: Path, within: float | None, dying: threading.Event) -> None:
    """Let this process end at the `step`-th event that counts."""
    count = 0
    counts = _changes if within is None else _starts

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if not counts(event, arguments, str(folder)):
            return
        count += 1
        if count == step and within is None:
            os._exit(_KILLED)
        if count == step and within is not None:
            threading.Timer(within, _end_with_programs, [dying]).start()

    sys.addaudithook(watch)


def _changes(event: str, arguments: tuple[object, ...], folder: str) -> bool:
    """Whether an event may change what is below a folder."""
    if event == "open":
        return bool(int(str(arguments[2])) & _WRITING) and folder in str(arguments[0])
    # what libc is called for by name is an exchange of two folders
    return event in WATCHED and (event == "ctypes.dlsym" or folder in str(arguments))


def _starts(event: str, arguments: tuple[object, ...], folder: str) -> bool:
    """Whether an event is the start of a program that is told of a folder."""
    return event == "subprocess.Popen" and folder in str(arguments)


def _end_with_programs(dying: threading.Event) -> None:
    """End this process and the programs that it started, at once (proc(5), `children`)."""
    dying.set()
    for listing in Path("/proc/self/task").glob("*/children"):
        for program in listing.read_text().split():
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(int(program), signal.SIGKILL)
    os._exit(_KILLED)

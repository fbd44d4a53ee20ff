"""Ending a process at its n-th touch of the file system, as a kill would."""

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
    *("open", "os.rename", "os.link", "os.mkdir", "os.rmdir", "os.remove", "os.listdir"),
    *("os.scandir", "os.utime", "shutil.rmtree", "ctypes.dlsym", "fcntl.flock", "shutil.copyfile"),
    *("tempfile.mkdtemp", "subprocess.Popen"),
}
"""Audit events of what can be seen from outside (Python's "Audit events table")."""

_KILLED = 137


def ended_at(
    step: int, folder: Path, action: Callable[[], object], *, within: float | None = None
) -> bool:
    """Run `action` in a child that ends at its `step`-th touch of something below `folder`.

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
    watched = WATCHED if within is None else {"subprocess.Popen"}

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event not in watched or not (event == "ctypes.dlsym" or str(folder) in str(arguments)):
            return
        count += 1
        if count == step and within is None:
            os._exit(_KILLED)
        if count == step and within is not None:
            threading.Timer(within, _end_with_programs, [dying]).start()

    sys.addaudithook(watch)


def _end_with_programs(dying: threading.Event) -> None:
    """End this process and the programs that it started, at once (proc(5), `children`)."""
    dying.set()
    for listing in Path("/proc/self/task").glob("*/children"):
        for program in listing.read_text().split():
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(int(program), signal.SIGKILL)
    os._exit(_KILLED)

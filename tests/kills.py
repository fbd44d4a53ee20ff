"""Ending a process at its n-th touch of the file system, as a kill would."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

WATCHED = {
    *("open", "os.rename", "os.link", "os.mkdir", "os.rmdir", "os.remove", "os.listdir"),
    *("os.scandir", "os.utime", "shutil.rmtree", "ctypes.dlsym", "fcntl.flock", "shutil.copyfile"),
    *("tempfile.mkdtemp", "subprocess.Popen"),
}
"""Audit events of what can be seen from outside (Python's "Audit events table")."""

_KILLED = 137


def ended_at(step: int, folder: Path, action: Callable[[], object]) -> bool:
    """Run `action` in a child that ends at its `step`-th touch of something below `folder`.

    Programs that it starts with the folder's name on their command line, and calls into libc, count
    too. False: the action came to its end first.
    """
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        assert code in (0, _KILLED), code
        return code == _KILLED
    count = 0

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal count
        if event in WATCHED and (event == "ctypes.dlsym" or str(folder) in str(arguments)):
            count += 1
            if count == step:
                os._exit(_KILLED)

    sys.addaudithook(watch)
    try:
        action()
        os._exit(0)
    finally:
        os._exit(1)

"""Ending a process at its n-th change of the file system, as a kill would.

A kill at a read leaves what one at the next change leaves, so reads do not count.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WATCHED = {
    *("os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.remove", "os.truncate"),
    *("os.chmod", "os.utime", "shutil.rmtree", "ctypes.dlsym", "subprocess.Popen"),
}
"""Audit events of what changes the file system (Python's "Audit events table"), but for `open`."""

_KILLED = 137
_SET_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of prctl(2)."""

_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def ended_at(
    step: int, folder: Path, action: Callable[[], object], *, within: float | None = None
) -> bool:
    """Run `action` in a child that ends at its `step`-th change of something below `folder`.

    Programs that it starts with the folder's name on their command line, and calls into libc, count
    too. With `within`, the child ends so many seconds after its `step`-th start of a program, and
    the program with it: in the midst of what that writes, mostly. What such a program has started
    comes to its own end before this returns. False: the action came to its end first.
    """
    with _orphans_awaited():
        child = os.fork()
        if not child:
            _run(step, folder, within, action)
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    assert code in (0, _KILLED), code
    return code == _KILLED


def _run(step: int, folder: Path, within: float | None, action: Callable[[], object]) -> NoReturn:
    """Run `action`, and end this process, then or before."""
    dying = threading.Event()
    _end_at(step, folder, within, dying)
    code = 1
    try:
        action()
        code = 0
    finally:
        # where a program was killed first, this process may see that before its own end
        os._exit(_KILLED if dying.is_set() else code)


@contextlib.contextmanager
def _orphans_awaited() -> Iterator[None]:
    """Wait at the end for programs that children of the body's have left at work.

    What those still write would come between what the next command sweeps and what it leaves. A Mac
    gives its orphans to nobody but launchd, so that may happen there.
    """
    if sys.platform != "linux":
        yield
        return
    prctl, before = ctypes.CDLL(None).prctl, _programs()
    prctl(_SET_CHILD_SUBREAPER, 1)
    yield
    while orphans := _programs() - before:
        for orphan in orphans:
            os.waitpid(orphan, 0)
    prctl(_SET_CHILD_SUBREAPER, 0)


def _programs() -> set[int]:
    """Return the ids of this process's children (proc(5), `children`)."""
    listings = Path("/proc/self/task").glob("*/children")
    return {int(pid) for listing in listings for pid in listing.read_text().split()}


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
    """End this process and the programs that it started, at once."""
    dying.set()
    for program in _programs():
        with contextlib.suppress(ProcessLookupError):  # it ended by itself
            os.kill(program, signal.SIGKILL)
    os._exit(_KILLED)

"""A folder on a file system in memory, for work that makes and deletes files by the ten thousand.

On a disk that work waits for the disk, and ext4 looks at every inode that was deleted within five
minutes before it gives one out (recently_deleted in the kernel's fs/ext4/ialloc.c): after some
thousands of deletions each new file costs ten times as much.
"""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import temporary

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - nothing is made there by a name that can be known
"""Where Linux has a tmpfs that everybody may write to (shm_overview(7)); macOS has none."""

_MACHINE = Path("/proc/meminfo")
"""What Linux says of its memory (proc_meminfo(5))."""

_CONTAINER = Path("/sys/fs/cgroup")
"""The control group of a container, as it sees it itself (cgroup_namespaces(7))."""

_ST_NOEXEC = 8
"""Linux's (statvfs(3)); a Mac's Python does not know the name."""


@contextlib.contextmanager
def made(prefix: str, needed: int, free: int = 0) -> Iterator[Path | None]:
    """Yield an empty folder in memory, deleted when the body ends; None: there is no such room.

    What killed runs left there under names with this prefix is deleted first.

    Args:
        prefix: how the folder's name begins.
        needed: how many bytes of files it has to take.
        free: how many bytes have to be free there, though no file takes them.
    """
    temporary.sweep(SHARED_MEMORY, prefix)
    if not has_room(SHARED_MEMORY, needed, free):
        yield None
        return
    with temporary.folder_in(SHARED_MEMORY, prefix) as folder:
        yield folder


def has_room(parent: Path, needed: int, free: int = 0) -> bool:
    """Whether a file system in memory takes `needed` bytes, and runs programs that lie there.

    As much memory again has to be left to the programs: what files have cannot be taken from them.
    """
    try:
        file_system = os.statvfs(parent)
        memory = _available_memory()
    except (OSError, ValueError):  # a Mac has neither
        return False
    runs_programs = not file_system.f_flag & _ST_NOEXEC  # a container's does not
    available = file_system.f_bavail * file_system.f_frsize
    writable = os.access(parent, os.W_OK | os.X_OK)
    return runs_programs and writable and available >= max(needed, free) and memory >= 2 * needed


def _available_memory() -> int:
    """Return how many bytes the machine, and a container, can give without swapping.

    Raises:
        OSError, ValueError: the system does not say.
    """
    said = re.search(r"^MemAvailable: +([0-9]+) kB$", _MACHINE.read_text("ascii"), re.MULTILINE)
    if said is None:
        raise ValueError(f"{_MACHINE} has no MemAvailable")
    machine = int(said[1]) << 10
    try:
        limit = int((_CONTAINER / "memory.max").read_text("ascii"))  # ValueError: it is `max`
        return min(machine, limit - int((_CONTAINER / "memory.current").read_text("ascii")))
    except (OSError, ValueError):
        return machine

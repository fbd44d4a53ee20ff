"""Locks on files and folders that end with the process that holds them (flock(2)).

The kernel frees such a lock when the last descriptor of the open file is closed, so by whatever
ends its holder: there is nothing to clean up by hand, and no age and no process id decides.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_of_thread = threading.local()
"""Its `files`: the identities (device, inode, process) of the files that this thread has locked.
The process counts because a forked child starts with a copy, and has not locked anything."""


_RECORD_BYTES = 4096

_RECORD_SECONDS = 1.0
"""How long a lock's new holder may take to write its record before nothing is known of it."""

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class LockHolder:
    """Who has a lock, in its own words.

    Attributes:
        pid: its process id.
        since: when it got the lock, in seconds since 1970.
        command: the command that it does.
    """

    pid: int
    since: int
    command: str


@contextlib.contextmanager
def held_openly(
    lock_file: Path, command: str, busy: Callable[[LockHolder | None], object]
) -> Iterator[None]:
    """Hold `lock_file` as `held` does, with a record in it of who does and for which command.

    `busy` is called with who holds it before a wait; None: that one has not said, or is a process
    that cannot be seen from here (pid_namespaces(7)).
    """
    with held(lock_file, lambda: busy(_holder(lock_file))):
        record = LockHolder(os.getpid(), int(time.time()), command[: _RECORD_BYTES // 4])
        # The record is for people: a full disk does not keep anyone from the lock.
        with contextlib.suppress(OSError):
            lock_file.write_text(json.dumps(asdict(record)), encoding="utf-8")
        try:
            yield
        finally:
            # A record stays behind only where its process has died, and so is known for stale.
            with contextlib.suppress(OSError):
                os.truncate(lock_file, 0)


def _holder(lock_file: Path) -> LockHolder | None:
    """Return who holds a lock; wait a little for the record of one that has just got it."""
    deadline = time.monotonic() + _RECORD_SECONDS
    while True:
        holder = _recorded_holder(lock_file)
        if holder is not None or time.monotonic() > deadline:
            return holder
        time.sleep(_POLL_SECONDS)


def _recorded_holder(lock_file: Path) -> LockHolder | None:
    try:
        with lock_file.open("rb") as stream:
            fields = json.loads(stream.read(_RECORD_BYTES))
        holder = LockHolder(int(fields["pid"]), int(fields["since"]), str(fields["command"]))
        os.kill(holder.pid, 0)  # sends nothing (kill(2))
    except PermissionError:  # another user's process, which is alive
        return holder
    except (OSError, ValueError, KeyError, TypeError, OverflowError):
        return None
    return holder


@contextlib.contextmanager
def held(lock_file: Path, busy: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold an exclusive lock on `lock_file`; wait for whoever holds it.

    `lock_file` may be a folder that exists: then nothing is made for the lock. `busy` is called
    once before a wait, so that people can be told why nothing happens. A thread that holds the lock
    may take it again.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(lock_file, busy)
    status = os.fstat(descriptor)
    identity = (status.st_dev, status.st_ino, os.getpid())
    try:
        _locked_by_this_thread().append(identity)
        yield
    finally:
        _locked_by_this_thread().remove(identity)
        os.close(descriptor)


def claim(path: Path, descriptor: int) -> bool | None:
    """Lock what is open without waiting; False: another process has it, or it is not at `path`.

    None: the file system has no such locks. NFS on Linux has them by its locks of byte ranges, of
    which an exclusive one needs a descriptor to write (flock(2)), and a folder has none.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return _is_at(descriptor, path)


def _lock(lock_file: Path, busy: Callable[[], object] | None) -> int:
    """Open and lock a file; one that is deleted or replaced during the wait is not the lock."""
    while True:
        flags = os.O_RDONLY if lock_file.is_dir() else os.O_RDWR | os.O_CREAT
        # Not inherited: a child that outlives its parent would keep the lock.
        descriptor = os.open(lock_file, flags | os.O_CLOEXEC, 0o666)
        status = os.fstat(descriptor)
        # A second open file of the same process would wait for the first, and so for ever.
        if (status.st_dev, status.st_ino, os.getpid()) in _locked_by_this_thread():
            return descriptor
        try:
            _wait_for(descriptor, busy)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_at(descriptor, lock_file.resolve()):
            return descriptor
        os.close(descriptor)


def _wait_for(descriptor: int, busy: Callable[[], object] | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if busy is not None:
            busy()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether what is open is what lies at `path` now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def _locked_by_this_thread() -> list[tuple[int, int, int]]:
    identities: list[tuple[int, int, int]] = _of_thread.__dict__.setdefault("files", [])
    return identities

"""One writer a queue at a time, and readers that see one state of it.

The lock is the folder that holds the queue's (flock(2)). It stays whatever becomes of the queue, it
is the same however the queue is named, and it leaves nothing behind; queues side by side wait for
each other. Whoever writes holds it from reading to writing.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, TypeVar

from tensorflow_macos_build import files, locks, temporary
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Waiting = Callable[[str], object]

T = TypeVar("T")


def unwatched(message: str) -> None:
    """Be the `waiting` of work that nobody watches."""


@contextlib.contextmanager
def sole_writer(folder: Path, waiting: Waiting = unwatched) -> Iterator[Path]:
    """Keep every other writer of a queue out while the body runs; yield its folder without links.

    Args:
        folder: the queue's folder, under any of its names.
        waiting: told once, before a wait, what is waited for.

    Raises:
        UsageError: there is no folder that could hold the queue.
    """
    real = folder.resolve()
    if not real.parent.is_dir():
        raise UsageError("there is no such queue", where=str(folder))

    def busy() -> None:
        waiting(f"waiting for another command that is at work on a queue in {real.parent}")

    with locks.held(real.parent, busy):
        temporary.sweep(real.parent)  # a command that finds its work done writes nothing that would
        yield real


def read_steadily(folder: Path, read: Callable[[Path], T]) -> T:
    """Return what `read` makes of a queue's folder, read again when it was replaced meanwhile.

    A swap that a kill cut in two leaves the queue under another name (`files.displaced`); it is
    read there. Nothing is written: the next writer puts it back.
    """
    while True:
        present = _present(folder)
        with _opened(present) as identity:
            try:
                result = read(present)
            except Exception:
                # a file that vanished with the folder that it was in is no fault of the queue's
                if identity == _identity(present):
                    raise
                continue
            # a swap puts another folder in place: times may be those of the old one, its inode may
            # not
            if identity == _identity(present):
                return result


def _present(folder: Path) -> Path:
    aside = files.displaced(folder.resolve())
    return aside if not folder.exists() and aside.exists() else folder


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[tuple[int, int] | None]:
    """Yield a folder's identity; while it is open no other folder can get the same."""
    try:
        # O_NONBLOCK: a pipe in the folder's place would wait for its writer (fifo(7))
        descriptor = os.open(folder, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        yield None
        return
    try:
        status = os.fstat(descriptor)
        yield status.st_dev, status.st_ino
    finally:
        os.close(descriptor)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino

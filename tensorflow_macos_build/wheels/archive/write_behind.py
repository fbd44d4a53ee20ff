"""Having the disk write a large file while the rest of it is made.

Systems keep what is written in memory for half a minute, so that a flush at the end would wait for
the whole file: 1.2 s for the 480 MB of TensorFlow's universal wheel, with idle processors.
"""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from tensorflow_macos_build import files

if TYPE_CHECKING:
    from pathlib import Path

_AT_ONCE = 32 << 20
"""Bytes that are written before the disk is asked again; a file with fewer is flushed once."""


class WriteBehind:
    """Flushes one file from a thread of its own.

    Args:
        path: the file, which is there when `written` is called.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = 0
        self._running: Future[None] | None = None

    def __enter__(self) -> WriteBehind:
        self._thread = ThreadPoolExecutor(1)
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()

    def written(self, size: int) -> None:
        """Count bytes that were written; flush when there are many and the disk has nothing to do.

        Raises:
            OSError: what was written before could not be flushed.
        """
        self._waiting += size
        if self._waiting >= _AT_ONCE and (self._running is None or self._running.done()):
            self._start()

    def finish(self) -> None:
        """Begin to flush the end of a file that was flushed in part; `wait` waits for it."""
        if self._running is not None:
            self._start()

    def wait(self) -> None:
        """Wait for what is under way.

        Raises:
            OSError: it could not be flushed.
        """
        # A system tells of a failed write once: who flushes the file after that hears of none.
        if self._running is not None:
            self._running.result()

    def _start(self) -> None:
        self.wait()
        self._waiting = 0
        self._running = self._thread.submit(files.flush, self._path)

"""Contents of binaries while they are looked at, without holding them in memory.

A member is inflated once, in order, but a Mach-O file must be read at random. Small ones stay in
memory; large ones go to a temporary file that has no name (it is unlinked at once, so nothing is
left behind by a kill) and are mapped. The export tries that the dry link needs at the end go to
one further such file.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import threading
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

IN_MEMORY = 1 << 20
"""Bytes up to which a binary stays in memory."""

_BLOCK = 1 << 20


class Spool:
    """One binary: written once in order, then read at random."""

    def __init__(self, size: int) -> None:
        self._file = _unnamed() if size > IN_MEMORY else None
        self._end = 0
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        if self._file is None:
            self._chunks.append(chunk)
            return
        _write_all(self._file.fileno(), chunk, self._end)
        self._end += len(chunk)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Content]:
        """Yield the content; it is gone when the body ends."""
        if self._file is None:
            yield Content(Window.whole(b"".join(self._chunks)), None)
            return
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield Content(Window.whole(mapped), self._file.fileno())

    def close(self) -> None:
        """Free its memory or its file."""
        self._chunks.clear()
        if self._file is not None:
            self._file.close()


class Content:
    """A binary's bytes, for parsers as a window, and for hashing as blocks."""

    def __init__(self, window: Window, descriptor: int | None) -> None:
        self.window = window
        self._descriptor = descriptor

    def blocks(self, part: Window, size: int = _BLOCK) -> Iterator[bytes]:
        """Return a part's bytes in order, in pieces of `size` bytes.

        A spooled file is read rather than mapped here: mapped pages count as the process's memory
        (RSS), and hashing touches all of them.
        """
        if self._descriptor is None:
            yield from part.blocks(size)
            return
        for at in range(part.start, part.end, size):
            yield os.pread(self._descriptor, min(size, part.end - at), at)


class ExportStore:
    """Export tries, put aside in one unnamed temporary file; several threads may put.

    A binary is gone when it has been looked at, but whoever links with it may come last.
    """

    def __init__(self) -> None:
        self._file = _unnamed()
        self._end = 0
        self._lock = threading.Lock()

    def put(self, part: Window) -> range:
        """Copy a window's bytes; return where they are."""
        # The lock is for the place alone: pwrite takes an offset, so threads write side by side.
        with self._lock:
            start = self._end
            self._end += len(part)
        at = start
        for block in part.blocks():
            _write_all(self._file.fileno(), block, at)
            at += len(block)
        return range(start, start + len(part))

    def mark(self) -> int:
        """Return what `rewind` goes back to."""
        return self._end

    def rewind(self, mark: int) -> None:
        """Forget what was put since `mark` was called; nobody may read or put meanwhile."""
        self._end = mark

    @contextlib.contextmanager
    def reading(self) -> Iterator[Window]:
        """Yield all that was put."""
        if not self._end:  # mmap(2) takes no empty file
            yield Window.whole(b"")
            return
        with mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            yield Window.whole(mapped)

    def close(self) -> None:
        """Free its memory or its file."""
        self._file.close()


def _unnamed() -> FileIO:
    """Return a temporary file without a name, which its holder must close."""
    # Unbuffered: it is written by its descriptor, which a buffer would not know of.
    return tempfile.TemporaryFile(buffering=0)


def _write_all(descriptor: int, block: bytes, offset: int) -> None:
    left = memoryview(block)
    while left:  # pwrite(2) may write less than it was given
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written

"""Contents of binaries while they are looked at, without holding them in memory.

A member is inflated once, in order, but a Mach-O file must be read at random. Small ones stay in
memory. Of large ones what is read (`sieve`) goes to a temporary file that has no name (it
is unlinked at once, so nothing is left behind by a kill) and is mapped. The export tries that the
dry link needs at the end go to one further such file.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import tempfile
import threading
from types import MappingProxyType
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.window import Window
from tensorflow_macos_build.wheels.verify.sieve import Sieve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from io import FileIO

    from tensorflow_macos_build.macho.signature import CodeDirectory
    from tensorflow_macos_build.wheels.verify.sieve import HashedCode

IN_MEMORY = 1 << 20
"""Bytes up to which a binary stays in memory."""

_BLOCK = 1 << 20


class Spool:
    """One binary: written once in order, then read at random.

    Args:
        size: its bytes.
        again: gives them once more. Then what nobody reads but `Content.blocks` is left out of
            what is kept (`sieve`).
    """

    def __init__(self, size: int, again: Callable[[], Iterator[bytes]] | None = None) -> None:
        self._file = _KeptFile() if size > IN_MEMORY else None
        self._sieve = Sieve(self._file, size) if self._file and again else None
        self._again = again
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes."""
        if self._sieve is not None:
            self._sieve.write(chunk)
        elif self._file is not None:
            self._file.write(chunk)
        else:
            self._chunks.append(bytes(chunk))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Content]:
        """Yield the content; it is gone when the body ends."""
        if self._file is None:
            yield Content(Window.whole(b"".join(self._chunks)), None)
            return
        hashed = self._sieve.hashed() if self._sieve else {}
        again = self._again if self._sieve and self._sieve.has_gaps else None
        with self._file.mapped() as mapped:
            yield Content(Window.whole(mapped), self._file.descriptor, hashed, again)

    def close(self) -> None:
        """Free its memory or its file."""
        self._chunks.clear()
        if self._file is not None:
            self._file.close()


class _KeptFile:
    """An unnamed file; what was passed over in it reads as zeros, and takes no room."""

    def __init__(self) -> None:
        self._file = _unnamed()
        self._end = 0

    @property
    def descriptor(self) -> int:
        return self._file.fileno()

    def write(self, chunk: bytes | memoryview) -> None:
        _write_all(self.descriptor, chunk, self._end)
        self._end += len(chunk)

    def skip(self, size: int) -> None:
        self._end += size

    @contextlib.contextmanager
    def mapped(self) -> Iterator[mmap.mmap]:
        os.ftruncate(self.descriptor, self._end)  # what is passed over may be the end
        with mmap.mmap(self.descriptor, 0, access=mmap.ACCESS_READ) as mapped:
            yield mapped

    def close(self) -> None:
        self._file.close()


class Content:
    """A binary's bytes, for parsers as a window, and for hashing as blocks.

    Args:
        window: the bytes, as zeros where they were left out.
        descriptor: the file that has them; None: they are in memory.
        hashed: the hashes of code that were made as it passed, by the offset of its slice.
        again: gives the bytes once more, where some were left out.
    """

    def __init__(
        self,
        window: Window,
        descriptor: int | None,
        hashed: Mapping[int, HashedCode] = MappingProxyType({}),
        again: Callable[[], Iterator[bytes]] | None = None,
    ) -> None:
        self.window = window
        self._descriptor = descriptor
        self._hashed = hashed
        self._again = again

    def page_hashes(self, code: Window, directory: CodeDirectory) -> list[bytes] | None:
        """Return the hashes of a slice's pages where they were made as it passed; else None."""
        hashed = self._hashed.get(code.start)
        return None if hashed is None else hashed.of(directory)

    def blocks(self, part: Window, size: int = _BLOCK) -> Iterator[bytes]:
        """Return a part's bytes in order, in pieces of `size` bytes.

        A spooled file is read rather than mapped here: mapped pages count as the process's memory
        (RSS), and hashing touches all of them.
        """
        if self._again is not None:
            yield from _cut(self._again(), part.start, part.end, size)
        elif self._descriptor is None:
            yield from part.blocks(size)
        else:
            for at in range(part.start, part.end, size):
                yield os.pread(self._descriptor, min(size, part.end - at), at)


def _cut(pieces: Iterator[bytes], start: int, end: int, size: int) -> Iterator[bytes]:
    """Yield the bytes from `start` to `end` of what comes in pieces, in pieces of `size` bytes."""
    at, waiting = 0, bytearray()
    for piece in pieces:
        waiting += piece[max(start - at, 0) : max(end - at, 0)]
        at += len(piece)
        whole = len(waiting) - len(waiting) % size
        for begin in range(0, whole, size):
            yield bytes(waiting[begin : begin + size])
        del waiting[:whole]
        if at >= end:
            break
    if waiting:
        yield bytes(waiting)


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


def _write_all(descriptor: int, block: bytes | memoryview, offset: int) -> None:
    left = memoryview(block)
    while left:  # pwrite(2) may write less than it was given
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written

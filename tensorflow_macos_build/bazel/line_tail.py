"""Reading files that another program is still writing, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_LINE = 64 << 20
"""The longest line that is waited for, in bytes; what is longer is dropped. An event grows with the
files that it names, and a writer that never ends a line must not take the memory."""

_BLOCK = 1 << 20


class LineTail:
    """The lines that are added to a file, which may not exist yet.

    A half line stays for the next call. A line that its writer never ends is not a line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._half = b""

    def lines(self) -> Iterator[bytes]:
        """Yield the whole lines from where the last call ended to the file's present end.

        Their line ends are cut off. Not more than a block of them is in memory at a time.
        """
        try:
            # Opened anew each time: Bazel makes its event file after this has begun to look.
            stream = self._path.open("rb")
        except FileNotFoundError:
            return
        with stream:
            stream.seek(self._offset)
            while block := stream.read(_BLOCK):
                self._offset += len(block)
                *whole, self._half = (self._half + block).split(b"\n")
                yield from whole
                if len(self._half) > MAX_LINE:
                    self._half = b""

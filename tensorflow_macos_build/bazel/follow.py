"""Reading files that another program is still writing, a line at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

MAX_LINE = 64 << 20
"""The longest line that is waited for, in bytes; what is longer is dropped."""

_BLOCK = 1 << 20


class Follower:
    """Gives the lines that were added to a file since the last call; the file may not exist yet.

    A half line stays for the next call. A line that its writer never ends is not a line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._half = b""

    def lines(self) -> list[bytes]:
        """Read on to the file's present end; give the whole lines, without their ends."""
        found: list[bytes] = []
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                while block := stream.read(_BLOCK):
                    self._offset += len(block)
                    *whole, self._half = (self._half + block).split(b"\n")
                    found += whole
                    if len(self._half) > MAX_LINE:
                        self._half = b""
        except FileNotFoundError:
            return []
        return found

"""Reads that cannot leave the range they were given, whatever the file says of itself."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.malformed import MalformedMachO

if TYPE_CHECKING:
    import mmap
    from collections.abc import Iterator
    from typing import Any

    Buffer = bytes | mmap.mmap

_BLOCK = 1 << 20  # bytes copied at a time where a whole window is read


@dataclass(frozen=True, slots=True)
class Window:
    """A range of a file: the only way the readers of this package touch bytes.

    Offsets that methods take count from the window's start. What is copied is only what is asked
    for, so a window on a mapped file costs no memory.

    Attributes:
        buffer: the file's bytes, a mapping of the file, or only the file's first bytes.
        start: offset of the window's first byte in `buffer`.
        end: offset after its last byte.
    """

    buffer: Buffer
    start: int
    end: int

    @classmethod
    def whole(cls, buffer: Buffer) -> Window:
        """Return the window on all of a buffer."""
        return cls(buffer, 0, len(buffer))

    def __len__(self) -> int:
        return self.end - self.start

    def part(self, offset: int, length: int, what: str) -> Window:
        """Return a window inside this one.

        Raises:
            MalformedMachO: it would reach outside; `what` names it.
        """
        if offset < 0 or length < 0 or offset + length > len(self):
            raise MalformedMachO(
                f"{what} ({length} bytes) reaches outside its {len(self)} bytes",
                offset=self.start + max(offset, 0),
            )
        return Window(self.buffer, self.start + offset, self.start + offset + length)

    def copy(self) -> bytes:
        """Return a copy of the window's bytes."""
        return bytes(self.buffer[self.start : self.end])

    def unpack(self, form: struct.Struct, offset: int, what: str) -> tuple[Any, ...]:
        """Return the fields of one structure.

        Raises:
            MalformedMachO: it would reach outside, or the buffer ends before it; `what` names it.
        """
        if offset < 0 or offset + form.size > len(self):
            self.part(offset, form.size, what)
        # The window may say more than the buffer holds: fuse reads only the first bytes of a slice.
        try:
            return form.unpack_from(self.buffer, self.start + offset)
        except struct.error:
            raise MalformedMachO(
                f"{what} ({form.size} bytes) reaches beyond the {len(self.buffer)} bytes at hand",
                offset=self.start + offset,
            ) from None

    def text(self, offset: int, what: str) -> bytes:
        """Return the string up to the next NUL byte.

        Raises:
            MalformedMachO: it starts outside, or no NUL ends it inside the window.
        """
        # `find` copies nothing, and a string that does not end is looked for in the window alone.
        begin = self.start + offset
        end = self.buffer.find(b"\0", begin, self.end) if 0 <= offset < len(self) else -1
        if end < 0:
            raise MalformedMachO(f"{what} is no NUL-terminated string", offset=begin)
        return bytes(self.buffer[begin:end])

    def blocks(self, size: int = _BLOCK) -> Iterator[bytes]:
        """Return the window's bytes in order, in copies of at most `size` bytes."""
        for begin in range(self.start, self.end, size):
            yield bytes(self.buffer[begin : min(begin + size, self.end)])

    def is_zero(self) -> bool:
        """Whether every byte is zero (an empty window is)."""
        return all(not block.strip(b"\0") for block in self.blocks())

"""The data of a universal file in a wheel, put together from its slices' deflate streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.archive.members import CompressionMethod
from tensorflow_macos_build.wheels.archive.writer import NewMember
from tensorflow_macos_build.wheels.deflate import splice
from tensorflow_macos_build.wheels.inflate.engine import crc32

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tensorflow_macos_build.macho import lipo
    from tensorflow_macos_build.wheels.inflate.stream import StreamBits


@dataclass(frozen=True, slots=True)
class Span:
    """Where a slice's deflate stream lies in its member's data, and what it inflates to.

    Attributes:
        start: offset in the member's data.
        end: offset after it; what lies there ends on a byte.
        size: the slice's bytes.
        crc: the slice's CRC-32.
        sha256: SHA-256 of the half's own file, as 64 hexadecimal digits.
        align: None if that file was the slice; otherwise it was a universal file of this slice
            alone, at an offset that is a multiple of 2^align.
    """

    start: int
    end: int
    size: int
    crc: int
    sha256: str
    align: int | None = None


@dataclass(frozen=True, slots=True)
class Scanned:
    """What a pass over a slice found out.

    Attributes:
        bits: of its deflate stream; None if its content is to be stored instead.
        size: the slice's bytes.
        crc: the slice's CRC-32.
        sha256: as in `Span`.
        align: as in `Span`.
    """

    bits: StreamBits | None
    size: int
    crc: int
    sha256: str
    align: int | None


class UniversalMember:
    """The data of a universal file as it grows: header, gaps and slices' streams.

    Parts are functions that give their data when the wheel is written: sizes and CRCs are known
    before, and none of it is held until then. The slice that ends the file brings the end of the
    stream with it, if it is a stream.

    Attributes:
        spans: where the slices' data lies, by architecture.
    """

    def __init__(self, layout: lipo.FatLayout, stored: bool) -> None:
        self._stored = stored
        self._parts: list[Callable[[], Iterable[bytes]]] = []
        self._layout = layout
        self._compressed = 0
        self._size = 0
        self._crc = 0
        self._open = False
        self.spans: dict[str, Span] = {}

    def fill_to(self, offset: int) -> bytes:
        """Add the header, if nothing is there yet, and zeros up to `offset`; return them."""
        header = b"" if self._size else self._layout.header
        gap = bytes(offset - self._size - len(header))
        # Neither needs a compressor: a header of two slices is 48 bytes, and zeros are one run.
        blocks = b"".join(splice.stored([header])) + splice.zeros(len(gap))
        self._put([header + gap] if self._stored else [blocks])
        self._grow(len(header + gap), crc32(header + gap))
        return header + gap

    def add(self, arch: str, data: Callable[[], Iterable[bytes]], scanned: Scanned) -> None:
        """Add a slice: its stream if its bits are known, its content otherwise."""
        start, bits = self._compressed, scanned.bits
        # The last stream keeps its BFINAL, so that a thin wheel gets its very bytes again.
        last = self._size + scanned.size == self._layout.size
        self._open = False
        if self._stored:
            self._add(data, scanned.size)
        elif bits is None:
            self._add(lambda: splice.stored(data()), splice.stored_size(scanned.size))
            self._open = True
        elif last:
            # To the byte in which its last block ends, as it lay in the half.
            self._add(data, -(-bits.end // 8))
        else:
            self._add(lambda: splice.opened(data(), bits), splice.opened_size(bits))
        self.spans[arch] = Span(
            *(start, self._compressed, scanned.size, scanned.crc, scanned.sha256, scanned.align)
        )
        self._grow(scanned.size, scanned.crc)

    def close(self) -> None:
        """End the stream, if the last slice has not brought its end."""
        if self._open:
            self._put([splice.END])

    def data(self) -> Iterator[bytes]:
        """Yield the data from its beginning, at each call."""
        for part in self._parts:
            yield from part()

    def entry(self, path: str, *, executable: bool) -> NewMember:
        """Return what the member's headers say, after `close`."""
        method = CompressionMethod.STORED if self._stored else CompressionMethod.DEFLATED
        return NewMember(path, method, self._crc, self._size, self._compressed, executable)

    def _put(self, blocks: list[bytes]) -> None:
        self._add(lambda: blocks, sum(map(len, blocks)))

    def _add(self, part: Callable[[], Iterable[bytes]], compressed: int) -> None:
        self._parts.append(part)
        self._compressed += compressed

    def _grow(self, size: int, crc: int) -> None:
        self._crc = splice.crc32_combine(self._crc, crc, size)
        self._size += size

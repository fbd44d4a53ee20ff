"""Inflating with the bit positions that joining needs, by the system's zlib through ctypes.

Python's own zlib does not tell where the blocks of a deflate stream begin; zlib's inflate() does,
when it is called with Z_BLOCK. ctypes releases the interpreter lock during each call, so several
threads inflate at once.

Source: <zlib.h> 1.2.13, inflate(); the use of `data_type` is that of zlib's examples/gzjoin.c.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import functools
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUFFER = 1 << 18
"""Bytes of an output buffer."""

_Z_BLOCK = 5
_Z_OK, _Z_STREAM_END, _Z_BUF_ERROR = 0, 1, -5

# z_stream.data_type after inflate(): the lowest count the unused bits of the last byte taken. They
# are true only together with 128: elsewhere there may be more than seven.
_UNUSED_BITS, _LAST_BLOCK, _BLOCK_ENDED = 7, 64, 128


class ZlibMissing(WorkFailed):
    """The system's zlib cannot be loaded."""


class BrokenStream(ValueError):
    """The data is not one whole deflate stream; the message says in what way."""


@dataclass(frozen=True, slots=True)
class StreamBits:
    """Where the parts of a deflate stream lie, in bits from its first.

    Attributes:
        last_block: the header of the last block, whose lowest bit is BFINAL.
        end: the first bit after the last block.
    """

    last_block: int
    end: int


class Inflater:
    """Inflates one raw deflate stream.

    Args:
        buffers: how many buffers are filled in turn; what `run` yields stays as it is until it has
            yielded `buffers - 1` more, so that another thread may still read it.
    """

    def __init__(self, buffers: int = 1) -> None:
        self._library = _library()
        self._stream = _Stream()
        self._ring = [ctypes.create_string_buffer(BUFFER) for _ in range(buffers)]
        self._turn = 0
        self._last_block = 0
        self._end: int | None = None
        # zlib.h's inflateInit2() is a macro: it hands over version and size, so that a library that
        # has another z_stream refuses. Negative window bits stand for a stream without a header.
        code = self._library.inflateInit2_(
            ctypes.byref(self._stream),
            -zlib.MAX_WBITS,
            self._library.zlibVersion(),
            ctypes.sizeof(_Stream),
        )
        if code != _Z_OK:
            raise MemoryError("zlib cannot set up a stream")
        self._next_buffer()

    def close(self) -> None:
        """Free zlib's state; `bits` stays readable."""
        self._library.inflateEnd(ctypes.byref(self._stream))

    @property
    def bits(self) -> StreamBits:
        """Where the last block begins and ends; known once `run` has ended."""
        if self._end is None:
            raise BrokenStream("its deflate stream has no end")
        return StreamBits(self._last_block, self._end)

    def run(self, data: Iterable[bytes]) -> Iterator[memoryview]:
        """Yield the content of the stream whose bytes `data` has, a buffer at a time.

        Raises:
            BrokenStream: it is malformed, ends too early, or bytes follow its end.
        """
        ended = False
        for piece in data:
            if ended:
                raise BrokenStream("bytes follow the end of its deflate stream")
            # zlib reads from `piece` itself, which stays alive and in place until the loop goes on.
            self._stream.next_in = ctypes.cast(ctypes.c_char_p(piece), ctypes.c_void_p)
            self._stream.avail_in = len(piece)
            while not ended:
                ended, hungry = self._step()
                if hungry:
                    break
                # A buffer is handed on when it is full, not at each block: blocks may be tiny.
                if not self._stream.avail_out:
                    yield self._filled()
                    self._next_buffer()
            if self._stream.avail_in:
                raise BrokenStream("bytes follow the end of its deflate stream")
        if not ended:
            raise BrokenStream("its deflate stream has no end")
        if filled := self._filled():
            yield filled

    def _step(self) -> tuple[bool, bool]:
        """Inflate one block at most; return whether the stream ended and whether it lacks input."""
        stream = self._stream
        code = self._library.inflate(ctypes.byref(stream), _Z_BLOCK)
        # Z_BLOCK stops after the last block too, with Z_OK and the bits that are wanted here; only
        # the call after that finds the end of the stream.
        if code == _Z_STREAM_END:
            return True, False
        # No progress was possible, which is no error: there is no input, or no room.
        if code == _Z_BUF_ERROR:
            return False, not stream.avail_in
        if code != _Z_OK:
            message = stream.msg.decode("ascii", "replace") if stream.msg else f"error {code}"
            raise BrokenStream(f"its data cannot be inflated ({message})")
        state = stream.data_type
        if state & _BLOCK_ENDED:
            # Blocks begin and end at any bit; zlib takes whole bytes.
            position = 8 * stream.total_in - (state & _UNUSED_BITS)
            # The end of a block is where the next one's header begins, which may be the last's.
            if state & _LAST_BLOCK:
                self._end = position
            else:
                self._last_block = position
        return False, False

    def _filled(self) -> memoryview:
        length = BUFFER - self._stream.avail_out
        return memoryview(self._ring[self._turn]).cast("B")[:length]

    def _next_buffer(self) -> None:
        self._turn = (self._turn + 1) % len(self._ring)
        self._stream.next_out = ctypes.addressof(self._ring[self._turn])
        self._stream.avail_out = BUFFER


class _Stream(ctypes.Structure):
    """z_stream of <zlib.h>."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_uint),
        ("total_in", ctypes.c_ulong),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint),
        ("total_out", ctypes.c_ulong),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_ulong),
        ("reserved", ctypes.c_ulong),
    )


@functools.cache
def _library() -> Any:
    # The file of the first is not on disk since macOS 11; dlopen() has it from dyld's cache.
    names = ("/usr/lib/libz.1.dylib",) if sys.platform == "darwin" else ("libz.so.1",)
    for name in (*names, ctypes.util.find_library("z")):
        try:
            library = ctypes.CDLL(name) if name else None
        except OSError:
            continue
        if library is not None:
            # Without these ctypes would cut pointers to 32 bits, the default's int.
            library.zlibVersion.restype = ctypes.c_char_p
            pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
            library.inflateInit2_.argtypes = (pointer, number, text, number)
            library.inflate.argtypes = (pointer, number)
            library.inflateEnd.argtypes = (pointer,)
            return library
    raise ZlibMissing(
        "the system's zlib cannot be loaded", hint="install it: apt-get install zlib1g"
    )

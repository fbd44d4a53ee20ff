"""Inflating with the bit positions that joining needs, by zlib through ctypes.

Python's zlib modules do not tell where the blocks of a deflate stream begin; inflate() does, when
it is called with Z_BLOCK. ctypes releases the interpreter lock during each call, so several threads
inflate at once.

The package zlib-ng is one extension module that exports zlib-ng's functions (<zlib-ng.h>); without
it, or where a distributor's build hides them, the system's zlib has the same under other names.

Source: <zlib.h> 1.2.13, inflate(); the use of `data_type` is that of zlib's examples/gzjoin.c.
"""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import functools
import sys
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.wheels.inflate import engine

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BUFFER = 1 << 19
"""Bytes of an output buffer: handed from thread to thread in smaller ones, content costs a tenth
more, and in larger ones it is in memory only, and no more in a processor's cache."""

_Z_NO_FLUSH, _Z_BLOCK = 0, 5
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
        by: the zlib that does it; None: the fastest that is installed.
        unwatched: bytes at the beginning of the data that are inflated without a stop at each
            block. zlib's blocks have some 80 kB of content; to stop at them takes a seventh longer.
    """

    def __init__(
        self, buffers: int = 1, by: engine.Engine | None = None, unwatched: int = 0
    ) -> None:
        self._library = _library(by or engine.preferred())
        self._stream: Any = self._library.stream()
        self._ring = [ctypes.create_string_buffer(BUFFER) for _ in range(buffers)]
        self._turn = 0
        self._unwatched = unwatched
        # The first block is the last one until another begins; among unwatched ones one may.
        self._last_block = None if unwatched else 0
        self._end: int | None = None
        # zlib.h's inflateInit2() is a macro: it hands over version and size, so that a library that
        # has another z_stream refuses. Negative window bits stand for a stream without a header.
        code = self._library.init(
            ctypes.byref(self._stream),
            -zlib.MAX_WBITS,
            self._library.version(),
            ctypes.sizeof(self._stream),
        )
        if code != _Z_OK:
            raise MemoryError("zlib cannot set up a stream")
        self._next_buffer()

    def close(self) -> None:
        """Free zlib's state; `bits` stays readable."""
        self._library.end(ctypes.byref(self._stream))

    @property
    def bits(self) -> StreamBits | None:
        """Where the last block begins and ends, once `run` has ended; None: it began unwatched."""
        if self._last_block is None or self._end is None:
            return None
        return StreamBits(self._last_block, self._end)

    def run(self, data: Iterable[bytes]) -> Iterator[memoryview]:
        """Yield the content of the stream whose bytes `data` has, a buffer at a time.

        Raises:
            BrokenStream: it is malformed, ends too early, or bytes follow its end.
        """
        ended, unwatched = False, self._unwatched
        for piece in data:
            flush = _Z_NO_FLUSH if len(piece) <= unwatched else _Z_BLOCK
            unwatched -= len(piece)
            if ended:
                raise BrokenStream("bytes follow the end of its deflate stream")
            # zlib reads from `piece` itself, which stays alive and in place until the loop goes on.
            self._stream.next_in = ctypes.cast(ctypes.c_char_p(piece), ctypes.c_void_p)
            self._stream.avail_in = len(piece)
            while not ended:
                ended, hungry = self._step(flush)
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

    def _step(self, flush: int) -> tuple[bool, bool]:
        """Inflate on; return whether the stream ended and whether it lacks input."""
        stream = self._stream
        code = self._library.inflate(ctypes.byref(stream), flush)
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
        if flush == _Z_BLOCK and state & _BLOCK_ENDED:
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


def bits_of(data: Iterable[bytes], by: engine.Engine | None = None) -> StreamBits:
    """Return where the last block of the stream whose bytes `data` has begins and ends.

    Raises:
        BrokenStream: as `Inflater.run`.
    """
    with contextlib.closing(Inflater(by=by)) as inflater:
        for _ in inflater.run(data):
            pass
        assert inflater.bits is not None, "every block was watched"
        return inflater.bits


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


class _NgStream(ctypes.Structure):
    """zng_stream of <zlib-ng.h>."""

    _fields_ = (
        ("next_in", ctypes.c_void_p),
        ("avail_in", ctypes.c_uint32),
        ("total_in", ctypes.c_size_t),
        ("next_out", ctypes.c_void_p),
        ("avail_out", ctypes.c_uint32),
        ("total_out", ctypes.c_size_t),
        ("msg", ctypes.c_char_p),
        ("state", ctypes.c_void_p),
        ("zalloc", ctypes.c_void_p),
        ("zfree", ctypes.c_void_p),
        ("opaque", ctypes.c_void_p),
        ("data_type", ctypes.c_int),
        ("adler", ctypes.c_uint32),
        ("reserved", ctypes.c_ulong),
    )


@dataclass(frozen=True)
class _Library:
    """The functions of a zlib that is loaded, and the structure that they take."""

    version: Any
    init: Any
    inflate: Any
    end: Any
    stream: type[ctypes.Structure]


@functools.cache
def _library(by: engine.Engine) -> _Library:
    own = _loaded(by.module.__file__) if by.name == engine.PACKAGE else None
    # It exports them only by the way: a distributor may build the module so that it does not.
    if own is not None and hasattr(own, "zng_inflateInit2_"):
        return _functions(own, "zlibng_version", "zng_", _NgStream)
    # The file of the first is not on disk since macOS 11; dlopen() has it from dyld's cache.
    name = "/usr/lib/libz.1.dylib" if sys.platform == "darwin" else "libz.so.1"
    # The second asks compilers and linkers, which takes a while.
    system = _loaded(name) or _loaded(ctypes.util.find_library("z"))
    if system is not None:
        return _functions(system, "zlibVersion", "", _Stream)
    raise ZlibMissing(
        "the system's zlib cannot be loaded", hint="install it: apt-get install zlib1g"
    )


def _loaded(name: str | None) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(name) if name else None
    except OSError:
        return None


def _functions(
    library: ctypes.CDLL, version: str, prefix: str, stream: type[ctypes.Structure]
) -> _Library:
    functions = _Library(
        version=getattr(library, version),
        init=getattr(library, f"{prefix}inflateInit2_"),
        inflate=getattr(library, f"{prefix}inflate"),
        end=getattr(library, f"{prefix}inflateEnd"),
        stream=stream,
    )
    # Without these ctypes would cut pointers to 32 bits, the default's int.
    functions.version.restype = ctypes.c_char_p
    pointer, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    functions.init.argtypes = (pointer, number, text, number)
    functions.inflate.argtypes = (pointer, number)
    functions.end.argtypes = (pointer,)
    return functions

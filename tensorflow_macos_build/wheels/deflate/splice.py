"""Joining deflate streams without recompressing them.

A deflate stream is a row of blocks, the last of which has its BFINAL bit set; blocks begin at any
bit. So two streams become one when that bit is cleared in the first and the second begins on a
byte: an empty stored block in between fills the bits up to the byte. No match of the second reaches
back into the first, as it had none to reach into when it was made. CRC-32s of the parts combine
arithmetically. Zeros and headers are written as blocks here, without a compressor, so the result
depends on no version of zlib.

Sources: RFC 1951 (the numbers of sections are that document's); zlib's examples/gzjoin.c for the
idea, which fills with empty fixed blocks too; Mark Adler's multiplication of polynomials modulo the
CRC's, as crc32_combine() in zlib 1.2.12 uses it.
"""

from __future__ import annotations

import functools
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.wheels.inflate.stream import StreamBits

END = b"\x03\x00"
"""A last block that is empty, as a stream of its own: BFINAL, fixed codes, end of block (3.2.6)."""

_EMPTY_STORED = b"\x00\x00\xff\xff"
"""LEN 0 and its complement NLEN: they follow a stored block's header, from a byte on (3.2.4)."""

_MAX_STORED = 0xFFFF
"""Most bytes of a stored block: LEN has 16 bits."""

_POLYNOMIAL = 0xEDB88320
"""The CRC-32's polynomial in reflected form: bit 31 is x^0."""


def opened(data: Iterable[bytes], bits: StreamBits) -> Iterator[bytes]:
    """Return a stream's bytes so that another may follow: BFINAL cleared, its end on a byte.

    The result is `opened_size(bits)` bytes long.
    """
    position = 0
    last_byte = (bits.end - 1) // 8
    for piece in data:
        end = position + len(piece)
        if position <= bits.last_block // 8 < end or position <= last_byte < end:
            yield _patched(piece, position, bits)
        else:
            yield piece
        position = end
    yield _alignment(bits.end % 8)


def opened_size(bits: StreamBits) -> int:
    """Return the bytes that `opened` makes of a stream."""
    return -(-bits.end // 8) + len(_alignment(bits.end % 8))


def stored(data: Iterable[bytes]) -> Iterator[bytes]:
    """Return content as stored blocks, none of them the last.

    The result is `stored_size` bytes long, however the content is cut into pieces: a member's
    header, which comes before its data, has that size.
    """
    left = b""
    for piece in data:
        left += piece
        whole = len(left) - len(left) % _MAX_STORED
        yield from _stored_blocks(left[:whole])
        left = left[whole:]
    yield from _stored_blocks(left)


def stored_size(size: int) -> int:
    """Return the bytes that `stored` makes of `size` bytes."""
    # Each block has a byte of header, as it begins on a byte, and two of LEN and NLEN each.
    return size + 5 * -(-size // _MAX_STORED)


def zeros(count: int) -> bytes:
    """Return `count` zero bytes as blocks that end on a byte, none of them the last.

    One literal and matches of distance 1 in the fixed code; each match takes 12 or 13 bits.
    """
    if count == 0:
        return b""
    bits = _BitWriter()
    bits.put(0b010, 3)  # BFINAL 0, BTYPE 01
    # A first zero that matches can repeat; then the longest matches, then shorter ones, then zeros.
    of_258, rest = divmod(count - 1, 258)
    of_10, literals = divmod(rest, 10)
    for _ in range(1 + literals):
        bits.code(0b00110000, 8)  # literal 0
    for _ in range(of_258):
        bits.code(0b11000101_00000, 13)  # length symbol 285, distance symbol 0
    for _ in range(of_10):
        bits.code(0b0001000_00000, 12)  # length symbol 264, distance symbol 0
    bits.code(0, 7)  # end of block
    return bits.to_bytes() + _alignment(bits.length % 8)


def crc32_combine(first: int, second: int, second_size: int) -> int:
    """Return the CRC-32 of two contents in a row from theirs; `second_size` is in bytes."""
    # A CRC is a remainder: appending n bytes multiplies it by x^(8n). The inversions with which
    # each CRC-32 begins and ends cancel each other.
    return _multiply(_power(second_size), first) ^ second


def _patched(piece: bytes, position: int, bits: StreamBits) -> bytes:
    patched = bytearray(piece)
    at = bits.last_block // 8 - position
    if 0 <= at < len(patched):
        # BFINAL is the first bit of a block's header, and bits count from a byte's lowest (3.2.3).
        patched[at] &= ~(1 << bits.last_block % 8) & 0xFF
    at = (bits.end - 1) // 8 - position
    # Bits after the end mean nothing there, but what is appended makes them a block's header.
    if 0 <= at < len(patched) and bits.end % 8:
        patched[at] &= (1 << bits.end % 8) - 1
    return bytes(patched)


def _stored_blocks(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), _MAX_STORED):
        part = content[start : start + _MAX_STORED]
        yield struct.pack("<BHH", 0, len(part), len(part) ^ 0xFFFF) + part  # BFINAL 0, BTYPE 00


def _alignment(used: int) -> bytes:
    """Return what follows a byte with `used` bits taken: the rest of an empty stored block."""
    # Its header, three bits of zero, fits into that byte, or needs one more (3.2.3).
    return _EMPTY_STORED if 0 < used <= 5 else b"\x00" + _EMPTY_STORED


class _BitWriter:
    """Bits in deflate's order (3.1.1): from a byte's lowest; codes begin with their highest."""

    def __init__(self) -> None:
        self._value = 0
        self.length = 0

    def put(self, value: int, width: int) -> None:
        self._value |= value << self.length
        self.length += width

    def code(self, value: int, width: int) -> None:
        self.put(int(f"{value:0{width}b}"[::-1], 2), width)

    def to_bytes(self) -> bytes:
        return self._value.to_bytes(-(-self.length // 8), "little")


def _multiply(first: int, second: int) -> int:
    """Multiply two polynomials modulo the CRC's."""
    product = 0
    for bit in range(31, -1, -1):
        if first >> bit & 1:
            product ^= second
        second = second >> 1 ^ (_POLYNOMIAL if second & 1 else 0)
    return product


@functools.cache
def _squares() -> tuple[int, ...]:
    """Return x^(8·2^n) modulo the polynomial, for every n of a 64-bit size."""
    power = 1 << 23  # x^8
    squares = []
    for _ in range(64):
        squares.append(power)
        power = _multiply(power, power)
    return tuple(squares)


def _power(size: int) -> int:
    """Return x^(8·size) modulo the polynomial."""
    product = 1 << 31  # x^0
    for bit, square in enumerate(_squares()):
        if size >> bit & 1:
            product = _multiply(square, product)
    return product

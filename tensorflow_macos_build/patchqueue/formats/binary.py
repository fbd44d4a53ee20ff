"""The contents of a `GIT binary patch`: base 85, zlib, and git's delta form.

Sources: git's base85.c, apply.c and Documentation/technical/pack-format.txt ("Deltified
representation").
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats.diff import BinaryMethod
from tensorflow_macos_build.patchqueue.formats.refused import Malformed

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.formats.diff import BinaryHunk

MAX_CONTENT = 256 << 20
"""Bytes of the largest file that a binary patch may make."""

_MAX_RATIO = 1032
"""zlib's largest possible compression (its technical notes); a patch that states more is false."""

_ALPHABET = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_VALUES = bytes.maketrans(_ALPHABET, bytes(range(len(_ALPHABET))))

_LETTERS = 5 << 18
"""Letters that are decoded at a time: four times as many bytes are held for it."""


def apply(hunk: BinaryHunk, preimage: bytes) -> bytes:
    """Return the content that a binary hunk makes of `preimage`.

    Raises:
        Malformed: the data are damaged, of another size than stated, or larger than `MAX_CONTENT`.
    """
    try:
        data = _inflated(hunk)
        return data if hunk.method is BinaryMethod.LITERAL else _patched(data, preimage)
    except Malformed as error:
        raise Malformed(error.what, hunk.line) from None


def check(hunk: BinaryHunk) -> None:
    """Raise Malformed if a binary hunk's data are damaged, whatever they are to be applied to."""
    try:
        _inflated(hunk)
    except Malformed as error:
        raise Malformed(error.what, hunk.line) from None


def _inflated(hunk: BinaryHunk) -> bytes:
    packed = _unpacked(hunk.data)
    # checked before anything is inflated: a few bytes may state and hold gigabytes
    if hunk.size > min(MAX_CONTENT, len(packed) * _MAX_RATIO + 1):
        raise Malformed(
            f"the binary data state {hunk.size} bytes, more than they can hold or is taken"
        )
    stream = zlib.decompressobj()
    try:
        # one byte more than stated, so that longer data are seen and not cut
        data = stream.decompress(packed, hunk.size + 1)
    except zlib.error as error:
        raise Malformed(f"the binary data are damaged: {error}") from None
    if len(data) != hunk.size or not stream.eof:
        raise Malformed(f"the binary data do not inflate to the {hunk.size} bytes that they state")
    return data


def _unpacked(data: bytes) -> bytes:
    """Undo base 85: lines, each with the number of its bytes in front (base85.c)."""
    lines = [line for line in data.split(b"\n") if line]
    letters = b"".join(line[1:] for line in lines)
    decoded = b"".join(
        _bytes_of(letters[at : at + _LETTERS]) for at in range(0, len(letters), _LETTERS)
    )
    pieces: list[bytes] = []
    at = 0
    for line in lines:
        groups, odd = divmod(len(line) - 1, 5)
        # apply.c, parse_binary_hunk: `A` to `Z` are 1 to 26 bytes in the line, `a` to `z` 27 to 52
        length = line[0] - 0x40 if line[0] <= 0x5A else line[0] - 0x60 + 26
        # five letters are four bytes, so at most three bytes of the last group are filler
        if odd or not 4 * groups - 4 < length <= 4 * groups:
            raise Malformed("a line of binary data has another length than it states")
        pieces.append(decoded[at : at + length])
        at += 4 * groups
    return b"".join(pieces)


def _bytes_of(letters: bytes) -> bytes:
    """Return the four bytes that each five letters stand for.

    All groups are one number, with 64 bits for each: what is done to it is done to them all, in C.
    A group is less than 85 to the fifth power, and so no bit of it reaches the next.
    """
    if letters.translate(None, _ALPHABET):
        raise Malformed("the binary data are damaged: a letter is none of base 85")
    digits = letters.translate(_VALUES)
    number = len(letters) // 5
    value = 0
    for place in range(5):
        lanes = bytearray(8 * number)
        lanes[::8] = digits[place : 5 * number : 5]
        value = 85 * value + int.from_bytes(lanes, "little")
    lanes = bytearray(value.to_bytes(8 * number, "little"))
    # base85.c, decode_85: a group that would be more than 32 bits is refused
    if lanes[4::8].count(0) != number:
        raise Malformed("the binary data are damaged: five letters stand for more than four bytes")
    decoded = bytearray(4 * number)
    for place in range(4):
        decoded[place::4] = lanes[3 - place :: 8]
    return bytes(decoded)


def _patched(delta: bytes, source: bytes) -> bytes:
    source_size, position = _size(delta, 0)
    target_size, position = _size(delta, position)
    if source_size != len(source):
        raise Malformed(f"the binary delta needs a file of {source_size} bytes, not {len(source)}")
    if target_size > MAX_CONTENT:
        raise Malformed(f"the binary delta makes {target_size} bytes; {MAX_CONTENT} are taken")
    pieces: list[bytes] = []
    made = 0
    while position < len(delta):
        piece, position = _instruction(delta, position, source)
        made += len(piece)
        if made > target_size:
            break
        pieces.append(piece)
    if made != target_size:
        raise Malformed("the binary delta makes another size than it states")
    return b"".join(pieces)


def _instruction(delta: bytes, position: int, source: bytes) -> tuple[bytes, int]:
    code = delta[position]
    position += 1
    # without the high bit it is a number of bytes to insert; 0 is reserved, and no instruction
    if not code & 0x80:
        piece = delta[position : position + code]
        if not code or len(piece) != code:
            raise Malformed("the binary delta ends within an instruction")
        return piece, position + code
    # with it, seven bits say which bytes of a copy's offset (four) and size (three) follow
    values = []
    for bit in range(7):
        byte = 0
        if code >> bit & 1:
            if position >= len(delta):
                raise Malformed("the binary delta ends within an instruction")
            byte = delta[position]
            position += 1
        values.append(byte)
    offset = int.from_bytes(bytes(values[:4]), "little")
    # three zero bytes, which need not be written, mean a copy of 64 KiB
    size = int.from_bytes(bytes(values[4:]), "little") or 0x10000
    if offset + size > len(source):
        raise Malformed("the binary delta copies from behind its source's end")
    return source[offset : offset + size], position


def _size(delta: bytes, position: int) -> tuple[int, int]:
    """Read a size of the delta's header: seven bits a byte, the lowest first."""
    value = shift = 0
    while position < len(delta):
        byte = delta[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, position
    raise Malformed("the binary delta has no size")

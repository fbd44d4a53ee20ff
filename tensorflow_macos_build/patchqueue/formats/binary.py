"""The contents of a `GIT binary patch`: base 85, zlib, and git's delta form.

Sources: git's base85.c, apply.c and Documentation/technical/pack-format.txt ("Deltified
representation").
"""

from __future__ import annotations

import base64
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
    packed = b"".join(_decoded(line) for line in hunk.data.split(b"\n") if line)
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


def _decoded(line: bytes) -> bytes:
    # apply.c, parse_binary_hunk: `A` to `Z` are 1 to 26 bytes in the line, `a` to `z` 27 to 52
    first = line[0]
    length = first - 0x40 if first <= 0x5A else first - 0x60 + 26
    try:
        data = base64.b85decode(line[1:])
    except ValueError as error:
        raise Malformed(f"the binary data are damaged: {error}") from None
    # five letters are four bytes, so at most three bytes of the last group are filler
    if not len(data) - 4 < length <= len(data):
        raise Malformed("a line of binary data has another length than it states")
    return data[:length]


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

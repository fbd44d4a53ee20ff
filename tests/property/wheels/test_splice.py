"""The splice law: joined streams inflate to joined contents, whoever deflated them."""

from __future__ import annotations

import contextlib
import itertools
import random
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tensorflow_macos_build.wheels.deflate import splice
from tensorflow_macos_build.wheels.inflate.stream import (
    BUFFER,
    BrokenStream,
    Inflater,
    StreamBits,
    bits_of,
)

STRATEGIES = (
    zlib.Z_DEFAULT_STRATEGY,
    zlib.Z_FILTERED,
    zlib.Z_HUFFMAN_ONLY,
    zlib.Z_RLE,
    zlib.Z_FIXED,
)
FLUSHES = (zlib.Z_NO_FLUSH, zlib.Z_SYNC_FLUSH, zlib.Z_FULL_FLUSH, zlib.Z_PARTIAL_FLUSH)

contents = st.one_of(
    st.binary(max_size=300),
    st.builds(lambda unit, count: unit * count, st.binary(max_size=30), st.integers(0, 9000)),
    st.integers(0, 2**32).map(lambda seed: _noise(seed, 70_000)),
)
makers = st.tuples(
    st.integers(0, 9),
    st.sampled_from(STRATEGIES),
    st.sampled_from(FLUSHES),
    st.integers(1, 9),
    st.integers(1, 40_000),
)


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def deflate(content: bytes, maker: tuple[int, int, int, int, int]) -> bytes:
    level, strategy, flush, memory, step = maker
    engine = zlib.compressobj(level, zlib.DEFLATED, -15, memory, strategy)
    parts = []
    for start in range(0, len(content), step):
        parts += [engine.compress(content[start : start + step]), engine.flush(flush)]
    return b"".join(parts) + engine.flush()


def inflate(data: bytes, step: int = 1 << 18) -> tuple[bytes, StreamBits]:
    content, bits = inflate_unwatched(data, step, 0)
    assert bits is not None
    return content, bits


def inflate_unwatched(data: bytes, step: int, unwatched: int) -> tuple[bytes, StreamBits | None]:
    pieces = (data[start : start + step] for start in range(0, len(data), step))
    with contextlib.closing(Inflater(unwatched=unwatched)) as engine:
        content = b"".join(bytes(piece) for piece in engine.run(pieces))
    return content, engine.bits


@given(contents, makers)
@example(b"", (6, 0, 0, 8, 1))
@example(bytes(BUFFER), (9, 0, 0, 8, BUFFER))
@example(bytes(2 * BUFFER), (0, 0, 0, 8, BUFFER))
def test_inflating_gives_the_content_and_the_bits_of_its_last_block(
    content: bytes, maker: tuple[int, int, int, int, int]
) -> None:
    data = deflate(content, maker)
    inflated, bits = inflate(data)
    assert inflated == content
    assert -(-bits.end // 8) == len(data)
    assert data[bits.last_block // 8] >> bits.last_block % 8 & 1, "BFINAL is set there"
    assert inflate(data, 7 if len(data) < 5000 else 1009) == (content, bits)


@given(contents, makers, st.integers(1, 2000), st.floats(0, 1))
def test_a_last_block_is_found_unless_it_begins_unwatched(
    content: bytes, maker: tuple[int, int, int, int, int], step: int, part: float
) -> None:
    data = deflate(content, maker)
    unwatched = int(part * (len(data) - 1))
    inflated, bits = inflate_unwatched(data, step, unwatched)
    expected = inflate(data)[1]
    assert inflated == content
    if expected.last_block // 8 > unwatched:
        assert bits == expected
    else:
        assert bits in (None, expected)
    pieces = [data[start : start + step] for start in range(0, len(data), step)]
    assert bits_of(pieces) == expected


@given(st.lists(st.tuples(contents, makers), min_size=1, max_size=4), st.integers(0, 700))
def test_joined_streams_inflate_to_joined_contents(
    parts: list[tuple[bytes, tuple[int, int, int, int, int]]], gap: int
) -> None:
    joined, whole = [], b""
    for content, maker in parts:
        data = deflate(content, maker)
        bits = inflate(data)[1]
        opened = b"".join(splice.opened([data[:100], data[100:]], bits))
        assert len(opened) == splice.opened_size(bits)
        joined += [opened, splice.zeros(gap)]
        whole += content + bytes(gap)
    joined.append(splice.END)
    stream = b"".join(joined)
    assert zlib.decompress(stream, -15) == whole
    engine = zlib.decompressobj(-15)
    engine.decompress(stream)
    assert engine.eof
    assert not engine.unused_data


@given(contents, makers, contents, makers)
def test_a_stream_may_follow_an_opened_one_as_it_is(
    first: bytes,
    first_maker: tuple[int, int, int, int, int],
    second: bytes,
    second_maker: tuple[int, int, int, int, int],
) -> None:
    head, tail = deflate(first, first_maker), deflate(second, second_maker)
    joined = b"".join(splice.opened([head], inflate(head)[1])) + tail
    assert zlib.decompress(joined, -15) == first + second


@given(contents, makers)
def test_bits_after_the_end_of_a_stream_do_not_count(
    content: bytes, maker: tuple[int, int, int, int, int]
) -> None:
    """RFC 1951 does not say what fills the last byte; those bits would begin the next block."""
    data = bytearray(deflate(content, maker))
    used = inflate(bytes(data))[1].end % 8
    data[-1] |= 0xFF << used & 0xFF if used else 0
    inflated, bits = inflate(bytes(data))
    assert inflated == content
    opened = b"".join(splice.opened([bytes(data[:-1]), bytes(data[-1:])], bits))
    assert zlib.decompress(opened + splice.END, -15) == content


@given(contents, contents)
def test_crcs_combine_as_zlib_counts_them(first: bytes, second: bytes) -> None:
    combined = splice.crc32_combine(zlib.crc32(first), zlib.crc32(second), len(second))
    assert combined == zlib.crc32(first + second)


@pytest.mark.parametrize("size", [2**31, 2**32 - 1, 2**32, 5 * 2**33 + 7])
def test_crcs_combine_past_32_bits_by_halves(size: int) -> None:
    """Appending `size` zeros at once is appending them in two halves."""
    half = size // 2

    def append(crc: int, count: int) -> int:
        zero_crc = splice.crc32_combine(zlib.crc32(b""), 0, 0)
        return splice.crc32_combine(crc, zero_crc, count)

    assert append(append(0x1234567, half), size - half) == append(0x1234567, size)


@given(st.integers(0, 40_000))
@example(1)
@example(16_384)
def test_zeros_are_zeros_and_small(count: int) -> None:
    data = splice.zeros(count)
    assert zlib.decompress(data + splice.END, -15) == bytes(count)
    assert len(data) <= 60 + count // 258 * 13 // 8


@given(st.binary(max_size=200_000), st.sampled_from([1 << 10, 0xFFFF, 1 << 17]))
def test_stored_blocks_hold_their_content(content: bytes, piece: int) -> None:
    pieces = [content[start : start + piece] for start in range(0, len(content), piece)]
    data = b"".join(splice.stored(pieces))
    assert len(data) == splice.stored_size(len(content))
    assert zlib.decompress(data + splice.END, -15) == content


@given(st.binary(max_size=400))
def test_noise_is_refused_where_zlib_refuses_it(data: bytes) -> None:
    engine = zlib.decompressobj(-15)
    try:
        expected = engine.decompress(data)
        sound = engine.eof and not engine.unused_data
    except zlib.error:
        sound = False
    if sound:
        assert inflate(data)[0] == expected
    else:
        with pytest.raises(BrokenStream):
            inflate(data)


def test_every_truncation_is_refused() -> None:
    data = deflate(b"every truncation" * 20, (9, 0, 0, 8, 1000))
    for length in range(len(data)):
        with pytest.raises(BrokenStream):
            inflate(data[:length])
    with pytest.raises(BrokenStream, match="bytes follow"):
        inflate(data + b"x")


def test_buffers_of_a_ring_stay_as_they_are_while_promised() -> None:
    content = _noise(1, 5 * BUFFER + 1)
    engine = Inflater(buffers=3)
    pieces = engine.run([deflate(content, (1, 0, 0, 8, BUFFER))])
    window: list[tuple[memoryview, bytes]] = []
    for piece in itertools.islice(pieces, 5):
        window.append((piece, bytes(piece)))
        assert all(bytes(view) == copy for view, copy in window[-3:])
    engine.close()
    assert b"".join(copy for _, copy in window) == content[: 5 * BUFFER]

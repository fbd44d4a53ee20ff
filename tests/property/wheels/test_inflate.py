"""The zlibs that wheels may be read by take and refuse the same streams, with the same words."""

from __future__ import annotations

import random
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tensorflow_macos_build.wheels.inflate import engine
from tensorflow_macos_build.wheels.inflate.stream import BrokenStream, Inflater, StreamBits

if TYPE_CHECKING:
    from tensorflow_macos_build.wheels.inflate.engine import Engine

WINDOW = 1 << 15


def _zlib_ng() -> Engine:
    installed = engine.faster()
    assert installed is not None, "the lock brings it"
    return installed


ENGINES = (engine.standard(), _zlib_ng())

contents = st.one_of(
    st.binary(max_size=200),
    st.builds(lambda unit, count: unit * count, st.binary(max_size=30), st.integers(0, 3000)),
    # A match may reach back a whole window, and not a byte more.
    st.builds(
        lambda seed, gap: (head := _noise(seed, 300)) + bytes(gap) + head,
        st.integers(0, 99),
        st.integers(WINDOW - 302, WINDOW - 298),
    ),
)


def _noise(seed: int, size: int) -> bytes:
    return random.Random(seed).randbytes(size)


def deflate(content: bytes, level: int, strategy: int) -> bytes:
    deflater = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
    return deflater.compress(content) + deflater.flush()


def by_blocks(
    by: Engine, data: bytes, step: int, unwatched: int = 0
) -> tuple[bytes, StreamBits | None] | str:
    """Return content and bits as fuse gets them, or the words of the refusal."""
    inflater = Inflater(by=by, unwatched=unwatched)
    pieces = (data[start : start + step] for start in range(0, len(data), step))
    try:
        return b"".join(bytes(piece) for piece in inflater.run(pieces)), inflater.bits
    except BrokenStream as error:
        return str(error)
    finally:
        inflater.close()


def in_pieces(by: Engine, data: bytes, step: int) -> tuple[bytes, bool, bytes] | str:
    """Return content, whether the stream ended, and what follows it; or the words of an error."""
    inflater, content = by.raw_inflater(), b""
    try:
        for start in range(0, len(data), step):
            piece = data[start : start + step]
            while piece and not inflater.eof:
                content += inflater.decompress(piece, 4096)
                piece = inflater.unconsumed_tail
    except by.error as error:
        return str(error)
    return content, inflater.eof, inflater.unused_data


def damaged(data: bytes, flips: list[tuple[int, int]], cut: int, tail: bytes) -> bytes:
    raw = bytearray(data)
    for at, bit in flips:
        raw[at % len(raw)] ^= 1 << bit
    return bytes(raw[: max(0, len(raw) - cut)]) + tail


streams = st.builds(
    deflate,
    contents,
    st.integers(0, 9),
    st.sampled_from([zlib.Z_DEFAULT_STRATEGY, zlib.Z_HUFFMAN_ONLY, zlib.Z_RLE, zlib.Z_FIXED]),
)
anything = st.one_of(
    st.binary(max_size=400),
    streams,
    st.builds(
        damaged,
        streams,
        st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 7)), max_size=3),
        st.sampled_from([0, 0, 1, 2, 40]),
        st.sampled_from([b"", b"", b"x", b"\x03\x00"]),
    ),
)


@given(anything, st.sampled_from([1 << 18, 1021, 7]), st.integers(1, 500))
@example(deflate(bytes(WINDOW + 1), 9, zlib.Z_FIXED), 1 << 18, 1)
def test_a_stream_sound_or_damaged_is_the_same_to_both(
    data: bytes, step: int, unwatched: int
) -> None:
    first, second = (by_blocks(by, data, step) for by in ENGINES)
    assert first == second
    for by in ENGINES:
        quick = by_blocks(by, data, step, unwatched)
        # The same content, or the same words: bits alone may be unknown.
        if isinstance(first, str) or isinstance(quick, str):
            assert quick == first
        else:
            assert quick[0] == first[0]
    one, other = (in_pieces(by, data, step) for by in ENGINES)
    assert one == other


@pytest.mark.parametrize("by", ENGINES, ids=lambda by: by.name)
@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        # A fixed block: one literal, then a match of distance 4 (3.2.5 of RFC 1951).
        ("4b046200", "invalid distance too far back"),
        ("07", "invalid block type"),
        ("0100000000", "invalid stored block lengths"),
    ],
)
def test_what_no_encoder_writes_is_refused_by_name(by: Engine, stream: str, reason: str) -> None:
    refusal = by_blocks(by, bytes.fromhex(stream), 1 << 18)
    assert refusal == f"its data cannot be inflated ({reason})"
    assert str(in_pieces(by, bytes.fromhex(stream), 1 << 18)).endswith(reason)


@given(st.binary(max_size=2000), st.integers(0, 2**32 - 1))
def test_crcs_are_the_same(content: bytes, before: int) -> None:
    first, second = (by.crc32(content, before) for by in ENGINES)
    assert first == second

"""The data of binary patches are read as strictly as apply.c (parse_binary_hunk) reads them."""

import base64
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.patchqueue.formats import binary
from tensorflow_macos_build.patchqueue.formats.diff import BinaryHunk, BinaryMethod
from tensorflow_macos_build.patchqueue.formats.refused import Malformed


def encoded(row: bytes) -> bytes:
    """Return bytes as one line, by Python's own base 85; a group is filled up with zeros."""
    number = len(row) + (0x40 if len(row) <= 26 else 0x60 - 26)
    return bytes([number]) + base64.b85encode(row + bytes(-len(row) % 4)) + b"\n"


def hunk(content: bytes, *, filler: int) -> BinaryHunk:
    """Return a literal hunk of one line that has so many bytes behind its data."""
    packed = zlib.compress(content)
    line = bytes([len(packed) + 0x40]) + base64.b85encode(packed + bytes(filler)) + b"\n"
    return BinaryHunk(BinaryMethod.LITERAL, len(content), line, 1)


@pytest.mark.parametrize("content", [b"", b"a", b"ab", b"abc", b"abcd"])
def test_the_last_group_of_a_line_may_be_filled_up_but_no_group_is_filler_alone(
    content: bytes,
) -> None:
    short = -len(zlib.compress(content)) % 4
    assert binary.apply(hunk(content, filler=short), b"") == content
    with pytest.raises(Malformed, match="another length than it states"):
        binary.apply(hunk(content, filler=short + 4), b"")


@given(st.binary(max_size=3000), st.lists(st.integers(1, 52), min_size=1))
def test_lines_of_all_lengths_are_what_pythons_base_85_makes_of_them(
    content: bytes, lengths: list[int]
) -> None:
    packed = zlib.compress(content, 0)
    rows: list[bytes] = []
    at = 0
    while at < len(packed):
        rows.append(packed[at : at + lengths[len(rows) % len(lengths)]])
        at += len(rows[-1])
    lines = b"".join(map(encoded, rows))
    literal = BinaryHunk(BinaryMethod.LITERAL, len(content), lines, 1)
    assert binary.apply(literal, b"") == content


@given(st.lists(st.text("0Az~|{", min_size=5, max_size=5), min_size=1, max_size=3).map("".join))
def test_five_letters_are_refused_where_python_refuses_them(text: str) -> None:
    line = bytes([len(text) // 5 * 4 + 0x40]) + text.encode() + b"\n"
    literal = BinaryHunk(BinaryMethod.LITERAL, 1, line, 1)
    try:
        base64.b85decode(text)
        too_large = False
    except ValueError:
        too_large = True
    with pytest.raises(Malformed) as caught:  # no such letters are a stream of zlib
        binary.apply(literal, b"")
    assert ("five letters" in str(caught.value)) == too_large


@pytest.mark.parametrize("line", [b"D0000.\n", b"D0000\n", b"D0000 \n", b'D0000"\n'])
def test_what_is_no_base_85_is_refused(line: bytes) -> None:
    with pytest.raises(Malformed):
        binary.apply(BinaryHunk(BinaryMethod.LITERAL, 1, line, 1), b"")

"""The data of binary patches are read as strictly as apply.c (parse_binary_hunk) reads them."""

import base64
import zlib

import pytest

from tensorflow_macos_build.patchqueue.formats import binary
from tensorflow_macos_build.patchqueue.formats.diff import BinaryHunk, BinaryMethod
from tensorflow_macos_build.patchqueue.formats.refused import Malformed


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

"""Reads stay inside the window, and inside what there is of the file."""

from __future__ import annotations

import struct

import pytest

from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

FORM = struct.Struct("<I")


@pytest.mark.parametrize("offset", [-1, 5, 8, 1 << 64])
def test_a_structure_outside_the_window_is_malformed(offset: int) -> None:
    with pytest.raises(MalformedMachO, match="reaches outside its 8 bytes"):
        Window(bytes(12), 2, 10).unpack(FORM, offset, "field")


def test_a_structure_beyond_the_bytes_at_hand_is_malformed() -> None:
    """A window may be on the first bytes of a file that declares more than it holds."""
    head = Window(b"\x01\0\0\0\x02\0\0", 0, 4096)
    assert head.unpack(FORM, 0, "first") == (1,)
    with pytest.raises(MalformedMachO, match="beyond the 7 bytes at hand"):
        head.unpack(FORM, 4, "second")

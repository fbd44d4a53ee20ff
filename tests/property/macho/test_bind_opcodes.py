"""Bind opcodes mean what they mean to one who takes them one at a time."""

from __future__ import annotations

from typing import NoReturn

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.macho import bind_opcodes
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import SymbolOrigin, UndefinedSymbol
from tensorflow_macos_build.macho.window import Window

NUMBERS = {0x60: 1, 0x70: 1, 0x80: 1, 0xA0: 1, 0xC0: 2}
SPECIAL = {
    0x0: SymbolOrigin.SELF,
    0xD: SymbolOrigin.WEAK_LOOKUP,
    0xE: SymbolOrigin.DYNAMIC_LOOKUP,
    0xF: SymbolOrigin.MAIN_EXECUTABLE,
}

number = st.one_of(
    st.integers(0, 0x7F).map(lambda value: bytes([value])),
    st.tuples(st.integers(0x80, 0xFF), st.integers(0, 0x7F)).map(bytes),
    st.integers(1, 12).map(lambda count: b"\x80" * count + b"\x01"),
)
names = st.binary(max_size=3).map(lambda name: name.replace(b"\0", b"\x90") + b"\0")


def opcode(*kinds: int) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda kind, low: bytes([kind | low]), st.sampled_from(kinds), st.integers(0, 15)
    )


steps = st.one_of(
    opcode(0x00, 0x10, 0x30, 0x50, 0x90, 0xB0, 0xD0, 0xE0),
    st.builds(lambda first, last: first + last, opcode(0x40), names),
    st.builds(lambda first, last: first + last, opcode(0x20, 0x60, 0x70, 0x80, 0xA0), number),
    st.builds(lambda first, a, b: first + a + b, opcode(0xC0), number, number),
    st.binary(max_size=2),
    st.integers(254, 258).map(lambda count: b"\x51" * count),
)


class Refused(Exception):
    """The stream is none."""


def refuse() -> NoReturn:
    raise Refused


def uleb(stream: bytes, at: int) -> tuple[int, int]:
    end = next((end for end in range(at, min(at + 10, len(stream))) if stream[end] < 0x80), None)
    if end is None:
        refuse()
    digits = (byte & 0x7F for byte in reversed(stream[at : end + 1]))
    value = 0
    for digit in digits:
        value = value << 7 | digit
    return value, end + 1


def one_at_a_time(stream: bytes, *, lazy: bool) -> list[UndefinedSymbol]:
    bound: dict[UndefinedSymbol, None] = {}
    name, weak, at = b"", False, 0
    origin: int | SymbolOrigin = SymbolOrigin.SELF
    while at < len(stream):
        kind, low = stream[at] & 0xF0, stream[at] & 0x0F
        at += 1
        if kind == 0x00 and not lazy:
            break
        if kind == 0x40:
            end = stream.find(b"\0", at) if b"\0" in stream[at:] else refuse()
            name, weak, at = stream[at:end], bool(low & 1), end + 1
        elif kind in (0x10, 0x20):
            ordinal, at = (low, at) if kind == 0x10 else uleb(stream, at)
            origin = ordinal - 1 if ordinal else SymbolOrigin.SELF
        elif kind == 0x30:
            origin = SPECIAL[low] if low in SPECIAL else refuse()
        elif kind in (0xE0, 0xF0):
            refuse()
        for _ in range(NUMBERS.get(kind, int(kind == 0xD0 and low == 0))):
            _, at = uleb(stream, at)
        if kind in (0x90, 0xA0, 0xB0, 0xC0) and origin is not SymbolOrigin.SELF:
            bound[UndefinedSymbol(name, origin, weak)] = None
    return list(bound)


@given(st.lists(steps, max_size=14).map(b"".join), st.booleans())
def test_a_stream_is_read_as_one_opcode_at_a_time(stream: bytes, lazy: bool) -> None:
    window = Window(b"\x40" + stream + b"\0", 1, 1 + len(stream))
    try:
        expected = one_at_a_time(stream, lazy=lazy)
    except Refused:
        expected = None
    try:
        bound = list(bind_opcodes.bound(window, lazy=lazy))
    except MalformedMachO:
        bound = None
    assert bound == expected

"""Laws of run-control files: Bazel's user manual, "Write bazelrc configuration files"."""

from __future__ import annotations

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.upstream.tensorflow_tree import bazelrc
from tensorflow_macos_build.upstream.tensorflow_tree.bazelrc import BadConfig
from tensorflow_macos_build.upstream.tensorflow_tree.fact import Unread

_characters = st.text(alphabet="ab-= \t#'\"\\ü$", min_size=1, max_size=6)
_names = st.sampled_from("abcd")


@st.composite
def _spelt(draw: st.DrawFn, word: str) -> str:
    """Spell a word in one of the ways that a line may, with the line broken in the middle."""
    quote = draw(st.sampled_from(["", "'", '"']))
    special = {"\\", quote} if quote else set("\\ \t#'\"")
    pieces = [f"\\{character}" if character in special else character for character in word]
    at = draw(st.integers(0, len(pieces)))
    pieces.insert(at, draw(st.sampled_from(["", "\\\n", "\\\r\n"])))
    return quote + "".join(pieces) + quote


@given(st.data(), st.lists(_characters, min_size=1, max_size=5))
def test_words_come_back_however_they_are_quoted_and_wherever_the_line_is_broken(
    data: st.DataObject, words: list[str]
) -> None:
    """Quoting is as in the Bourne shell, and a backslash at its end continues a line."""
    line = "build " + "  ".join(data.draw(_spelt(word)) for word in words) + " # the end"
    read = bazelrc.read(lambda _: f"# begin\n{line}\nbuild --next\n".encode())
    assert [entry.arguments for entry in read.lines] == [tuple(words), ("--next",)]


@given(st.lists(st.tuples(_names, st.lists(st.one_of(_names, st.integers(0, 9)), max_size=3))))
def test_a_flattened_config_is_its_lines_with_each_config_replaced(
    definitions: list[tuple[str, list[str | int]]],
) -> None:
    """A --config stands for the lines of its name, and may name others, but not itself."""

    def spelt(item: str | int) -> str:
        return f"--config={item}" if isinstance(item, str) else f"-{item}"

    rc = "".join(f"build:{name} {' '.join(map(spelt, items))}\n" for name, items in definitions)
    read = bazelrc.read(lambda _: rc.encode())

    def model(name: str, above: frozenset[str]) -> list[str]:
        lines = [items for defined, items in definitions if defined == name]
        if name in above or not lines:
            raise LookupError(name)
        flags: list[str] = []
        for item in (item for items in lines for item in items):
            flags += model(item, above | {name}) if isinstance(item, str) else [f"-{item}"]
        return flags

    for name in "abcd":
        try:
            expected: tuple[str, ...] | None = tuple(model(name, frozenset()))
        except LookupError:
            expected = None
        try:
            flags: tuple[str, ...] | None = read.flags_of(name)
        except BadConfig:
            flags = None
        assert flags == expected


@given(st.binary(max_size=200), st.sampled_from([b"", b"build ", b"import ", b"build:a --config="]))
def test_any_bytes_are_read_or_refused(content: bytes, before: bytes) -> None:
    """A file is data: it is read, or refused with a reason."""
    with contextlib.suppress(Unread, BadConfig):
        read = bazelrc.read(lambda path: before + content if path == ".bazelrc" else None)
        for config in read.configs():
            read.flags([config])

"""Tries are walked safely, whatever they hold."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.macho import export_trie
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import ExportedSymbol
from tensorflow_macos_build.macho.window import Window


def test_re_exported_symbols_name_their_library() -> None:
    node = bytes([8]) + uleb(1) + b"_base\0"
    trie = Window.whole(node_of(b"", [(b"_alias", node_of(node, []))]))
    assert export_trie.look_up(trie, [b"_alias"]) == {b"_alias": ExportedSymbol((0, b"_base"))}


def uleb(value: int) -> bytes:
    out = b""
    while value >= 0x80:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def node_of(terminal: bytes, children: list[tuple[bytes, bytes]]) -> bytes:
    """Write a trie of one level: a root, and leaves that have no children."""
    head = uleb(len(terminal)) + terminal + bytes([len(children)])
    size = len(head) + sum(len(label) + 2 for label, _ in children)
    edges, leaves = b"", b""
    for label, leaf in children:
        edges += label + b"\0" + uleb(size + len(leaves))
        leaves += leaf
    return head + edges + leaves


LEAF = node_of(bytes([0, 5]), [])


def test_an_edge_without_label_is_followed() -> None:
    """As ld64 wrote them where a name is the beginning of others (seen in libomp.dylib)."""
    trie = Window.whole(node_of(b"", [(b"", LEAF), (b"_x", LEAF)]))
    assert export_trie.look_up(trie, [b"_x", b""]) == {
        b"_x": ExportedSymbol(),
        b"": ExportedSymbol(),
    }


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80" * 20,
        b"\x05",
        b"\0\x01a",
        b"\0\x01a\0",
        b"\0\x01a\0\x7f",
        b"\0\x01\0\0",  # an edge without label that leads back
        b"\0\x02\0\0\0\0",
        b"\0\xff" + b"a\0\0" * 255,
    ],
)
def test_a_broken_trie_is_refused_and_never_walked_for_ever(content: bytes) -> None:
    with pytest.raises(MalformedMachO):
        export_trie.look_up(Window.whole(content), [b"a" * 50, b"ab"])


def test_a_cycle_through_labels_ends_with_the_name() -> None:
    trie = Window.whole(b"\0\x01a\0\0")
    assert export_trie.look_up(trie, [b"aaaa"]) == {}

"""Export tries: the symbols that an image gives to others, as dyld looks them up.

Source: the comment above `dyld_info_command` in <mach-o/loader.h>. A node is a ULEB128 of its own
data's size, that data, a byte that counts the children, and for each the label of its edge, ended
by NUL, and a ULEB128 of its offset in the trie.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tensorflow_macos_build.macho.constants import EXPORT_SYMBOL_FLAGS_REEXPORT
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.symbols import ExportedSymbol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.window import Window

TRIES = ("LC_DYLD_EXPORTS_TRIE", "export")
"""What the range that holds the trie is called in `Image.linkedit`: a command of its own beside
chained fixups, a part of LC_DYLD_INFO before."""

_EDGE = re.compile(rb"([^\0]*)\0[\x80-\xff]{0,9}[\x00-\x7f]")
"""A whole edge: its label, and a number."""


def has_trie(image: Image) -> bool:
    """Whether an image lists its exports in a trie, be it an empty one."""
    return any(entry.name in TRIES for entry in image.linkedit)


def look_up(trie: Window, names: Iterable[bytes]) -> dict[bytes, ExportedSymbol]:
    """Look names up in an export trie, all in one walk; what it does not have is left out.

    The trie is what dyld reads. Only the nodes on the way to a name are visited, so that asking a
    library of 350,000 exports for a few costs little; libraries that the image re-exports whole
    are not in it.

    Raises:
        MalformedMachO: a node leaves the trie, or it has a cycle.
    """
    wanted = sorted(set(names))
    pending = [(0, 0, wanted)] if wanted else []
    # In a sound trie a step goes on in a name or takes an edge without label, never two of these.
    steps = 2 * sum(len(name) + 1 for name in wanted)
    exports: dict[bytes, ExportedSymbol] = {}
    while pending:
        steps -= 1
        if steps < 0:
            raise MalformedMachO("the trie has a cycle", offset=trie.start)
        node, depth, group = pending.pop()
        terminal, at = uleb(trie, node)
        # All of a group begin alike, so the one that ends here, if any, is the first of them.
        if terminal and len(group[0]) == depth:
            exports[group[0]] = _export(trie.part(at, terminal, "trie node"))
        pending += _children(trie, at + terminal, depth, group)
    return exports


def _children(
    trie: Window, at: int, depth: int, group: list[bytes]
) -> Iterator[tuple[int, int, list[bytes]]]:
    """Return the nodes below one, each with the names of `group` (sorted) that lead there.

    An edge may have no label: ld64 made such ones where a name is the beginning of others.
    """
    # By their next byte: a node of a large library has many children, and a group many names.
    by_byte: dict[int, list[bytes]] = {}
    for name in group:
        if len(name) > depth:
            by_byte.setdefault(name[depth], []).append(name)
    count = trie.part(at, 1, "trie node").copy()[0]
    at += 1
    for _ in range(count):
        edge = _EDGE.match(trie.buffer, trie.start + at, trie.end)
        # Nearly all edges lead to names that nobody asks for: their offsets are not looked at.
        if edge is not None and edge[1] and edge[1][0] not in by_byte:
            at = edge.end() - trie.start
            continue
        label = trie.text(at, "trie edge")
        at += len(label) + 1
        child, at = uleb(trie, at)
        if not label:
            yield child, depth, group
        elif below := [name for name in by_byte.get(label[0], ()) if name.startswith(label, depth)]:
            yield child, depth + len(label), below


def _export(node: Window) -> ExportedSymbol:
    flags, at = uleb(node, 0)
    if not flags & EXPORT_SYMBOL_FLAGS_REEXPORT:
        return ExportedSymbol()
    # An empty name means the same name there (<mach-o/loader.h>); the caller knows it.
    ordinal, at = uleb(node, at)
    return ExportedSymbol((ordinal - 1, node.text(at, "re-exported name")))


def uleb(area: Window, at: int) -> tuple[int, int]:
    """Return an unsigned LEB128 number of at most 64 bits, and the offset after it."""
    begin = area.start + at
    value = 0
    # Ten bytes of 7 bits hold 64 bits.
    for index, byte in enumerate(area.buffer[begin : min(begin + 10, area.end)]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, at + index + 1
    raise MalformedMachO("a ULEB128 number does not end", offset=begin)

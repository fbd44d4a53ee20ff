"""What has to be kept of a binary as it passes: what is read of it, 4 % of a large one.

The readers of an image look at its load commands and at some of the tables that these name. For the
rest, code and names that only debuggers read, nobody asks but to compare its pages with the
signature's hashes; those are made as the bytes pass, by the one kind of page that signers make.
Where a signature has pages of another kind, the member is inflated once more.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build.macho import bind_opcodes, export_trie, fat, image, undefined
from tensorflow_macos_build.macho.malformed import MalformedMachO
from tensorflow_macos_build.macho.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.macho.image import Image
    from tensorflow_macos_build.macho.signature import CodeDirectory

PAGE, ALGORITHM = 4096, "sha256"
"""What ld64, lld and codesign hash an image of a Mac by."""

_LEAST = 1 << 16
"""Bytes in a row that are worth leaving out."""

_SIGNATURE = "LC_CODE_SIGNATURE"

_TABLES = frozenset({_SIGNATURE, undefined.FIXUPS, *bind_opcodes.STREAMS, *export_trie.TRIES})
"""What is read of an image behind its load commands, by its name in `Image.linkedit`."""

_OLDER_TABLES = frozenset({"symbol table", "string pool"})
"""What is read instead where one of them is missing; else they are four fifths of __LINKEDIT."""

_LONGEST_HEAD = 1 << 24
"""Bytes of a slice's beginning that are held until its load commands are whole."""


class Sink(Protocol):
    """Where what is kept goes, in order."""

    def write(self, chunk: bytes | memoryview) -> None:
        """Append bytes."""

    def skip(self, size: int) -> None:
        """Pass over bytes, which nobody will ask for."""


@dataclass(frozen=True, slots=True)
class HashedCode:
    """The hashes of an image's pages, of `PAGE` bytes by `ALGORITHM`, from its start to `limit`."""

    limit: int
    digests: tuple[bytes, ...]

    def of(self, directory: CodeDirectory) -> list[bytes] | None:
        """Return the hashes as a CodeDirectory has them; None where it hashes other pages."""
        kind = (directory.page_size, directory.algorithm, directory.code_limit)
        if kind != (PAGE, ALGORITHM, self.limit):
            return None
        return [digest[: directory.hash_size] for digest in self.digests]


class Sieve:
    """Passes on to a sink what is read of a binary.

    Args:
        sink: gets what is kept.
        size: the binary's bytes.
    """

    def __init__(self, sink: Sink, size: int) -> None:
        self._sink, self._size = sink, size
        self._at = 0
        self._slices: list[_Slice] | None = None
        self.has_gaps = False

    def write(self, piece: bytes | memoryview) -> None:
        """Take the next bytes; the first ones should have the whole header of a universal file."""
        if self._slices is None:
            self._slices = [*_slices(bytes(piece), self._size)]
        view, at = memoryview(piece), 0
        while at < len(view):
            at += self._pass_on(view[at:])

    def hashed(self) -> dict[int, HashedCode]:
        """Return the hashes of the signed slices, by their offset, when all has passed."""
        ended = ((slice.start, slice.hashed()) for slice in self._slices or ())
        return {start: hashed for start, hashed in ended if hashed is not None}

    def _pass_on(self, view: memoryview) -> int:
        """Pass on bytes that belong together; return how many."""
        current = next((part for part in self._slices or () if self._at < part.end), None)
        if current is not None and self._at >= current.start:
            part = view[: current.end - self._at]
            self.has_gaps |= current.write(part, self._sink)
        else:  # a header, a gap, a tail
            part = view if current is None else view[: current.start - self._at]
            self._sink.write(part)
        self._at += len(part)
        return len(part)


class _Slice:
    """One image as its bytes pass."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end
        self._head: bytearray | None = bytearray()
        self._at = 0
        self._left_out: list[range] = []
        self._pages: _Pages | None = None

    def write(self, view: memoryview, sink: Sink) -> bool:
        """Take the next bytes; return whether some of them were left out."""
        if self._head is None:
            if self._pages is not None:
                self._pages.write(view)
        else:
            self._begin(view)
        end, has_gaps = self._at + len(view), False
        while self._at < end:
            gap = self._left_out[0] if self._left_out else range(end, end)
            if self._at < gap.start:
                kept = view[: gap.start - self._at]
                sink.write(kept)
                passed = len(kept)
            else:
                passed = min(gap.stop, end) - self._at
                sink.skip(passed)
                has_gaps = True
            self._at += passed
            view = view[passed:]
            if self._at == gap.stop:
                self._left_out = self._left_out[1:]
        return has_gaps

    def hashed(self) -> HashedCode | None:
        return None if self._pages is None else self._pages.ended()

    def _begin(self, view: memoryview) -> None:
        """Read the load commands once they are whole."""
        assert self._head is not None
        self._head += view
        end = image.commands_end(bytes(self._head[:64]))
        if len(self._head) >= (end or 64):
            self._read(bytes(self._head), end)
            self._head = None
        elif len(self._head) > _LONGEST_HEAD:
            self._head = None

    def _read(self, head: bytes, end: int | None) -> None:
        try:
            parsed = image.parse(Window(head, 0, self.end - self.start))
        except MalformedMachO:
            return  # all is kept, for whoever says what is wrong
        if end is None or not parsed.is_loadable:
            return
        # The beginning that was held passes now, from its own first byte.
        first = max(end, self._at)
        self._left_out = [*_unread(parsed, first, self.end - self.start)]
        stored = parsed.linkedit_range(_SIGNATURE)
        if self._left_out and stored is not None:
            self._pages = _Pages(stored.offset)
            self._pages.write(memoryview(head))


class _Pages:
    """Hashes the pages of an image up to its signature."""

    def __init__(self, limit: int) -> None:
        self._left, self._limit = limit, limit
        self._begun = b""
        self._digests: list[bytes] = []

    def write(self, view: memoryview) -> None:
        view = view[: self._left]
        self._left -= len(view)
        if self._begun:
            missing = PAGE - len(self._begun)
            self._begun += view[:missing]
            view = view[missing:]
            if len(self._begun) < PAGE:
                return
            self._digests.append(hashlib.sha256(self._begun).digest())
        whole = len(view) - len(view) % PAGE
        new = hashlib.sha256
        self._digests += [new(view[at : at + PAGE]).digest() for at in range(0, whole, PAGE)]
        self._begun = bytes(view[whole:])

    def ended(self) -> HashedCode:
        last = [hashlib.sha256(self._begun).digest()] if self._begun else []
        return HashedCode(self._limit, (*self._digests, *last))


def _slices(head: bytes, size: int) -> Iterator[_Slice]:
    """Yield the images of a binary, of which the first bytes are given; none where all is kept."""
    if image.is_image(head):
        yield _Slice(0, size)
    if not fat.is_fat(head):
        return
    try:
        header = fat.parse(Window(head, 0, size))
    except MalformedMachO:
        return
    ranges = [(0, header.header_size), *((arch.offset, arch.end) for arch in header.arches)]
    # of slices that overlap or stand in another order nothing is left out
    if all(end <= start for (_, end), (start, _) in pairwise(ranges)):
        yield from (_Slice(*bounds) for bounds in ranges[1:])


def _unread(parsed: Image, start: int, end: int) -> Iterator[range]:
    """Yield the ranges from `start` to `end` of an image that no table which is read lies in."""
    is_older = undefined.from_symbol_table(parsed) or not export_trie.has_trie(parsed)
    names = _TABLES | _OLDER_TABLES if is_older else _TABLES
    tables = [
        (table.offset, table.offset + table.size)
        for table in parsed.linkedit
        if table.name in names
    ]
    for first, last in [*sorted(tables), (end, end)]:
        if first - start >= _LEAST:
            yield range(start, first)
        start = max(start, last)

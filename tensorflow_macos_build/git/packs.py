"""Packs as they are written: many objects in two files (gitformat-pack(5)).

Of each object only what it is, compressed: a delta saves space, and these packs live for a while.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_TYPES = {"commit": 1, "tree": 2, "blob": 3, "tag": 4}
_VERSION = 2
_INDEX_MAGIC = b"\377tOc"


class _Packed(NamedTuple):
    """An object in a pack: its id, the checksum of its bytes there, and where they begin."""

    oid: bytes
    crc: int
    offset: int


def write(folder: Path, objects: Mapping[str, tuple[str, bytes]], algorithm: str) -> None:
    """Write objects, kind and content by id, as a pack into a folder for packs.

    Its index comes last, and whole, for git takes note of a pack by it: one may be at work beside.
    """
    head = b"PACK" + struct.pack(">II", _VERSION, len(objects))
    parts, packed, offset = [head], [], len(head)
    for oid, (kind, content) in objects.items():
        # little compression: most of them are read once
        part = b"".join((_entry_head(_TYPES[kind], len(content)), zlib.compress(content, 1)))
        parts.append(part)
        packed.append(_Packed(bytes.fromhex(oid), zlib.crc32(part), offset))
        offset += len(part)
    body = b"".join(parts)
    checksum = hashlib.new(algorithm, body, usedforsecurity=False).digest()
    folder.mkdir(exist_ok=True)
    stem = f"pack-{checksum.hex()}"
    (folder / f"{stem}.pack").write_bytes(body + checksum)
    index = b"".join(_index(sorted(packed), checksum))
    own = hashlib.new(algorithm, index, usedforsecurity=False).digest()
    unfinished = folder / f"{stem}.unfinished"
    unfinished.write_bytes(index + own)
    unfinished.rename(folder / f"{stem}.idx")


def _entry_head(kind: int, size: int) -> bytes:
    """Return an entry's kind and size: seven bits a byte, but for four in the first."""
    head, rest = bytearray([kind << 4 | size & 15]), size >> 4
    while rest:
        head[-1] |= 128
        head.append(rest & 127)
        rest >>= 7
    return bytes(head)


def _index(packed: list[_Packed], checksum: bytes) -> Iterator[bytes]:
    """Yield the parts of a version 2 index, whose offsets have 31 bits: a pack under 2 GiB."""
    yield _INDEX_MAGIC + struct.pack(">I", _VERSION)
    up_to = [0] * 256
    for entry in packed:
        up_to[entry.oid[0]] += 1
    for first in range(1, 256):
        up_to[first] += up_to[first - 1]
    yield struct.pack(">256I", *up_to)
    yield from (entry.oid for entry in packed)
    yield struct.pack(f">{len(packed)}I", *(entry.crc for entry in packed))
    yield struct.pack(f">{len(packed)}I", *(entry.offset for entry in packed))
    yield checksum

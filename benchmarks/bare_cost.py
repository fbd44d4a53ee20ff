"""The bare cost that readers of wheels are measured by: a member inflated, and hashed.

zlib-ng inflates it, as fast as anything that is known to take what zlib takes (docs/adr/0011).
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from zlib_ng import zlib_ng

if TYPE_CHECKING:
    import zipfile

_PIECE = 1 << 18
_LOCAL_HEADER = 30
"""Bytes of a local header before the name and the extra field (APPNOTE.TXT, 4.3.7)."""


def inflate(
    descriptor: int, member: zipfile.ZipInfo, block: int = _PIECE, *, times: int = 1
) -> None:
    """Inflate a member of an open zip file, `block` bytes at a time, and hash it `times` times."""
    header = os.pread(descriptor, _LOCAL_HEADER, member.header_offset)
    names = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    at = member.header_offset + _LOCAL_HEADER + names
    end = at + member.compress_size
    engine = zlib_ng.decompressobj(-zlib_ng.MAX_WBITS)
    digests = [hashlib.sha256() for _ in range(times)]
    while at < end:
        piece = os.pread(descriptor, min(_PIECE, end - at), at)
        at += len(piece)
        while piece:
            content = engine.decompress(piece, block) if member.compress_type else piece
            for digest in digests:
                digest.update(content)
            piece = engine.unconsumed_tail if member.compress_type else b""

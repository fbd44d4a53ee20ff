"""A state's file as members of a tar archive, written and read from front to back in flat memory.

Its tables are lines of words, sorted: at 30,000 actions JSON of them takes seconds to check.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from typing import IO, TYPE_CHECKING

from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK = 512
"""The unit of a tar archive (pax(1), "ustar Interchange Format")."""

_PIECE = 1 << 20

END = b"\0" * (2 * BLOCK)
"""What ends an archive."""


class BadState(WorkFailed):
    """A saved state that cannot be used."""


def padded(size: int) -> int:
    """Return how many bytes a member of a size takes with its header."""
    return BLOCK + (size + BLOCK - 1) // BLOCK * BLOCK


def write(stream: IO[bytes], name: str, size: int, content: IO[bytes]) -> str:
    """Write a member, and return the SHA-256 of its bytes.

    Raises:
        BadState: the content has not this size.
    """
    stream.write(_header(name, size))
    digest, written = hashlib.sha256(), 0
    while piece := content.read(_PIECE):
        stream.write(piece)
        digest.update(piece)
        written += len(piece)
    if written != size:
        raise BadState(f"it has {written} bytes in place of {size}", where=name)
    stream.write(b"\0" * (-size % BLOCK))
    return digest.hexdigest()


def write_bytes(stream: IO[bytes], name: str, content: bytes) -> None:
    """Write a small member."""
    write(stream, name, len(content), io.BytesIO(content))


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)  # time 0, no owner: the same content gives the same bytes
    member.size = size
    member.mode = 0o444
    # GNU's form has sizes of more than 8 GiB in one header.
    return member.tobuf(tarfile.GNU_FORMAT)


def read(stream: IO[bytes], name: str) -> tuple[int, Iterator[bytes]]:
    """Read the header of the next member, which must have this name.

    Returns:
        Its size, and its bytes in pieces, to be read to their end before the next member.

    Raises:
        BadState: there is another one, or none.
    """
    try:
        member = tarfile.TarInfo.frombuf(_exactly(stream, BLOCK), "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise BadState(f"the header of {name} is damaged ({error})") from None
    if member.name != name or not member.isreg() or member.size < 0:
        raise BadState(f"{member.name!r:.100} stands where {name} should")
    return member.size, _pieces(stream, member.size)


def read_bytes(stream: IO[bytes], name: str, limit: int) -> bytes:
    """Return the content of the next member, of at most `limit` bytes.

    Raises:
        BadState: it is another one, is larger, or is cut off.
    """
    size, pieces = read(stream, name)
    if size > limit:
        raise BadState(f"{name} has more than {limit} bytes")
    return b"".join(pieces)


def read_end(stream: IO[bytes]) -> None:
    """Read the end of the archive.

    Raises:
        BadState: something else stands there.
    """
    if _exactly(stream, len(END)) != END or stream.read(1):
        raise BadState("there is more in it than it should hold")


def _pieces(stream: IO[bytes], size: int) -> Iterator[bytes]:
    left = size
    while left:
        piece = _exactly(stream, min(left, _PIECE))
        left -= len(piece)
        yield piece
    _exactly(stream, -size % BLOCK)


def _exactly(stream: IO[bytes], size: int) -> bytes:
    content = stream.read(size)
    if len(content) != size:
        raise BadState("it is cut off")
    return content


def table(rows: Iterable[tuple[object, ...]]) -> bytes:
    """Return rows as lines of words."""
    return "".join(f"{' '.join(map(str, row))}\n" for row in rows).encode("ascii")


def rows(content: bytes) -> Iterator[list[str]]:
    """Yield the rows of a table."""
    for line in content.decode("ascii").splitlines():
        yield line.split(" ")

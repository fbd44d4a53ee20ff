"""A file on its way out: told of, and the same bytes as when its checksum was taken."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, BinaryIO, cast

from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.release.prepared import PublishedFile


class OutgoingFile:
    """Reads a file for an upload; requests takes its length for Content-Length."""

    def __init__(self, stream: BinaryIO, file: PublishedFile, sent: Callable[[int], None]) -> None:
        self._stream = stream
        self._file = file
        self._sent = sent
        self._left = file.size
        self._digest = hashlib.sha256()

    def __len__(self) -> int:
        """Return how many bytes are to come."""
        return self._left

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes.

        Raises:
            WorkFailed: the file has changed since it was read first; its last bytes are kept back,
                so that the server cannot take it for whole.
        """
        piece = self._stream.read(self._left if size < 0 else min(size, self._left))
        self._digest.update(piece)
        self._left -= len(piece)
        is_over = self._left == 0 and bool(piece)
        if (not piece and self._left) or (
            is_over and self._digest.hexdigest() != self._file.sha256
        ):
            raise WorkFailed("the file changed while it was uploaded", where=str(self._file.path))
        self._sent(len(piece))
        return piece

    def as_stream(self) -> BinaryIO:
        """Return it as what it is read as."""
        return cast("BinaryIO", self)

"""A file on a server as a file to read at random: only what is read is fetched.

Where the server takes no range requests (RFC 9110, section 14), all of it is fetched, once.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from http import HTTPStatus
from typing import TYPE_CHECKING

from tensorflow_macos_build import http_session
from tensorflow_macos_build.wheels.matrix.asking import CONNECT_SECONDS, patiently
from tensorflow_macos_build.wheels.wheelhouse.fetch import NotFetched

if TYPE_CHECKING:
    from typing import BinaryIO

    import requests
    from _typeshed import WriteableBuffer

    from tensorflow_macos_build.retry import Retry

_SHORTEST, _LONGEST = 1 << 16, 1 << 22
"""Bytes of a request: twice as many each time that it goes on where the last one ended."""

_LARGEST = 4 << 30
"""Bytes of a file beyond which it is refused; TensorFlow's wheels have 0.3 GB."""

_CHUNK = 1 << 18
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class RangeFile(io.RawIOBase):
    """A file on a server, opened for reading.

    Attributes:
        fetched: bytes that have come.
    """

    def __init__(self, url: str, retry: Retry) -> None:
        self.fetched = 0
        self._url = url
        self._retry = retry
        self._session = http_session.session(retry.grace)
        self._whole: BinaryIO | None = None
        self._at = 0
        self._start, self._block = 0, b""
        self._step = _SHORTEST
        self._size = 0
        # A range at the end could not be asked for before the size is known.
        self._fetch(0)

    def close(self) -> None:
        """End the conversation."""
        self._session.close()
        if self._whole is not None:
            self._whole.close()
        super().close()

    def readable(self) -> bool:
        """Whether it can be read."""
        return True

    def seekable(self) -> bool:
        """Whether it can be read at random."""
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise OSError("before the beginning of the file")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill a buffer with bytes from the place on; return how many they are, 0 at the end.

        Raises:
            NotFetched: the server does not give them.
        """
        view = memoryview(buffer).cast("B")
        if self._at >= self._size:
            return 0
        piece = self._some(min(len(view), self._size - self._at))
        view[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _some(self, size: int) -> bytes:
        if self._whole is not None:
            self._whole.seek(self._at)
            return self._whole.read(size)
        if not self._start <= self._at < self._start + len(self._block):
            self._fetch(self._at)
            return self._some(size)
        offset = self._at - self._start
        return self._block[offset : offset + size]

    def _fetch(self, start: int) -> None:
        goes_on = self._block and start == self._start + len(self._block)
        self._step = min(self._step * 2, _LONGEST) if goes_on else _SHORTEST
        patiently(lambda: self._ask(start), self._retry, self._url)

    def _ask(self, start: int) -> None:
        # A range counts the bytes of what is sent, compressed or not (RFC 9110, section 14.1.2).
        headers = {
            "Accept-Encoding": "identity",
            "Range": f"bytes={start}-{start + self._step - 1}",
        }
        timeout = (CONNECT_SECONDS, self._retry.idle)
        with self._session.get(self._url, headers=headers, stream=True, timeout=timeout) as answer:
            answer.raise_for_status()
            if answer.status_code != HTTPStatus.PARTIAL_CONTENT:
                self._take_whole(answer)
                return
            span = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", ""))
            if span is None or int(span[1]) != start or not start <= int(span[2]) < int(span[3]):
                raise NotFetched("the server sent another range than was asked for")
            self._set_size(int(span[3]))
            length = min(int(span[2]) + 1 - start, self._step)
            block = answer.raw.read(length)
            if len(block) < length:
                raise NotFetched("the connection ended early")
        self.fetched += len(block)
        self._start, self._block = start, block

    def _take_whole(self, answer: requests.Response) -> None:
        with contextlib.ExitStack() as undo:
            whole = undo.enter_context(tempfile.TemporaryFile())
            for chunk in answer.iter_content(_CHUNK):
                whole.write(chunk)
                self.fetched += len(chunk)
                if whole.tell() > _LARGEST:
                    raise NotFetched(f"it is larger than {_LARGEST} bytes")
            if str(whole.tell()) != answer.headers.get("Content-Length", str(whole.tell())):
                raise NotFetched("the connection ended early")
            undo.pop_all()  # it is kept: close() closes it
        self._size, self._whole = whole.tell(), whole

    def _set_size(self, size: int) -> None:
        if size > _LARGEST:
            raise NotFetched(f"its {size} bytes are more than {_LARGEST}")
        if self._size not in (0, size):
            raise NotFetched("the file has changed while it was read")
        self._size = size

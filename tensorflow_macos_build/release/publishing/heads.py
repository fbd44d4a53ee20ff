"""Heads of answers within a time: a server that drips them, or is cut off in one, has failed.

The timeout of a socket counts anew from each byte, and http.client takes a head that ends in the
middle for a whole one.
"""

from __future__ import annotations

import http.client
import time
from typing import TYPE_CHECKING, Any, cast

import requests
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

HEAD_SECONDS = 120.0
"""Seconds from the first byte of a head in which it has to end; real ones come at once."""


class _TimedHead:
    """Reads the lines of a head."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._deadline: float | None = None

    def readline(self, limit: int) -> bytes:
        """Return the next line, or `limit` bytes of it; b"" where no answer came.

        Raises:
            TimeoutError: the head does not end in its time.
            ConnectionResetError: the connection ended in it.
        """
        # Byte by byte: a line that is read as one may drip for ever, too.
        line = bytearray()
        for byte in self._bytes():
            line += byte
            if byte == b"\n" or len(line) == limit:
                return bytes(line)
        if self._deadline is not None:
            raise ConnectionResetError("the connection ended in the head of an answer")
        return b""

    def _bytes(self) -> Iterator[bytes]:
        while byte := self._stream.read(1):
            now = time.monotonic()
            if self._deadline is None:
                self._deadline = now + HEAD_SECONDS
            if now > self._deadline:
                raise TimeoutError("the head of the answer does not end")
            yield byte

    def close(self) -> None:
        """Close the connection, as http.client does where there is no head."""
        self._stream.close()


class _TimedResponse(http.client.HTTPResponse):
    def begin(self) -> None:
        stream: Any = self.fp
        self.fp = cast("Any", _TimedHead(stream))
        try:
            super().begin()
        finally:
            if self.fp is not None:  # None: it was no answer, and is closed
                self.fp = stream


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class TimedHeads(requests.adapters.HTTPAdapter):
    """Sends requests as requests does, and bounds the time of the answers' heads."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """Return the pools of a proxy's connections."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager


def request(method: str, url: str, **options: Any) -> requests.Response:
    """Return the answer to a request, as `requests.request` does with the same options."""
    # No lasting session: its connections are shared by threads, and one that a server has closed
    # meanwhile fails a request that cannot be made twice.
    with requests.Session() as session:
        for scheme in _POOLS:
            session.mount(f"{scheme}://", TimedHeads())
        return session.request(method, url, **options)

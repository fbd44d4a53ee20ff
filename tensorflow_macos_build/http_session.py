"""Requests whose answers end: one that a server drips, or that is cut off in its head, fails.

The timeout of a socket counts anew from each byte, so a byte a minute keeps a client for ever; and
http.client takes a head that ends in the middle for a whole one.
"""

from __future__ import annotations

import functools
import http.client
import io
import time
from typing import TYPE_CHECKING, Any

import requests
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SLOWEST = 1000
"""Bytes a second with which a body has to come on average, beyond a session's seconds of grace."""


class _TimedStream(io.RawIOBase):
    """The bytes of one answer, as they come from a socket.

    Only the time spent waiting for the server counts, not what the reader does between.
    """

    def __init__(self, raw: io.RawIOBase, grace: float) -> None:
        self._raw = raw
        self._grace = grace
        self._waited, self._bytes = 0.0, 0
        self.is_head = True

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._raw.fileno()

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Fill a buffer with what has come.

        Raises:
            ConnectionAbortedError: the answer comes too slowly.
            ConnectionResetError: the connection ended in its head.
        """
        start = time.monotonic()
        count = self._raw.readinto(buffer)
        if self._bytes:  # the time before the first byte is the server's, to work in
            self._waited += time.monotonic() - start
        self._bytes += count or 0
        if self.is_head and self._bytes and not count:
            raise ConnectionResetError("the connection ended in the head of the answer")
        # A head, unlike a body, may not be lengthened: "100 Continue" can precede it for ever.
        if self._waited > self._grace + (0 if self.is_head else self._bytes / SLOWEST):
            what = "the head of the answer does not end" if self.is_head else "it comes too slowly"
            raise ConnectionAbortedError(what)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    grace: float

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._stream = _TimedStream(self.fp.detach(), self.grace)
        self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        self._stream.is_head = False


@functools.cache
def _pools(seconds: float) -> dict[str, type[HTTPConnectionPool]]:
    """Return the kinds of connections, by scheme; only classes of theirs say what they make."""

    class Response(_TimedResponse):
        grace = seconds

    class Connection(HTTPConnection):
        response_class = Response

    class SecureConnection(HTTPSConnection):
        response_class = Response

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = SecureConnection

    return {"http": Pool, "https": SecurePool}


class _TimedAdapter(requests.adapters.HTTPAdapter):
    """Sends requests as requests does, and bounds the time of their answers."""

    def __init__(self, grace: float) -> None:
        self._grace = grace
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _pools(self._grace)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _pools(self._grace)
        return manager


def session(grace: float = Retry.grace) -> requests.Session:
    """Return a session whose answers fail when a server drips them.

    Args:
        grace: seconds of waiting after which a head fails, counted from its first byte; a body has
            a second more for each `SLOWEST` bytes.
    """
    made = requests.Session()
    for scheme in ("http", "https"):
        made.mount(f"{scheme}://", _TimedAdapter(grace))
    return made


def request(
    method: str, url: str, *, grace: float = Retry.grace, **options: Any
) -> requests.Response:
    """Return the answer to a request, as `requests.request` does with the same options."""
    # No lasting session: its connections are shared by threads, and one that a server has closed
    # meanwhile fails a request that cannot be made twice.
    with session(grace) as made:
        return made.request(method, url, **options)

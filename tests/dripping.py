"""A web server on 127.0.0.1 whose answers never end: a byte comes now and then."""

from __future__ import annotations

import contextlib
import http.server
import itertools
import threading
from enum import Enum
from typing import TYPE_CHECKING

from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_OK = b"HTTP/1.1 200 OK\r\n"


class Drip(Enum):
    """What drips, and how: what comes at once, and what comes then in pieces for ever."""

    STATUS = (b"", b"H")
    NAME = (_OK, b"n")
    HEADERS = (_OK, b"a: b\r\n")
    INTERIM = (b"", b"HTTP/1.1 100 Continue\r\n\r\n")
    BODY = (_OK + b"Content-Length: 100000000\r\n\r\n", b"x")
    RANGE = (
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 65536\r\n"
        b"Content-Range: bytes 0-65535/70000\r\n\r\n",
        b"x",
    )
    CHUNKS = (_OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n")


HEADS = (Drip.STATUS, Drip.NAME, Drip.HEADERS, Drip.INTERIM)


@contextlib.contextmanager
def dripping(drip: Drip) -> Iterator[str]:
    """Serve without an end at every address; yield the server's own."""
    closing = threading.Event()
    first, piece = drip.value

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.wfile.write(first)
                for byte in itertools.cycle(piece):
                    if closing.wait(0.01):
                        return
                    self.wfile.write(bytes([byte]))

    with serving(Handler, closing) as address:
        yield address

"""A remote cache as Bazel's documents describe it: PUT and GET below /ac/ and /cas/, in memory.

See "HTTP caching protocol" in bazel.build/remote/caching.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAME = re.compile(r"/(?:ac|cas)/[0-9a-f]{64}")

_MOST_BYTES = 64 << 20
"""How much it holds; what tests build is a thousandth of that."""


@dataclass
class HttpCache:
    """What a cache holds, and what was asked of it.

    Attributes:
        address: where it is.
        login: the `name:password` that each request must have, if any.
        files: its contents by path.
        puts: how many files were put into it.
        hits: how many requests found one.
        refused: how many requests lacked the login.
        closing: set when it is to die; connections that are open then get no more answers.
    """

    address: str = ""
    login: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    puts: int = 0
    hits: int = 0
    refused: int = 0
    closing: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, path: str) -> bytes | None:
        """Return what lies at a path."""
        with self._lock:
            content = self.files.get(path)
            self.hits += content is not None
            return content

    def put(self, path: str, content: bytes) -> bool:
        """Take a file in, and return whether there was room for it and it has a right name."""
        with self._lock:
            size = sum(map(len, self.files.values())) + len(content)
            fits = size < _MOST_BYTES and _NAME.fullmatch(path) is not None
            if fits:
                self.files[path] = content
                self.puts += 1
            return fits

    def may(self, authorization: str | None) -> bool:
        """Whether a request has the login."""
        basic = f"Basic {base64.b64encode(self.login.encode()).decode()}"
        is_right = not self.login or authorization == basic
        self.refused += not is_right
        return is_right


class DyingCache(contextlib.ExitStack):
    """A cache that serves until its stack is closed."""

    def __init__(self, cache: HttpCache) -> None:
        super().__init__()
        cache.address = self.enter_context(serving(_handler(cache), cache.closing))


@contextlib.contextmanager
def http_cache(login: str = "") -> Iterator[HttpCache]:
    """Serve an empty cache."""
    cache = HttpCache(login=login)
    with DyingCache(cache):
        yield cache


def _handler(cache: HttpCache) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"  # Bazel keeps connections

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self._is_taken():
                content = cache.get(self.path)
                self._answer(404 if content is None else 200, content or b"")

        def do_PUT(self) -> None:
            content = self.rfile.read(min(int(self.headers["Content-Length"]), _MOST_BYTES))
            if self._is_taken():
                self._answer(201 if cache.put(self.path, content) else 507)

        def _is_taken(self) -> bool:
            if cache.closing.is_set():
                self.close_connection = True
                return False
            if not cache.may(self.headers.get("Authorization")):
                self._answer(401)
                return False
            return True

        def _answer(self, status: int, content: bytes = b"") -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    return Handler

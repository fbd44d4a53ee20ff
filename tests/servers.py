"""What the servers of tests share: they run in a thread, and fail as often as tests say."""

from __future__ import annotations

import contextlib
import http.server
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(kw_only=True)
class Failures:
    """Counts of failures to come, each a field of its own; tests change them while it serves.

    Attributes:
        lock: held while a count is changed.
        closing: set when the server is to end, for answers that wait.
    """

    lock: threading.Lock = field(default_factory=threading.Lock)
    closing: threading.Event = field(default_factory=threading.Event)

    def take(self, name: str) -> bool:
        """Whether a failure of that name is left to come; there is one less afterwards."""
        with self.lock:
            left: int = getattr(self, name)
            setattr(self, name, max(0, left - 1))
            return left > 0


@contextlib.contextmanager
def serving(
    handler: type[http.server.BaseHTTPRequestHandler], closing: threading.Event
) -> Iterator[str]:
    """Serve on a port of 127.0.0.1, and yield the address; `closing` is set at the end."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda request, client_address: None  # type: ignore[method-assign] # clients that hang up are the point
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        closing.set()
        server.shutdown()
        thread.join()
        server.server_close()

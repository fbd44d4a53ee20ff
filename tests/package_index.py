"""A package index on 127.0.0.1 (PEP 503) that can be made to fail."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from tests.servers import Failures, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Index(Failures):
    """The index's state; tests change it while it serves.

    Attributes:
        folder: the wheels that it offers.
        url: its address.
        busy: how many requests of wheels from now on are put off.
        busy_status: what they are answered by.
        cut: how many wheels from now on are cut off half way, with the connection.
        stall: how many wheels from now on stop half way, with the connection left open.
        spoiled: file names whose bytes are wrong.
        ranges: whether it can go on in the middle of a wheel.
        requests: the wheels requested, each with the byte from which on.
    """

    folder: Path
    url: str = ""
    busy: int = 0
    busy_status: int = 503
    cut: int = 0
    stall: int = 0
    spoiled: set[str] = field(default_factory=set)
    ranges: bool = True
    requests: list[tuple[str, int]] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    index: Index

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        if self.path.startswith("/simple/"):
            self._page(self.path.split("/")[2])
        elif self.path.startswith("/files/"):
            self._wheel(self.path.rpartition("/")[2])
        else:
            self.send_error(404)

    def _page(self, project: str) -> None:
        links = [
            f'<a href="/files/{wheel.name}#sha256={_sha256(wheel)}">{wheel.name}</a>'
            for wheel in sorted(self.index.folder.glob("*.whl"))
            if canonicalize_name(wheel.name.split("-")[0]) == project
        ]
        if not links:
            self.send_error(404)
            return
        body = "<!DOCTYPE html><html><body>{}</body></html>".format("\n".join(links)).encode()
        self._head(200, {"Content-Type": "text/html"}, len(body))
        self.wfile.write(body)

    def _wheel(self, name: str) -> None:
        content = (self.index.folder / name).read_bytes()
        range_match = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        is_uv = self.headers.get("User-Agent", "").startswith("uv")
        if is_uv:  # it reads metadata out of wheels; what it asks for is of no account here
            self._ranged(content, range_match)
            return
        self.index.requests.append((name, int(range_match[1]) if range_match else 0))
        if self.index.take("busy"):
            self.send_error(self.index.busy_status)
            return
        if name in self.index.spoiled:
            content = bytes([content[0] ^ 1]) + content[1:]
        self._ranged(content, range_match if self.index.ranges else None, faults=True)

    def _ranged(
        self, content: bytes, range_match: re.Match[str] | None, *, faults: bool = False
    ) -> None:
        if range_match is None:
            self._head(200, {}, len(content))
        else:
            start, end = int(range_match[1]), int(range_match[2] or len(content) - 1)
            if start >= len(content):
                self.send_error(416)
                return
            span = f"bytes {start}-{min(end, len(content) - 1)}/{len(content)}"
            content = content[start : end + 1]
            self._head(206, {"Content-Range": span}, len(content))
        if self.command != "HEAD":
            self._send(content, faults=faults)

    def _head(self, status: int, headers: dict[str, str], length: int) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(length)}.items():
            self.send_header(name, value)
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def _send(self, content: bytes, *, faults: bool) -> None:
        half = content[: len(content) // 2]
        if faults and self.index.take("cut"):
            self.wfile.write(half)
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        elif faults and self.index.take("stall"):
            self.wfile.write(half)
            self.wfile.flush()
            self.index.closing.wait(60)
        else:
            self.wfile.write(content)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextlib.contextmanager
def package_index(folder: Path) -> Iterator[Index]:
    """Serve the wheels in a folder; yield the index."""
    index = Index(folder)
    handler = type("Handler", (_Handler,), {"index": index})
    with serving(handler, index.closing) as address:
        index.url = f"{address}/simple"
        yield index

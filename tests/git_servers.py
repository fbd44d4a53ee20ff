"""Real git servers on 127.0.0.1 that can be told to fail: smart HTTP by git's own CGI, and git://."""

from __future__ import annotations

import contextlib
import gzip
import http.server
import itertools
import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.servers import Failures, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@dataclass
class Faults(Failures):
    """What a web server does wrong, and what it was asked.

    Attributes:
        busy: how many requests from now on are answered by 503.
        cut: how many packs from now on are cut off after `cut_at` bytes, with the connection.
        cut_at: see `cut`.
        stall: how many packs from now on stop flowing, with the connection left open.
        requests: what was asked: `info/refs`, or the protocol-v2 command of a POST.
        wants: how many objects each `fetch` named.
    """

    busy: int = 0
    cut: int = 0
    cut_at: int = 2000
    stall: int = 0
    requests: list[str] = field(default_factory=list)
    wants: list[int] = field(default_factory=list)


class _Handler(http.server.BaseHTTPRequestHandler):
    root: Path
    faults: Faults
    env: dict[str, str]

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        self._answer(b"", "info/refs")

    def do_POST(self) -> None:
        body = self._body()
        plain = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        command = plain[4 : int(plain[:4], 16)].decode().strip().removeprefix("command=")
        if command == "fetch":
            self.faults.wants.append(plain.count(b"want "))
        self._answer(body, command)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _answer(self, body: bytes, request: str) -> None:
        self.faults.requests.append(request)
        if self.faults.take("busy"):
            self.send_error(503)
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=body,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            env={
                **self.env,
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(body)),
                "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            },
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.split(": ", 1) for line in head.decode().splitlines()]
        status = next((int(value[:3]) for name, value in headers if name == "Status"), 200)
        self.send_response(status)
        for name, value in headers:
            if name != "Status":
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self._send(content, is_pack=request == "fetch")

    def _send(self, content: bytes, *, is_pack: bool) -> None:
        if is_pack and self.faults.take("cut"):
            self.wfile.write(content[: self.faults.cut_at])
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
        elif is_pack and self.faults.take("stall"):
            self.wfile.write(content[: self.faults.cut_at])
            self.wfile.flush()
            self.faults.closing.wait(60)
        else:
            self.wfile.write(content)


@contextlib.contextmanager
def http_server(root: Path) -> Iterator[tuple[str, Faults]]:
    """Serve the repositories in `root` over smart HTTP; yield the base address and the faults."""
    faults = Faults()
    # what a test sets later is for the client
    facts = {"root": root, "faults": faults, "env": dict(os.environ)}
    handler = type("Handler", (_Handler,), facts)
    with serving(handler, faults.closing) as address:
        yield address, faults


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def daemon(root: Path) -> Iterator[str]:
    """Serve the repositories in `root` by `git daemon`; yield the base address."""
    port = free_port()
    child = subprocess.Popen(
        [
            *("git", "daemon", "--export-all", "--reuseaddr", f"--base-path={root}"),
            *("--listen=127.0.0.1", f"--port={port}"),
        ],
        start_new_session=True,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield f"git://127.0.0.1:{port}"
    finally:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _wait_for(port: int) -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


ADVERTISED = "application/x-git-upload-pack-advertisement"


def packet(content: bytes) -> bytes:
    """Frame a pkt-line (gitprotocol-common(5))."""
    return b"%04x%s" % (len(content) + 4, content)


def _reference(number: int) -> bytes:
    return b"%040x refs/heads/b%d" % (number + 1, number)


_FIRST = packet(b"# service=git-upload-pack\n") + b"0000"
_VERSION_2 = _FIRST + b"".join(map(packet, (b"version 2\n", b"ls-refs\n", b"fetch\n"))) + b"0000"


def _endless_advertisement() -> Iterator[bytes]:
    yield _FIRST + packet(_reference(0) + b" HEAD\0multi_ack\n")
    yield from (packet(_reference(number) + b"\n") for number in itertools.count(1))


def _drip(_command: bytes = b"") -> Iterator[bytes]:
    while True:
        time.sleep(0.1)
        yield b"0"


def _nothing(_command: bytes) -> Iterator[bytes]:
    return iter(())


def _version_2() -> Iterator[bytes]:
    return iter([_VERSION_2])


def _plain() -> Iterator[bytes]:
    return (_reference(number).replace(b" ", b"\t") + b"\n" for number in itertools.count())


def _errors() -> Iterator[bytes]:
    return (packet(b"ERR no\n") for _ in itertools.count())


def _listed(_command: bytes) -> Iterator[bytes]:
    return (packet(_reference(number) + b"\n") for number in itertools.count())


def _messages(command: bytes) -> Iterator[bytes]:
    if command == b"ls-refs":
        yield packet(_reference(0) + b"\n") + b"0000"
        return
    yield packet(b"packfile\n")
    while True:
        yield packet(b"\2working on it\n")


ENDLESS: dict[str, tuple[str, Callable[[], Iterator[bytes]], Callable[[bytes], Iterator[bytes]]]]
ENDLESS = {
    "plain references": ("text/plain", _plain, _nothing),
    "advertised references": (ADVERTISED, _endless_advertisement, _nothing),
    "listed references": (ADVERTISED, _version_2, _listed),
    "messages": (ADVERTISED, _version_2, _messages),
    "errors": (ADVERTISED, _errors, _nothing),
    "a drip": (ADVERTISED, _version_2, _drip),
    "a drip of references": (ADVERTISED, _drip, _nothing),
}
"""What servers without an end send for `info/refs`, its type, and for a POST by its command."""


@contextlib.contextmanager
def endless_server(kind: str) -> Iterator[str]:
    """Serve without an end, as `ENDLESS` says; yield the address of a repository."""
    content_type, got, posted = ENDLESS[kind]

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self._send(content_type, got())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            command = body.partition(b"command=")[2].partition(b"\n")[0][:7]
            self._send("application/x-git-upload-pack-result", posted(command))

        def _send(self, kind: str, pieces: Iterator[bytes]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.end_headers()
            with contextlib.suppress(OSError):
                for batch in iter(lambda: b"".join(itertools.islice(pieces, size)), b""):
                    if closing.is_set():
                        break
                    self.wfile.write(batch)

    size = 1 if "drip" in kind else 500
    closing = threading.Event()
    with serving(Handler, closing) as address:
        yield f"{address}/up.git"

"""Answers that a server drips or cuts off end as failures; the socket's timeout is no bound."""

from __future__ import annotations

import contextlib
import http.server
import threading
from typing import TYPE_CHECKING

import pytest
import requests

from tensorflow_macos_build import http_session
from tests.dripping import HEADS, Drip, dripping
from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

GRACE = 0.3
IDLE = 20.0


@contextlib.contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Serve these bytes, whatever is asked."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            self.close_connection = True
            self.wfile.write(answer)

    with serving(Handler, threading.Event()) as address:
        yield address


@pytest.mark.parametrize("drip", HEADS)
def test_a_head_that_drips_is_left(drip: Drip) -> None:
    with (
        dripping(drip) as address,
        pytest.raises(requests.ConnectionError, match="head of the answer does not end"),
    ):
        http_session.request("GET", address, grace=GRACE, timeout=IDLE)


@pytest.mark.parametrize("drip", [Drip.BODY, Drip.CHUNKS])
def test_a_body_that_drips_is_left_though_a_large_piece_of_it_is_asked_for(drip: Drip) -> None:
    with (
        dripping(drip) as address,
        http_session.request("GET", address, grace=GRACE, timeout=IDLE, stream=True) as answer,
        pytest.raises(requests.RequestException, match="too slowly"),
    ):
        list(answer.iter_content(1 << 20))


def test_the_bytes_that_come_lengthen_a_bodys_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_session, "SLOWEST", 1)
    with (
        dripping(Drip.BODY) as address,
        http_session.request("GET", address, grace=GRACE, timeout=IDLE, stream=True) as answer,
    ):
        assert next(answer.iter_content(100)) == b"x" * 100


@pytest.mark.parametrize(
    "head", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nA: b\r\n"]
)
def test_a_connection_that_ends_in_a_head_is_no_answer(head: bytes) -> None:
    with (
        answering(head) as address,
        pytest.raises(requests.ConnectionError, match="ended in the head"),
    ):
        http_session.request("GET", address, timeout=IDLE)


@pytest.mark.parametrize("size", [0, 1, 8191, 8192, 3_000_000])
def test_whole_answers_come_as_they_are(size: int) -> None:
    body = bytes(range(251)) * (size // 251 + 1)
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size
    with answering(head + body[:size]) as address:
        assert http_session.request("GET", address, timeout=IDLE).content == body[:size]


def test_a_session_keeps_its_connection() -> None:
    ports = set()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            ports.add(self.client_address[1])
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

    with serving(Handler, threading.Event()) as address, http_session.session() as session:
        assert [session.get(address, timeout=IDLE).content for _ in range(3)] == [b"ok"] * 3
    assert len(ports) == 1

"""GitHub's API for issues and pull requests, on 127.0.0.1."""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = "o/r"
UPSTREAM = "up/stream"
BOT = "github-actions[bot]"


@dataclass
class Forge:
    """The issues of one repository, and the pull requests of another.

    Attributes:
        issues: by number, as the API shows them.
        pulls: likewise; a number that is not there is answered by 404.
        requests: what was asked for, and by which token.
        address: the API's.
    """

    issues: dict[int, dict[str, Any]] = field(default_factory=dict)
    pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    address: str = ""

    def add(self, value: dict[str, Any]) -> dict[str, Any]:
        """Open an issue."""
        number = len(self.issues) + 1
        page = f"https://h.example/{number}"
        row = {"number": number, "state": "open", "html_url": page, **value}
        self.issues[number] = row
        return row

    def answer(self, method: str, route: str, value: Any) -> tuple[int, Any]:
        """Return the status and the value of the answer to a request."""
        match method, route.strip("/").split("/"):
            case "GET", ["repos", "o", "r", "issues"]:
                return 200, [row for row in self.issues.values() if row["state"] == "open"]
            case "POST", ["repos", "o", "r", "issues"]:
                return 201, self.add(value)
            case "PATCH", ["repos", "o", "r", "issues", number]:
                self.issues[int(number)].update(value)
                return 200, self.issues[int(number)]
            case "GET", ["repos", "up", "stream", "pulls", number] if int(number) in self.pulls:
                return 200, self.pulls[int(number)]
        return 404, {"message": "Not Found"}


@contextlib.contextmanager
def forge() -> Iterator[Forge]:
    """Serve them."""
    state = Forge()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            value = json.loads(self.rfile.read(length)) if length else None
            token = re.sub("^Bearer ", "", self.headers.get("Authorization", ""))
            state.requests.append((f"{self.command} {self.path}", token))
            status, answer = state.answer(self.command, urlsplit(self.path).path, value)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PATCH = do_GET

    with serving(Handler, threading.Event()) as address:
        state.address = address
        yield state

"""A server on 127.0.0.1 that speaks the API of GitHub Releases, and fails as it is told to.

It keeps what GitHub promises (docs.github.com/rest/releases): drafts are in no public view, an
asset whose upload was cut off stays as `starter`, a name is taken once, an immutable release is
changed by nobody. And it watches: what the public sees at any time, and where the token turns up.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import itertools
import json
import os
import re
import signal
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    Fault = Callable[[int], str]
    """Returns what is to go wrong with the n-th request; "" for nothing."""

FAULTS = (
    *("drop", "drop-in-body", "drop-answer", "cut-answer", "500", "502-done", "503-after", "429"),
    *(
        "429-after",
        "403-primary",
        "403-secondary",
        "drip",
        "cut-head",
        "half",
        "kill",
        "kill-done",
        "kill-body",
    ),
)
"""What can go wrong. `done`: the request had its effect; `half`: the asset is short."""

TOKEN = "ghp_0123456789abcdefTOKENabcdef0123456789"
REPOSITORY = "owner/fork"


@dataclass
class GitHub:
    """The repository's releases, and what was seen of their clients.

    Attributes:
        expected: what the public may see under each tag: the SHA-256 of each asset by name.
        fault: decides what goes wrong.
        immutable: whether published releases are immutable.
        digests: whether assets have a `digest`, which they have since June 2025.
        client: the process to kill.
        wrongs: what must not have happened, in words.
    """

    expected: dict[str, dict[str, str]] = field(default_factory=dict)
    fault: Fault = lambda _: ""
    immutable: bool = False
    digests: bool = True
    client: int = 0
    wrongs: list[str] = field(default_factory=list)
    releases: dict[int, dict[str, Any]] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    address: str = ""
    storage: str = ""
    active: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)
    closing: threading.Event = field(default_factory=threading.Event)
    ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def add(self, tag: str, *, draft: bool, body: str = "", files: Mapping[str, bytes]) -> int:
        """Put a release there, as if somebody had made it."""
        with self.lock:
            number = next(self.ids)
            row = {"id": number, "tag_name": tag, "name": "", "body": body, "draft": draft}
            self.releases[number] = {**row, "immutable": not draft and self.immutable, "assets": []}
            for name, content in files.items():
                self.add_asset(number, name, content)
            return number

    def add_asset(self, release: int, name: str, content: bytes, state: str = "uploaded") -> int:
        """Put an asset into a release."""
        with self.lock:
            number = next(self.ids)
            self.contents[number] = content
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            asset = {"id": number, "name": name, "size": len(content), "state": state}
            known = {"digest": digest if state == "uploaded" else None} if self.digests else {}
            self.releases[release]["assets"].append({**asset, **known})
            return number

    def public(self, tag: str) -> dict[str, Any] | None:
        """Return what everybody sees under a tag."""
        rows = self.releases.values()
        return next((row for row in rows if row["tag_name"] == tag and not row["draft"]), None)

    def watch(self) -> None:
        """Look at what the public sees, as it would at any moment."""
        for tag, wanted in self.expected.items():
            row = self.public(tag)
            if row is None:
                continue
            seen = {
                asset["name"]: hashlib.sha256(self.contents[asset["id"]]).hexdigest()
                for asset in row["assets"]
            }
            whole = all(asset["state"] == "uploaded" for asset in row["assets"])
            if seen != wanted or len(row["assets"]) != len(wanted) or not whole:
                self.wrongs.append(f"{tag} is published as {sorted(seen)}")

    def idle(self) -> None:
        """Wait until no request is being answered."""
        deadline = time.monotonic() + 60
        while self.active and time.monotonic() < deadline:
            time.sleep(0.002)


@contextlib.contextmanager
def github(**settings: Any) -> Iterator[GitHub]:
    """Serve a repository without releases."""
    state = GitHub(**settings)
    with (
        serving(_handler(state, is_storage=True), state.closing) as state.storage,
        serving(_handler(state, is_storage=False), state.closing) as state.address,
    ):
        yield state


class _Cut(Exception):
    """The connection is to be closed."""


def _handler(state: GitHub, *, is_storage: bool) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(_Handler):
        pass

    Handler.state = state
    Handler.is_storage = is_storage
    return Handler


class _Handler(http.server.BaseHTTPRequestHandler):
    state: GitHub
    is_storage: bool

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _serve(self) -> None:
        with self.state.lock:
            self.state.active += 1
            number = len(self.state.requests)
            self.state.requests.append(f"{self.command} {self.path}")
        try:
            self._one(self.state.fault(number))
        except _Cut:
            self.close_connection = True
        finally:
            with self.state.lock:
                self.state.active -= 1

    def _one(self, fault: str) -> None:
        self._watch_token()
        self._before(fault)
        body = self._body(fault)
        with self.state.lock:
            status, value = self._act(body, fault)
            self.state.watch()
        self._after(fault)
        if fault == "502-done":
            status, value = 502, {"message": "Server Error"}
        self._answer(status, value, fault)

    def _watch_token(self) -> None:
        where = [f"{self.command} {self.path}"]
        where += [text for name, text in self.headers.items() if name != "Authorization"]
        if any(TOKEN in text for text in where):
            self.state.wrongs.append(f"the token is in {self.command} {self.path}")
        if self.is_storage and self.headers["Authorization"]:
            self.state.wrongs.append("another server sees the token")

    def _before(self, fault: str) -> None:
        limited = {"message": "You have exceeded a secondary rate limit."}
        match fault:
            case "drop":
                raise _Cut
            case "kill":
                self._kill()
            case "500":
                self._refuse(500, {"message": f"oops, you sent {TOKEN}"})
            case "503-after":
                self._refuse(503, {}, {"Retry-After": "1"})
            case "429":
                self._refuse(429, limited)
            case "429-after":
                self._refuse(429, limited, {"Retry-After": "2"})
            case "403-secondary":
                self._refuse(403, limited)
            case "403-primary":
                reset = str(int(time.time()) + 3)
                self._refuse(403, {}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})

    def _after(self, fault: str) -> None:
        if fault == "kill-done":
            self._kill()
        if fault == "drop-answer":
            raise _Cut

    def _kill(self) -> None:
        if self.state.client:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.state.client, signal.SIGKILL)
        raise _Cut

    def _refuse(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        self._drain()
        self._answer(status, value, "", headers)
        raise _Cut

    def _drain(self) -> None:
        left = int(self.headers["Content-Length"] or 0)
        while left > 0 and (piece := self.rfile.read(min(left, 1 << 16))):
            left -= len(piece)

    def _body(self, fault: str) -> bytes:
        length = int(self.headers["Content-Length"] or 0)
        if fault in ("drop-in-body", "kill-body") and length > 1:
            part = self.rfile.read(length // 2)
            if "uploads" in self.path:
                with self.state.lock:
                    self._upload(part, state="starter")
            if fault == "kill-body":
                self._kill()
            raise _Cut
        body = self.rfile.read(length)
        if len(body) < length:
            raise _Cut  # the client has gone
        return body

    def _act(self, body: bytes, fault: str) -> tuple[int, Any]:
        if self.is_storage:
            return self._stored()
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return 401, {"message": "Bad credentials"}
        path = unquote(urlsplit(self.path).path)
        for method, pattern, act in _ROUTES:
            match = re.fullmatch(pattern, path)
            if match and method == self.command:
                if "uploads" in path:
                    return self._upload(body[: len(body) // 2] if fault == "half" else body)
                return act(self, *match.groups(), **({"body": json.loads(body)} if body else {}))
        return 404, {"message": "Not Found"}

    def _stored(self) -> tuple[int, Any]:
        number = int(self.path.rpartition("/")[2])
        content = self.state.contents.get(number)
        return (404, {}) if content is None else (200, content)

    def _listed(self) -> tuple[int, Any]:
        return 200, [self._shown(row) for row in self.state.releases.values()]

    def _made(self, body: dict[str, Any]) -> tuple[int, Any]:
        number = self.state.add(body["tag_name"], draft=True, body=body["body"], files={})
        return 201, self._shown(self.state.releases[number])

    def _by_tag(self, tag: str) -> tuple[int, Any]:
        row = self.state.public(tag)
        return (404, {"message": "Not Found"}) if row is None else (200, self._shown(row))

    def _one_release(self, number: str) -> tuple[int, Any]:
        row = self.state.releases.get(int(number))
        return (404, {}) if row is None else (200, self._shown(row))

    def _changed(self, number: str, body: dict[str, Any]) -> tuple[int, Any]:
        row = self.state.releases.get(int(number))
        if row is None:
            return 404, {}
        if row["immutable"] or (row["draft"] and self._is_taken(row, body)):
            return 422, {"message": "Validation Failed"}
        row.update(body)
        row["immutable"] = not row["draft"] and self.state.immutable
        return 200, self._shown(row)

    def _is_taken(self, row: dict[str, Any], body: dict[str, Any]) -> bool:
        return body.get("draft") is False and self.state.public(row["tag_name"]) is not None

    def _gone(self, number: str) -> tuple[int, Any]:
        row = self.state.releases.get(int(number))
        if row is None:
            return 404, {}
        if not row["draft"]:
            self.state.wrongs.append("a published release is deleted")
        del self.state.releases[int(number)]
        return 204, None

    def _assets(self, number: str) -> tuple[int, Any]:
        row = self.state.releases.get(int(number))
        if row is None:
            return 404, {}
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        return 200, [dict(asset) for asset in row["assets"][(page - 1) * 3 : page * 3]]

    def _asset(self, number: str) -> tuple[int, Any]:
        known = int(number) in self.state.contents
        return (302, f"{self.state.storage}/{number}") if known else (404, {})

    def _asset_gone(self, number: str) -> tuple[int, Any]:
        for row in self.state.releases.values():
            for asset in row["assets"]:
                if asset["id"] == int(number):
                    if row["immutable"]:
                        return 422, {"message": "immutable"}
                    if not row["draft"]:
                        self.state.wrongs.append("a published asset is deleted")
                    row["assets"].remove(asset)
                    return 204, None
        return 404, {}

    def _immutable(self) -> tuple[int, Any]:
        return 200, {"enabled": self.state.immutable, "enforced_by_owner": False}

    def _upload(self, body: bytes, state: str = "uploaded") -> tuple[int, Any]:
        url = urlsplit(self.path)
        number, name = int(url.path.split("/")[-2]), parse_qs(url.query)["name"][0]
        row = self.state.releases.get(number)
        if row is None:
            return 404, {}
        names = [asset["name"] for asset in row["assets"]]
        if row["immutable"] or name in names:
            errors = [{"resource": "ReleaseAsset", "code": "already_exists", "field": "name"}]
            return 422, {"message": "Validation Failed", "errors": errors}
        self.state.add_asset(number, name, body, state)
        return 201, dict(row["assets"][-1])

    def _shown(self, row: dict[str, Any]) -> dict[str, Any]:
        address = f"{self.state.address}/uploads/{row['id']}/assets{{?name,label}}"
        page = f"{self.state.address}/{REPOSITORY}/releases/tag/{row['tag_name']}"
        return {**row, "assets": row["assets"][:1], "upload_url": address, "html_url": page}

    def _answer(
        self, status: int, value: Any, fault: str, headers: Mapping[str, str] | None = None
    ) -> None:
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        body = b"" if status in (204, 302) else body
        self.send_response(status)
        if fault == "cut-head":
            self.flush_headers()
            raise _Cut
        self.send_header("Content-Length", str(len(body)))
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        if status == 302:
            self.send_header("Location", str(value))
        if isinstance(value, list) and "/assets?" in self.path and len(value) == 3:
            page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0]) + 1
            base = f"{self.state.address}{urlsplit(self.path).path}"
            self.send_header("Link", f'<{base}?per_page=100&page={page}>; rel="next"')
        self.end_headers()
        if fault == "drip":
            for at in range(0, len(body), 64):
                self.wfile.write(body[at : at + 64])
                self.wfile.flush()
        else:
            self.wfile.write(body[: len(body) // 2] if fault == "cut-answer" else body)
        if fault == "cut-answer":
            raise _Cut


_BASE = f"/repos/{REPOSITORY}/releases"
_ROUTES: tuple[tuple[str, str, Callable[..., tuple[int, Any]]], ...] = (
    ("GET", _BASE, _Handler._listed),
    ("POST", _BASE, _Handler._made),
    ("GET", rf"{_BASE}/tags/([^/]+)", _Handler._by_tag),
    ("GET", rf"{_BASE}/assets/(\d+)", _Handler._asset),
    ("DELETE", rf"{_BASE}/assets/(\d+)", _Handler._asset_gone),
    ("GET", rf"{_BASE}/(\d+)/assets", _Handler._assets),
    ("GET", rf"{_BASE}/(\d+)", _Handler._one_release),
    ("PATCH", rf"{_BASE}/(\d+)", _Handler._changed),
    ("DELETE", rf"{_BASE}/(\d+)", _Handler._gone),
    ("GET", f"/repos/{REPOSITORY}/immutable-releases", _Handler._immutable),
    ("POST", r"/uploads/(\d+)/assets", _Handler._upload),
)

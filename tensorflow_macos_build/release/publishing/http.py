"""Requests to an API with a token: bounded, redacted, their failures told apart."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from tensorflow_macos_build import http_session
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.release.publishing.answers import Answer, Passing, is_passing, wait_of
from tensorflow_macos_build.retry import Retry

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from typing import BinaryIO, TypeVar

    from tensorflow_macos_build.release.publishing.secrets import Secret

    Result = TypeVar("Result")

_CONNECT_SECONDS = 20.0
_BODY_LIMIT = 16 << 20
_BODY_SECONDS = 120.0
_CHUNK = 1 << 16


class TooLong(WorkFailed):
    """A file has more bytes than it may have."""


class Refused(WorkFailed):
    """The server refuses a request for good.

    Attributes:
        status: HTTP's status.
    """

    def __init__(self, what: str, *, where: str, status: int, hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.status = status


@dataclass(frozen=True)
class Reply:
    """An answer that was expected: its status, headers by names in lower case, and JSON value."""

    status: int
    headers: Mapping[str, str]
    value: Any


class _Bearer(requests.auth.AuthBase):
    """Puts the token into requests to its own servers; a netrc file has no say then."""

    def __init__(self, secret: Secret, servers: Collection[str]) -> None:
        self._secret = secret
        self._servers = servers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if urlsplit(request.url or "").netloc in self._servers:
            request.headers["Authorization"] = f"Bearer {self._secret.value}"
        return request


@dataclass
class Api:
    """An API on some servers.

    Attributes:
        secret: the token; None: requests go without.
        servers: the hosts, with their ports, that may see the token.
        headers: what every request has.
        idle: seconds of silence after which a request is given up.
        grace: seconds after which an answer that drips is, as in `http_session.session`.
        auth: what signs requests; None: the token goes along as it is.
    """

    secret: Secret | None
    servers: set[str]
    headers: Mapping[str, str] = field(default_factory=dict)
    idle: float = 60.0
    grace: float = Retry.grace
    auth: requests.auth.AuthBase | None = None

    def call(
        self,
        method: str,
        url: str,
        *,
        value: Any = None,
        data: BinaryIO | None = None,
        headers: Mapping[str, str] | None = None,
        expected: Collection[int] = (200,),
        parsed: bool = True,
    ) -> Reply:
        """Make a request, and return its answer; its body as JSON, unless it is not to be parsed.

        Raises:
            Passing: it may work later.
            Refused: it will not; a status that is not `expected`.
        """
        content = json.dumps(value).encode() if value is not None else data
        with self._ask(method, url, data=content, headers=headers) as response:
            answer = self._answer(response)
            body = self._body(response, url)
            self._judge(answer, body, url, expected)
        value = _value(body, url, answer.status) if parsed else None
        return Reply(answer.status, answer.headers, value)

    def stream(
        self, url: str, headers: Mapping[str, str] | None = None, *, limit: int
    ) -> Iterator[bytes]:
        """Yield the bytes of a file, which may be on another server; that does not see the token.

        Raises:
            Passing: it may work later.
            Refused: it will not.
            TooLong: it has more bytes than `limit`.
        """
        size = 0
        with self._ask("GET", url, headers=headers) as response:
            if response.status_code != 200:
                self._judge(self._answer(response), self._body(response, url), url, (200,))
            try:
                for piece in response.iter_content(_CHUNK):
                    size += len(piece)
                    if size > limit:
                        raise TooLong(f"it has more than {limit:,} bytes", where=self._hide(url))
                    yield piece
            except requests.RequestException as error:
                raise self._passing(error, url) from None

    def _ask(
        self, method: str, url: str, *, data: Any = None, headers: Mapping[str, str] | None = None
    ) -> requests.Response:
        auth = self.auth or (_Bearer(self.secret, self.servers) if self.secret else None)
        try:
            return http_session.request(
                method,
                url,
                data=data,
                headers={**self.headers, **(headers or {})},
                auth=auth,
                stream=True,
                timeout=(_CONNECT_SECONDS, self.idle),
                grace=self.grace,
                # An upload that is redirected would be sent on as a GET, or without its bytes.
                allow_redirects=method == "GET",
            )
        except requests.exceptions.InvalidURL as error:
            raise UsageError(self._hide(str(error)), where=self._hide(url)) from None
        except (requests.RequestException, OSError) as error:
            raise self._passing(error, url) from None

    def _passing(self, error: Exception, url: str) -> Passing:
        words = f"the connection failed: {type(error).__name__}: {str(error)[:200]}"
        return Passing(self._hide(words), where=self._hide(url))

    def _answer(self, response: requests.Response) -> Answer:
        headers = {name.lower(): text for name, text in response.headers.items()}
        return Answer(response.status_code, headers)

    def _body(self, response: requests.Response, url: str) -> bytes:
        """Return a small body; one without end, or that comes too slowly, is a passing failure."""
        body, deadline = bytearray(), time.monotonic() + _BODY_SECONDS
        try:
            for piece in response.iter_content(_CHUNK):
                body += piece
                if len(body) > _BODY_LIMIT or time.monotonic() > deadline:
                    raise Passing("the server's answer does not end", where=self._hide(url))
        except (requests.RequestException, OSError) as error:
            raise self._passing(error, url) from None
        return bytes(body)

    def _judge(self, answer: Answer, body: bytes, url: str, expected: Collection[int]) -> None:
        if answer.status in expected:
            return
        message = self._hide(_message(body))
        worded = replace(answer, message=message)
        what = f"the server answers {answer.status}" + (f": {message}" if message else "")
        if is_passing(worded):
            raise Passing(what, where=self._hide(url), wait=wait_of(worded, time.time()))
        raise Refused(
            what, where=self._hide(url), status=answer.status, hint=_HINTS.get(answer.status, "")
        )

    def _hide(self, text: str) -> str:
        return self.secret.redacted(text) if self.secret else text


def patiently(
    ask: Callable[[], Result],
    retry: Retry,
    longest: float,
    wait: Callable[[float], object] = time.sleep,
) -> Result:
    """Return what `ask` does, which is tried again where it may work later.

    Args:
        ask: makes the request.
        retry: how often, and after which pauses.
        longest: the seconds that a server may ask to wait.
        wait: waits so many seconds.

    Raises:
        Passing: it has failed as often as that, or the server asks to wait for longer.
    """
    for pause in retry.pauses():
        try:
            return ask()
        except Passing as error:
            asked = error.wait or 0.0
            if asked > longest:
                raise
            wait(max(pause, asked))
    return ask()


_HINTS = {
    401: "the token is wrong or has expired",
    403: "the token may not do this: it needs to read and write contents",
    404: "there is no such thing, or the token may not see it",
}


def _message(body: bytes) -> str:
    """Return what an answer says for people, in one line."""
    try:
        value = json.loads(body)
        errors = value.get("errors") or []
        codes = [str(error.get("code", "")) for error in errors if isinstance(error, dict)]
        words = " ".join([str(value.get("message", "")), *codes])
    except (ValueError, AttributeError, RecursionError):
        words = body.decode("utf-8", "replace")
    return " ".join(words.split())[:200]


def _value(body: bytes, url: str, status: int) -> Any:
    if not body:
        return None
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        # A body that was cut off, though with the right length of what came.
        raise Passing(f"the answer to a request ({status}) is no JSON", where=url) from None

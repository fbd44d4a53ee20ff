"""AWS Signature Version 4, as every S3-compatible server takes it.

Source: "Authenticating Requests: Using the Authorization Header (AWS Signature Version 4)" of the
Amazon S3 API Reference; its example is this module's test.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import requests

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.release.publishing.secrets import Secret

EMPTY = hashlib.sha256().hexdigest()
_SCHEME = "AWS4-HMAC-SHA256"


@dataclass(frozen=True)
class S3Signer(requests.auth.AuthBase):
    """Signs requests to one server; the secret key itself goes nowhere.

    Attributes:
        key_id: the access key's id, which is no secret.
        secret: the secret access key.
        session: the token of temporary credentials; None for lasting ones.
        region: the region that the server says it is in.
        server: the host, with its port, that requests are signed for.
        now: returns the seconds since 1970.
    """

    key_id: str
    secret: Secret
    session: Secret | None
    region: str
    server: str
    now: Callable[[], float] = field(default=time.time, repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Put the signature into a request; `x-amz-content-sha256` must be there."""
        url = urlsplit(request.url or "")
        if url.netloc == self.server:
            moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self.now()))
            request.headers["x-amz-date"] = moment
            if self.session:
                request.headers["x-amz-security-token"] = self.session.value
            request.headers["Authorization"] = self._authorization(request, moment)
        return request

    def _authorization(self, request: requests.PreparedRequest, moment: str) -> str:
        url = urlsplit(request.url or "")
        headers = {name.lower(): " ".join(str(text).split()) for name, text in _signed(request)}
        headers["host"] = url.netloc
        names = ";".join(sorted(headers))
        query = sorted(parse_qsl(url.query, keep_blank_values=True))
        canonical = "\n".join(
            [
                request.method or "",
                quote(unquote(url.path) or "/", safe="/-_.~"),
                "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in query),
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                names,
                headers["x-amz-content-sha256"],
            ]
        )
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = "\n".join([_SCHEME, moment, scope, digest])
        signature = hmac.new(self._key(moment[:8]), text.encode(), hashlib.sha256).hexdigest()
        return (
            f"{_SCHEME} Credential={self.key_id}/{scope},"
            f"SignedHeaders={names},Signature={signature}"
        )

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret.value}".encode()
        for part in (day, self.region, "s3", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        return key


def _signed(request: requests.PreparedRequest) -> list[tuple[str, str]]:
    """Return the headers that are signed: those that decide something, and no proxy changes."""
    wanted = ("x-amz-", "range", "if-none-match", "content-type")
    items = [(str(name), str(text)) for name, text in request.headers.items()]
    return [(name, text) for name, text in items if name.lower().startswith(wanted)]

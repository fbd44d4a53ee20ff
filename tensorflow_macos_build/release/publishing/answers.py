"""What a server's answer means: go on, try again and when, or give up. Pure.

Source: GitHub's "Rate limits for the REST API" and "Best practices for using the REST API".
"""

from __future__ import annotations

import email.utils
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import WorkFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

_LATER = frozenset({408, 500, 502, 503, 504})
_LIMITED = frozenset({403, 429})
_MINUTE = 60.0


class Passing(WorkFailed):
    """Something failed that may well work later.

    Attributes:
        wait: the seconds that the server asks to wait; None: it does not say.
    """

    def __init__(self, what: str, *, where: str = "", wait: float | None = None) -> None:
        super().__init__(what, where=where)
        self.wait = wait


@dataclass(frozen=True)
class Answer:
    """An answer of a server.

    Attributes:
        status: HTTP's status.
        headers: by names in lower case.
        message: what it says for people, shortened, without secrets.
    """

    status: int
    headers: Mapping[str, str]
    message: str = ""


def is_passing(answer: Answer) -> bool:
    """Whether the same request may work later."""
    return answer.status in _LATER or answer.status == 429 or _is_limited(answer)


def wait_of(answer: Answer, now: float) -> float | None:
    """Return the seconds to wait that an answer asks for; None: it does not say.

    `now` is the time in seconds since 1970.
    """
    stated = _retry_after(answer.headers.get("retry-after", ""), now)
    if stated is not None:
        return stated
    if not _is_limited(answer) and answer.status != 429:
        return None
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = _number(answer.headers.get("x-ratelimit-reset", ""))
        if reset is not None:
            return max(0.0, reset - now) + 1.0  # clocks differ by part of a second
    return _MINUTE  # "Otherwise, wait for at least one minute"


def _is_limited(answer: Answer) -> bool:
    """Whether it is a limit's answer: of 403 most are about permission."""
    return answer.status in _LIMITED and (
        "retry-after" in answer.headers
        or answer.headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in answer.message.lower()
    )


def _retry_after(text: str, now: float) -> float | None:
    """Return the seconds of a Retry-After header: seconds or a date (RFC 9110, 10.2.3)."""
    seconds = _number(text)
    if seconds is not None or not text:
        return seconds
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - now)
    except ValueError:
        return None


def _number(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 12 else None

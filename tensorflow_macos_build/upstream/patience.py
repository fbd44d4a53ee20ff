"""How long to go on with a bad network, and how to speak of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Retry:
    """How patient a conversation is.

    Attributes:
        attempts: how often it is begun at most.
        first_pause: seconds before the second attempt; each later pause is twice as long.
        longest_pause: seconds that no pause exceeds.
        idle: seconds of silence after which an attempt is given up.
        total: seconds after which no further attempt is begun while no object has come.
        preparing: seconds in which a server must begin to send objects.
        words: bytes that a server may send before that: references and messages. (Linux's
            repositories at kernel.org have some 10 MB of references.)
    """

    attempts: int = 5
    first_pause: float = 1.0
    longest_pause: float = 30.0
    idle: float = 30.0
    total: float = 60.0
    preparing: float = 600.0
    words: int = 64 << 20

    def pauses(self) -> Iterator[float]:
        """Return the seconds to wait after each failed attempt but the last."""
        for index in range(self.attempts - 1):
            yield min(self.first_pause * 2**index, self.longest_pause)


def shown(url: str) -> str:
    """Return a URL as it may be shown: without the password that it may hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(r"//.*@", "//***@", url)
    if parts.password is None:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))


def redacted(text: str, url: str) -> str:
    """Return `text`, which may speak of `url`, without the password that the URL may hold."""
    password = urlsplit(url).password
    return text.replace(password, "***") if password else text

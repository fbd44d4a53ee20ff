"""How long to go on with a bad network, and how to speak of an address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit

from tensorflow_macos_build.retry import Retry


@dataclass(frozen=True)
class TransferRetry(Retry):
    """How patient a conversation of git with a server is.

    Attributes:
        total: seconds after which no further attempt is begun while no object has come.
        preparing: seconds in which a server must begin to send objects.
        words: bytes that a server may send before that: references and messages. (Linux's
            repositories at kernel.org have some 10 MB of references.)
    """

    total: float = 60.0
    preparing: float = 600.0
    words: int = 64 << 20


def shown(url: str) -> str:
    """Return a URL as it may be shown: without the password or token that it may hold."""
    try:
        parts = urlsplit(url)
    except ValueError:
        # of what cannot be taken apart, all before the last `@` may be the password
        return re.sub(r"//.*@", "//***@", url)
    host = parts.netloc.rpartition("@")[2]
    if parts.password:
        return urlunsplit(parts._replace(netloc=f"{parts.username}:***@{host}"))
    # hosts take a token in place of a name, https://TOKEN@github.com/…; in ssh's addresses it is a
    # name
    is_token = parts.username and parts.scheme in ("http", "https")
    return urlunsplit(parts._replace(netloc=f"***@{host}")) if is_token else url


def redacted(text: str, url: str) -> str:
    """Return `text`, which may speak of `url`, without the password or token that it may hold."""
    password = urlsplit(url).password
    # a token only within the address: a name may be a word of the text
    return (text.replace(password, "***") if password else text).replace(url, shown(url))

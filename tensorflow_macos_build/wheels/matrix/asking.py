"""Questions to a server, asked again while its network or it itself is busy."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import requests
import urllib3

from tensorflow_macos_build.wheels.wheelhouse.fetch import NotFetched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tensorflow_macos_build.retry import Retry

CONNECT_SECONDS = 20.0

_Answer = TypeVar("_Answer")


def patiently(ask: Callable[[], _Answer], retry: Retry, where: str) -> _Answer:
    """Return what `ask` returns, called again after a pause where that may help.

    Raises:
        NotFetched: it does not help; `where` is the address.
    """
    pauses = retry.pauses()
    while True:
        try:
            return ask()
        except (requests.RequestException, urllib3.exceptions.HTTPError, NotFetched) as error:
            response = getattr(error, "response", None)
            # A request that the server refuses is refused again (RFC 9110, section 15.5).
            lasting = response is not None and response.status_code < 500
            if lasting or (pause := next(pauses, None)) is None:
                hint = "check the address and the network, then run the same command again"
                raise NotFetched(f"nothing came: {error}", where=where, hint=hint) from None
            time.sleep(pause)

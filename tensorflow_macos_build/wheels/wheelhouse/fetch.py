"""Wheels from an index into the cache: by hash, in parallel, resumed where they were cut off.

A wheel lies in `wheels/<sha256>/<name>` of the cache. While it comes it is `<name>.part` beside it,
which the next try, or the next run, goes on with (RFC 9110, section 14, range requests). It gets
its name only when its hash is right.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import requests

from tensorflow_macos_build import files, http_session, locks, temporary
from tensorflow_macos_build.errors import Interrupted, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.retry import Retry
    from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer

_DOWNLOADS_AT_ONCE = 4
_CHUNK = 1 << 18
_CONNECT_SECONDS = 20.0
_LASTING = frozenset(range(400, 500)) - {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_MANY_REQUESTS,
}
"""What a server answers that no second try changes: the request is at fault (RFC 9110, section
15.5), but for two answers that mean "later"."""

_MEGABYTE = 1_000_000


class NotFetched(WorkFailed):
    """A wheel could not be had from the index."""


@dataclass
class _DownloadProgress:
    """Bytes that have come, from all threads, and whether they are to stop."""

    ticker: Ticker
    total: int
    done: int = 0
    stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, size: int, name: str) -> None:
        if self.stop.is_set():
            raise Interrupted("stopped because another wheel could not be had")
        with self._lock:
            self.done += size
            total = self.total // _MEGABYTE or None
            self.ticker(self.done // _MEGABYTE, total, name, unit="MB")


def fetch(offers: Sequence[Offer], cache: Path, retry: Retry, ticker: Ticker) -> dict[Offer, Path]:
    """Put wheels into the cache, or find them there; return their paths.

    Args:
        offers: the wheels.
        cache: the cache's folder.
        retry: how often, and when, a failed request is made again.
        ticker: told megabytes.

    Raises:
        NotFetched: a wheel is not there, is not what the index said, or the network is down.
    """
    progress = _DownloadProgress(ticker, sum(offer.size or 0 for offer in offers))
    with ThreadPoolExecutor(_DOWNLOADS_AT_ONCE) as pool:
        running = {pool.submit(_have, offer, cache, retry, progress): offer for offer in offers}
        try:
            return {running[done]: done.result() for done in as_completed(running)}
        except BaseException:
            # Leaving the pool waits for its threads: without this they would download to the end.
            progress.stop.set()
            pool.shutdown(cancel_futures=True)
            raise


def _have(offer: Offer, cache: Path, retry: Retry, progress: _DownloadProgress) -> Path:
    wheel = cache / "wheels" / offer.sha256 / offer.name
    with locks.held(wheel.parent / "lock"):
        temporary.sweep(wheel.parent)
        # A cache is a folder that anything may have written into: the name alone proves nothing.
        if wheel.is_file() and files.sha256(wheel) == offer.sha256:
            progress.add(wheel.stat().st_size, offer.name)
        elif offer.url.startswith("file:"):
            _copy(offer, wheel)
            progress.add(wheel.stat().st_size, offer.name)
        else:
            _download(offer, wheel, retry, progress)
    return wheel


def _copy(offer: Offer, wheel: Path) -> None:
    with files.atomic_path(wheel) as unfinished:
        try:
            shutil.copyfile(unquote(urlsplit(offer.url).path), unfinished)
        except OSError as error:
            raise NotFetched(f"it cannot be read: {error.strerror}", where=offer.url) from None
        _refuse_wrong(offer, unfinished)


def _download(offer: Offer, wheel: Path, retry: Retry, progress: _DownloadProgress) -> None:
    part = wheel.with_name(f"{wheel.name}.part")
    pauses = retry.pauses()
    while True:
        try:
            _continue(offer, part, retry, progress)
            _refuse_wrong(offer, part)
        except (requests.RequestException, NotFetched) as error:
            pause = None if _is_lasting(error) else next(pauses, None)
            if pause is None:
                raise _not_fetched(offer, error) from None
            progress.stop.wait(pause)
        else:
            with files.atomic_path(wheel) as unfinished:
                part.rename(unfinished)
            return


def _continue(offer: Offer, part: Path, retry: Retry, progress: _DownloadProgress) -> None:
    """Append what is missing to a part; begin anew where the server cannot go on in the middle."""
    have = part.stat().st_size if part.exists() else 0
    if offer.size is not None and have >= offer.size:
        return  # a kill came between the last byte and the name
    # A range counts the bytes of what is sent, compressed or not (RFC 9110, section 14.1.2).
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with http_session.request(
        "GET",
        offer.url,
        headers=headers,
        stream=True,
        timeout=(_CONNECT_SECONDS, retry.idle),
        grace=retry.grace,
    ) as response:
        if response.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink()
            raise NotFetched("the part that had come is longer than the wheel", where=offer.url)
        response.raise_for_status()
        # A server may leave a Range header out of account, and answers 200 with all of it.
        goes_on = response.status_code == HTTPStatus.PARTIAL_CONTENT
        progress.add(have if goes_on else 0, offer.name)
        with part.open("ab" if goes_on else "wb") as stream:
            for chunk in response.iter_content(_CHUNK):
                stream.write(chunk)
                progress.add(len(chunk), offer.name)


def _refuse_wrong(offer: Offer, path: Path) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    if digest.hexdigest() != offer.sha256:
        # Left there, it would be what the next try goes on from, and never come right.
        path.unlink()
        raise NotFetched(
            f"its SHA-256 is {digest.hexdigest()}, and the index says {offer.sha256}",
            where=offer.url,
            hint="try again; if it stays so, the index or what lies between is broken",
        )


def _is_lasting(error: Exception) -> bool:
    response = getattr(error, "response", None)
    return response is not None and response.status_code in _LASTING


def _not_fetched(offer: Offer, error: Exception) -> NotFetched:
    if isinstance(error, NotFetched):
        return error
    return NotFetched(
        f"the wheel could not be fetched: {error}",
        where=offer.url,
        hint="check the network, then run the same command again: what has come is kept",
    )

"""One conversation of git with a server: progress as ticks, patience with a bad network, an end.

git ends with status 128 whether the network broke, the server was busy or nobody lives at that
address, and its prose is for people. So a failure is tried again, a bounded number of times and
each time after a longer pause; a web server is first asked for its status code, since one that
says "not found" will say so again.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import requests
import urllib3

from tensorflow_macos_build import http_session, process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.upstream.patience import TransferRetry, redacted, shown
from tensorflow_macos_build.upstream.progress import RemoteProgress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker

_LASTING = frozenset(
    {
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.FORBIDDEN,
        HTTPStatus.NOT_FOUND,
        HTTPStatus.GONE,
    }
)
"""What a web server answers that no second try changes; GitHub's 401 means "no such repository"."""

_PROBE_SECONDS = 10.0
"""How long a web server is waited for that is only asked why git failed."""

_BLOCK = 1 << 16

_ADVERTISEMENT = "application/x-git-upload-pack-advertisement"

_TRACE = {"GIT_TRACE2_EVENT": "1", "GIT_TRACE2_EVENT_BRIEF": "1", "GIT_TRACE_PACKET": "1"}
"""Makes git write its events to standard error, a JSON object a line (api-trace2), and what it says
to the server and hears from it, but for the objects (git(1), GIT_TRACE_PACKET)."""

_PACKET = re.compile(r"[0-9:.]* *[\w./-]*:?[0-9]* *packet: ")

_DEEPEST = 2
"""How many fetches may be nested: git's own, for what it finds missing, within ours."""

_ECHO = 4
"""How many times as long a line of ours is in git's account of what it sends, at most."""

_LINES_KEPT = 40
"""How many of the lines that are no progress are kept for an error's text."""

_LINE_END = re.compile(rb"[\r\n]+")


class _Endless(Exception):
    """git fetches what is missing to find out what is missing, and so on."""


class _TooMuch(Exception):
    """A server goes on and on without sending an object."""


class Unreachable(WorkFailed):
    """A repository's server could not be reached, or did not give what was asked for."""


def run_with_retry(
    argv: Sequence[str | Path],
    *,
    url: str,
    ticker: Ticker,
    retry: TransferRetry,
    env: Mapping[str, str | None],
    stdin: bytes = b"",
) -> process.Completed:
    """Run a git command that talks to the server at `url`, again and again within `retry`.

    The command must be one that can be begun anew after it failed.

    Raises:
        Unreachable: the last attempt failed too, or the server says that there is nothing there.
        UsageError: the server's repository is shallow or has holes.
    """
    pauses, last = retry.pauses(), time.monotonic() + retry.total
    if not stdin:  # else its references are known, and only contents are asked for
        _refuse_endless_references(url, retry)
    while True:
        # the trace repeats what we send: those words are not the server's
        progress = _TransferProgress(ticker, retry, retry.words + _ECHO * len(stdin))
        try:
            return process.watch(
                argv, progress.feed, env={**env, **_TRACE}, stdin=stdin, idle=retry.idle
            )
        except _TooMuch:
            raise _endless(url) from None
        except _Endless:
            raise UsageError(
                "the server's repository is shallow, or objects are missing in it",
                where=shown(url),
                hint="give the address of a complete repository",
            ) from None
        except process.ProgramFailed as failure:
            answer = _lasting_answer(url, retry)
            pause = None if answer else next(pauses, None)
            # a transfer that came as far as objects is worth another try, however long it took
            if pause is None or (time.monotonic() > last and not progress.receiving):
                raise _unreachable(url, answer, retry, failure, progress.message) from failure
            ticker(0, None, f"the network failed; the next try is in {pause:g} s")
            time.sleep(pause)


class _TransferProgress(RemoteProgress):
    """git's progress lines as ticks, and the lines that are not progress."""

    _STAGES = (
        (RemoteProgress.COUNTING, "counting objects"),
        (RemoteProgress.COMPRESSING, "compressing objects"),
        (RemoteProgress.RECEIVING, "receiving objects"),
        (RemoteProgress.RESOLVING, "resolving deltas"),
    )

    def __init__(self, ticker: Ticker, retry: TransferRetry, words: int) -> None:
        super().__init__()
        self._ticker = ticker
        self._line = self.new_message_handler()  # sorts lines into progress and others
        self._rest = b""
        self._words_left = words
        self._deadline = time.monotonic() + retry.preparing
        self.receiving = False

    def feed(self, piece: bytes) -> None:
        self._words_left -= len(piece)
        # a server that sends a little now and then is never silent, so `idle` does not end it
        late = time.monotonic() > self._deadline and not self.receiving
        if self._words_left < 0 or late:
            raise _TooMuch
        # git ends a line of progress in CR, for the next one to take its place (progress.c)
        *lines, self._rest = _LINE_END.split(self._rest + piece)
        for line in lines:
            text = line.decode("utf-8", "replace")
            # trace2 writes this field first (tr2_tgt_event.c), and a server's lines come behind
            # `remote: `
            if text.startswith('{"event":'):
                self._refuse_endless(text)
            elif not _PACKET.match(text):
                self._line(text)
        del self.other_lines[:-_LINES_KEPT], self.error_lines[:-_LINES_KEPT]

    def _refuse_endless(self, event: str) -> None:
        """End a fetch that started a fetch that started a fetch.

        git up to 2.43 has no other way to be kept from it (GIT_NO_LAZY_FETCH came with 2.44), and
        a shallow server sets it off.
        """
        hierarchy = json.loads(event).get("hierarchy", "")
        if hierarchy.split("/").count("fetch") > _DEEPEST:
            raise _Endless

    @property
    def message(self) -> str:
        rest = self._rest.decode("utf-8", "replace")
        return "\n".join(
            line for line in [*self.other_lines, *self.error_lines, rest] if line.strip()
        )

    def update(
        self,
        op_code: int,
        cur_count: str | float,
        max_count: str | float | None = None,
        message: str = "",
    ) -> None:
        self.receiving = self.receiving or bool(op_code & self.RECEIVING)
        stage = next((name for code, name in self._STAGES if op_code & code), "")
        total = int(max_count) if max_count else None
        self._ticker(int(cur_count or 0), total, f"{stage} {message}".strip())


def page_instead_of_repository(url: str) -> str | None:
    """Return what a web server sends in place of a repository's references: `text/html`.

    None: it speaks git's protocol, whose answer has a type of its own (gitprotocol-http(5), "Smart
    Clients"), or cannot be asked. git takes any other page for a repository without branches.
    """
    with _ask(url, _PROBE_SECONDS) as answer:
        if answer is None:
            return None
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        return None if kind == _ADVERTISEMENT else kind or "a page of no type"


def _lasting_answer(url: str, retry: TransferRetry) -> HTTPStatus | None:
    """Return a web server's answer to a request for references, where it will not change."""
    with _ask(url, retry.grace) as answer:
        status = answer.status_code if answer is not None else None
        return next((code for code in _LASTING if code == status), None)


@contextlib.contextmanager
def _ask(url: str, grace: float) -> Iterator[requests.Response | None]:
    """Yield a web server's answer to a request for references; None where there is none."""
    answer = None
    if urlsplit(url).scheme in ("http", "https"):
        with contextlib.suppress(requests.RequestException):
            answer = http_session.request(
                "GET",
                f"{url}/info/refs",
                params={"service": "git-upload-pack"},
                # as git asks: a server that knows version 2 answers without the references
                headers={"Git-Protocol": "version=2"},
                timeout=_PROBE_SECONDS,
                grace=grace,
                # the body is not read here: it may have no end
                stream=True,
            )
    try:
        yield answer
    finally:
        if answer is not None:
            answer.close()


def _refuse_endless_references(url: str, retry: TransferRetry) -> None:
    """Read what a web server sends first, which git would read whole before it looked at it.

    Raises:
        Unreachable: it has no end within the bounds of `retry`.
    """
    deadline = time.monotonic() + retry.idle
    left = retry.words
    # where the network fails here it fails git, too, and that is what is tried again
    with (
        _ask(url, retry.grace) as answer,
        contextlib.suppress(OSError, urllib3.exceptions.HTTPError),
    ):
        # read1 returns what is there; read would wait for a whole block from a server that trickles
        while answer is not None and (piece := answer.raw.read1(_BLOCK)):
            left -= len(piece)
            if left < 0 or time.monotonic() > deadline:
                raise _endless(url)


def _endless(url: str) -> Unreachable:
    return Unreachable(
        "the server sends references or messages without end, and no objects",
        where=shown(url),
        hint="check the address; the path of a local clone works in place of it",
    )


def _unreachable(
    url: str,
    answer: HTTPStatus | None,
    retry: TransferRetry,
    failure: process.ProgramFailed,
    message: str,
) -> Unreachable:
    if answer is not None:
        return Unreachable(
            f"the server answered {answer.value} ({answer.phrase}): no repository to read there",
            where=shown(url),
            hint="check the address; a private repository needs credentials that git can find",
        )
    return Unreachable(
        f"the repository could not be read: {retry.attempts} tries failed, "
        f"the last with git's status {failure.completed.status}",
        where=shown(url),
        detail=redacted(message, url),
        hint="check the network and the address, then run the same command again; "
        "the path of a local clone works in place of the address",
    )

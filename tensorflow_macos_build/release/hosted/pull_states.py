"""Whether the pull requests that queues take are open, merged or closed, by GitHub's API.

References do not say it (docs/picks.md): a request that was merged as a squash has its head in no
branch, and a closed one looks like one in conflict.

Source: https://docs.github.com/rest/pulls/pulls#get-a-pull-request (version 2022-11-28).
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.release.hosted.actions import Repository

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tensorflow_macos_build.release.hosted.queue_reports import QueueReport
    from tensorflow_macos_build.release.publishing.http import Api


class PullState(Enum):
    """What a pull request is."""

    OPEN = "open"
    MERGED = "merged"
    CLOSED = "closed without a merge"


PullKey = tuple[str, str]
"""The address of a repository, and a request's number there."""


def ask(
    api: Api, address: str, server: str, reports: Iterable[QueueReport]
) -> dict[PullKey, PullState]:
    """Return the states of the pull requests that reports name, as far as the server says them.

    Args:
        api: the API.
        address: its address, without a slash at the end.
        server: the server's address, as people use it: `https://github.com`.
        reports: the queues' reports.
    """
    states = {}
    for key in dict.fromkeys(key for report in reports for key in keys(report).values()):
        name = _name(key[0], server)
        state = _state(Repository(api, address, name), key[1]) if name else None
        if state is not None:
            states[key] = state
    return states


def keys(report: QueueReport) -> Mapping[str, PullKey]:
    """Return where the pull requests of a report are, by the names of the picks."""
    upstream = report.status["upstream"] if report.status else ""
    return {row["name"]: (row["url"] or upstream, row["pull"]) for row in report.pulls}


def _name(address: str, server: str) -> str:
    """Return a repository's OWNER/NAME; "" where it is on another server."""
    parts = urlsplit(address)
    name = parts.path.strip("/").removesuffix(".git")
    is_there = parts.scheme == "https" and parts.hostname == urlsplit(server).hostname
    return name if is_there and name.count("/") == 1 else ""


def _state(repository: Repository, number: str) -> PullState | None:
    try:
        row = repository.get(f"pulls/{number}")
        if row["merged"]:
            return PullState.MERGED
        return PullState.OPEN if row["state"] == "open" else PullState.CLOSED
    except (WorkFailed, KeyError, TypeError):
        return None  # what its references say is known all the same

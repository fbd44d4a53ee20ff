"""From a night's reports about the patch queues to what the issues about them are to say."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tensorflow_macos_build.release.hosted import issue, pull_states, queue_reports
from tensorflow_macos_build.release.publishing import github, secrets

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.release.hosted.issue import ForecastIssue


def issues(folder: Path, address: str, server: str) -> tuple[ForecastIssue, ...]:
    """Return what the issue about each queue is to say; GitHub is only asked.

    Args:
        folder: the reports, as `queue_reports.read` takes them.
        address: GitHub's API, as `destinations.checked_address` returns it.
        server: GitHub's pages, as `https://github.com`.

    Raises:
        UsageError: there is no report, or one is something else.
    """
    reports = queue_reports.read(folder)
    # Without a token, public repositories can be asked all the same.
    api = github.api(address, secrets.find(github.TOKENS, urlsplit(address).netloc))
    states = pull_states.ask(api, address, server, reports.values())
    return tuple(issue.compose(queue, report, states) for queue, report in reports.items())

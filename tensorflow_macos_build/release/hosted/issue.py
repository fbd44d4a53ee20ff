"""One issue a patch queue that says how it stands against upstream; opened, updated, closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.release.hosted import pull_states
from tensorflow_macos_build.release.hosted.pull_states import PullState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.release.hosted.actions import Repository
    from tensorflow_macos_build.release.hosted.pull_states import PullKey
    from tensorflow_macos_build.release.hosted.queue_reports import QueueReport

_MARK = "<!-- tensorflow-macos-build forecast {} -->"
_MARKED = re.compile(re.escape(_MARK).replace(r"\{\}", r"(\S+)"))

_BODY_LIMIT = 60_000
"""Of an issue's 65,536 letters."""

_MARKS = re.compile(r"[`|\s]+")
"""What would end a piece of code, or a cell of a table."""

_TO_LOOK_AT = ("moved", "vanished", "unpinned")
"""What a pick can be on its server that only a person can settle."""


class IssueChange(Enum):
    """What became of an issue."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class ForecastIssue:
    """What an issue says.

    Attributes:
        queue: the name of the queue that it is about.
        body: its text, as Markdown.
        needs_somebody: whether there is something to do.
    """

    queue: str
    body: str
    needs_somebody: bool

    @property
    def title(self) -> str:
        """Its title."""
        return f"How the patch queue {self.queue} stands against upstream"


@dataclass(frozen=True)
class PublishedIssue:
    """What was done with the issue about a queue.

    Attributes:
        queue: the queue's name.
        change: what was done.
        address: the issue's page; "" where there is none.
    """

    queue: str
    change: IssueChange
    address: str


def compose(queue: str, report: QueueReport, states: Mapping[PullKey, PullState]) -> ForecastIssue:
    """Return what the issue about a queue is to say.

    Args:
        queue: its name.
        report: what is known of it.
        states: pull requests whose state is known.
    """
    forecast, is_broken = _forecast(report.forecast)
    picks, are_stale = _picks(queue, report, states)
    body = "\n".join([_MARK.format(queue), "", *forecast, *picks])
    if len(body) > _BODY_LIMIT:
        body = body[:_BODY_LIMIT].rpartition("\n")[0] + "\n\nThe rest is in the run's artifact."
    return ForecastIssue(queue, f"{body}\n", is_broken or are_stale)


def _forecast(forecast: Json | None) -> tuple[list[str], bool]:
    if forecast is None:
        return ["The forecast could not be made; the run's log says why."], True
    lines = ["| upstream | moves by itself | due to go |", "| --- | --- | --- |"]
    for revision in forecast["revisions"]:
        due = ", ".join(map(_code, revision["due"])) or "-"
        lines.append(f"| {_code(revision['ref'])} | {'yes' if revision['ok'] else 'no'} | {due} |")
    lines += ["", *_breaks(forecast)]
    revisions = forecast["revisions"]
    return lines, any(not revision["ok"] or revision["due"] for revision in revisions)


def _breaks(forecast: Json) -> Iterator[str]:
    """Yield a line for each patch that conflicts somewhere: where first, and by which commit."""
    for patch in forecast["patches"]:
        pairs = zip(forecast["revisions"], patch["fates"], strict=True)
        broken = [(revision, fate["breaking"]) for revision, fate in pairs if fate["breaking"]]
        if broken:
            revision, breaking = broken[0]
            commit = breaking["commit"]
            culprit = f"{_code(commit['commit'][:12])} {_code(commit['subject'])}"
            yield f"- {_code(patch['name'])}: from {_code(revision['ref'])} on, {culprit}"


def _picks(
    queue: str, report: QueueReport, states: Mapping[PullKey, PullState]
) -> tuple[list[str], bool]:
    """Return lines about the pull requests that a queue takes, and whether one is to be settled."""
    if report.status is None:
        return ["", "Its picks could not be looked at; the run's log says why."], True
    keys = pull_states.keys(report)
    known = [(row, states.get(keys[row["name"]])) for row in report.pulls]
    lines = [f"- {_code(row['name'])}: {_pick(queue, row, state)}" for row, state in known]
    is_stale = any(row["state"] in _TO_LOOK_AT or state is PullState.CLOSED for row, state in known)
    return ["", *lines] if lines else [], is_stale


def _pick(queue: str, row: Json, state: PullState | None) -> str:
    words = [state.value] if state else []
    match row["state"]:
        case "moved":
            how = "was forced" if row["forced"] else "moved"
            pin = f"scripts/inv patches.pin --queue {queue} --pick {row['name']}"
            words.append(f"its head {how} to {_code(row['head'][:12])}; to follow: {_code(pin)}")
        case "vanished":
            words.append("its server has no such request")
        case "unpinned":
            words.append(f"not pinned: {_code(f'scripts/inv patches.pin --queue {queue}')}")
        case "unknown":
            words.append("its server could not be asked")
        case _:
            words.append("its head is as pinned")
    if row["landed_in"]:
        words.append(f"landed in {', '.join(map(_code, row['landed_in']))}")
    return "; ".join(words)


def _code(text: str) -> str:
    """Return foreign text as code: it mentions nobody and makes no link."""
    return f"`{_MARKS.sub(' ', text)}`"


def publish(repository: Repository, issues: Sequence[ForecastIssue]) -> tuple[PublishedIssue, ...]:
    """Open, update or close the issue about each queue; close those about queues that are gone."""
    query = "issues?state=open&per_page=100&creator=github-actions%5Bbot%5D"
    rows: list[dict[str, Any]] = sorted(repository.get(query), key=lambda row: -int(row["number"]))
    marked = [(_MARKED.match(str(row.get("body") or "")), row) for row in rows]
    own = {mark[1]: row for mark, row in marked if mark}  # the oldest, where there are two
    gone = [
        ForecastIssue(queue, f"{_MARK.format(queue)}\n\nThere is no such queue any more.\n", False)
        for queue in sorted(set(own) - {issue.queue for issue in issues})
    ]
    return tuple(_settle(repository, issue, own.get(issue.queue)) for issue in (*issues, *gone))


def _settle(
    repository: Repository, issue: ForecastIssue, row: dict[str, Any] | None
) -> PublishedIssue:
    if row is None:
        if not issue.needs_somebody:
            return PublishedIssue(issue.queue, IssueChange.UNCHANGED, "")
        value = {"title": issue.title, "body": issue.body}
        made = repository.send("POST", "issues", value, 201)
        return PublishedIssue(issue.queue, IssueChange.OPENED, str(made["html_url"]))
    address = str(row["html_url"])
    if issue.needs_somebody and row["body"].replace("\r\n", "\n") == issue.body:
        return PublishedIssue(issue.queue, IssueChange.UNCHANGED, address)
    change = {"body": issue.body} | ({} if issue.needs_somebody else {"state": "closed"})
    repository.send("PATCH", f"issues/{row['number']}", change, 200)
    done = IssueChange.UPDATED if issue.needs_somebody else IssueChange.CLOSED
    return PublishedIssue(issue.queue, done, address)

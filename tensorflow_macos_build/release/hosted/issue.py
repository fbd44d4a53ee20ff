"""One issue that says how the patch queues stand against upstream; opened, updated, closed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.release.hosted.actions import Repository

MARK = "<!-- tensorflow-macos-build forecast -->"
TITLE = "How the patch queues stand against upstream"

_LIMIT = 16 << 20
_BODY_LIMIT = 60_000
"""Of an issue's 65,536 letters."""

_MARKS = re.compile(r"[`|\s]+")
"""What would end a piece of code, or a cell of a table."""


class IssueChange(Enum):
    """What became of the issue."""

    OPENED = "opened"
    UPDATED = "updated"
    CLOSED = "closed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class ForecastIssue:
    """What the issue says.

    Attributes:
        body: its text, as Markdown.
        needs_somebody: whether there is something to do.
    """

    body: str
    needs_somebody: bool


def read(folder: Path) -> dict[str, Json | None]:
    """Read forecasts, `QUEUE.json` each; None: that queue's could not be made.

    Raises:
        UsageError: there is none, or one is no forecast.
    """
    paths = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not paths:
        raise UsageError("there is no forecast", where=str(folder))
    return {path.stem: _forecast(path) for path in paths}


def _forecast(path: Path) -> Json | None:
    content = files.read_small(path, _LIMIT)
    if not content.strip():
        return None
    try:
        return documents.read(content, "forecast", 1)
    except documents.NotTheDocument:
        pass
    try:
        documents.read(content, "error", 1)
    except documents.NotTheDocument as error:
        raise UsageError(f"it is no forecast: {error.what}", where=str(path)) from None
    return None


def compose(forecasts: Mapping[str, Json | None]) -> ForecastIssue:
    """Return what the issue is to say of forecasts, by queue."""
    sections, broken = [], False
    for queue, forecast in forecasts.items():
        lines, is_broken = _section(forecast)
        broken = broken or is_broken
        sections.append("\n".join([f"## {_code(queue)}", "", *lines]))
    body = "\n\n".join([MARK, *sections])
    if len(body) > _BODY_LIMIT:
        body = body[:_BODY_LIMIT].rpartition("\n")[0] + "\n\nThe rest is in the run's artifact."
    return ForecastIssue(f"{body}\n", broken)


def _section(forecast: Json | None) -> tuple[list[str], bool]:
    if forecast is None:
        return ["It could not be made; the run's log says why."], True
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


def _code(text: str) -> str:
    """Return foreign text as code: it mentions nobody and makes no link."""
    return f"`{_MARKS.sub(' ', text)}`"


def publish(repository: Repository, issue: ForecastIssue) -> tuple[IssueChange, str]:
    """Open, update or close the issue; return what was done, and its address."""
    query = "issues?state=open&per_page=100&creator=github-actions%5Bbot%5D"
    rows: list[dict[str, Any]] = repository.get(query)
    own = [row for row in rows if str(row.get("body") or "").startswith(MARK)]
    if not own:
        if not issue.needs_somebody:
            return IssueChange.UNCHANGED, ""
        made = repository.send("POST", "issues", {"title": TITLE, "body": issue.body}, 201)
        return IssueChange.OPENED, str(made["html_url"])
    row = min(own, key=lambda each: int(each["number"]))
    address = str(row["html_url"])
    if not issue.needs_somebody:
        change = {"body": issue.body, "state": "closed"}
    elif row["body"].replace("\r\n", "\n") == issue.body:
        return IssueChange.UNCHANGED, address
    else:
        change = {"body": issue.body}
    repository.send("PATCH", f"issues/{row['number']}", change, 200)
    return (IssueChange.UPDATED if issue.needs_somebody else IssueChange.CLOSED), address

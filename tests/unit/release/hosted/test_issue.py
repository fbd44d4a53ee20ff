"""One issue about each queue: opened when somebody is needed, updated, closed again."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.hosted import issue, queue_reports
from tensorflow_macos_build.release.hosted.actions import Repository
from tensorflow_macos_build.release.hosted.issue import ForecastIssue
from tensorflow_macos_build.release.hosted.pull_states import PullState
from tensorflow_macos_build.release.hosted.queue_reports import QueueReport
from tensorflow_macos_build.release.publishing import github
from tensorflow_macos_build.views import forecast, upstream
from tests import command_line
from tests.github_issues import REPOSITORY, UPSTREAM, Forge, forge
from tests.view_samples.queues import FORECAST, WATCHING

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "ghp_" + "s" * 36
SERVER = "https://forge.example"
OPEN = {"state": "open", "merged": False}
CLOSED = {"state": "closed", "merged": False}
MERGED = {"state": "closed", "merged": True}


@pytest.fixture
def server() -> Iterator[Forge]:
    with forge() as state:
        yield state


def fine_forecast() -> documents.Json:
    document = forecast.as_document(FORECAST)
    document["patches"] = []
    document["revisions"] = [row | {"ok": True, "due": []} for row in document["revisions"]]
    return document


def status_of(*picks: dict[str, Any]) -> documents.Json:
    """Return a document whose picks are pull requests, like one that is as it was pinned."""
    document = upstream.as_document(WATCHING)
    (same,) = [row for row in document["picks"] if row["state"] == "same"]
    plain = same | {"added": [], "gone": [], "landed_in": [], "url": ""}
    document["upstream"] = f"{SERVER}/{UPSTREAM}.git"
    document["picks"] = [plain | {"name": f"pull-{row['pull']}"} | row for row in picks]
    return document


def write(folder: Path, *picks: dict[str, Any], queue: str = "tf-2.21") -> None:
    """Write reports of a queue that moves by itself, as a night does."""
    (folder / queue).mkdir(parents=True, exist_ok=True)
    files = {queue_reports.FORECAST: fine_forecast(), queue_reports.STATUS: status_of(*picks)}
    for name, document in files.items():
        (folder / queue / name).write_text(documents.dumps(document))


def report(folder: Path, server: Forge, *flags: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "GH_TOKEN": TOKEN,
        "GITHUB_API_URL": server.address,
        "GITHUB_SERVER_URL": SERVER,
        "GITHUB_REPOSITORY": REPOSITORY,
    }
    done = command_line.run("ci.report", folder, *flags, env=env)
    assert TOKEN not in done.stdout + done.stderr
    return done


def test_each_queue_has_an_issue_that_is_opened_once_kept_current_and_closed(
    server: Forge,
) -> None:
    server.add({"body": "mine"})
    reached = Repository(github.api(server.address, None), server.address, REPOSITORY)
    broken = issue.compose("demo", QueueReport(None, None), {})
    fine = ForecastIssue("demo", broken.body.replace("log", "book"), needs_somebody=False)
    more = ForecastIssue("demo", f"{broken.body}more\n", needs_somebody=True)
    other = issue.compose("tf-2.21", QueueReport(None, None), {})
    rounds = [
        [fine], [broken], [broken, other], [more, other], [fine, other], [fine, other], [broken],
    ]  # fmt: skip
    made = [
        {each.queue: each.change.value for each in issue.publish(reached, issues)}
        for issues in rounds
    ]
    assert made == [
        {"demo": "unchanged"},
        {"demo": "opened"},
        {"demo": "unchanged", "tf-2.21": "opened"},
        {"demo": "updated", "tf-2.21": "unchanged"},
        {"demo": "closed", "tf-2.21": "unchanged"},
        {"demo": "unchanged", "tf-2.21": "unchanged"},
        {"demo": "opened", "tf-2.21": "closed"},  # there is no such queue any more
    ]
    assert server.issues[1]["body"] == "mine"
    assert "tf-2.21" in server.issues[3]["title"]


def test_an_issue_says_what_became_of_the_pull_requests(server: Forge, tmp_path: Path) -> None:
    server.pulls = {7: OPEN, 8: MERGED, 9: CLOSED, 10: OPEN}
    write(
        tmp_path,
        {"pull": "7"},
        {"pull": "8", "landed_in": ["r2.22"]},
        {"pull": "9"},
        {"pull": "10", "state": "moved", "head": "e" * 40},
        {"pull": "11", "state": "vanished", "head": ""},
        {"pull": "12", "url": "https://elsewhere.example/a/b"},
        {"pull": "", "state": "commit", "name": "commit-0123456789ab"},
    )
    done = report(tmp_path, server)
    assert done.returncode == 0, done.stderr
    assert "tf-2.21: the issue is opened https://h.example/1" in done.stdout
    picks = [row for row in server.issues[1]["body"].splitlines() if row.startswith("- `pull-")]
    follow = "scripts/inv patches.pin --queue tf-2.21 --pick pull-10"
    assert picks == [
        "- `pull-7`: open; its head is as pinned",
        "- `pull-8`: merged; its head is as pinned; landed in `r2.22`",
        "- `pull-9`: closed without a merge; its head is as pinned",
        f"- `pull-10`: open; its head moved to `{'e' * 12}`; to follow: `{follow}`",
        "- `pull-11`: its server has no such request",
        "- `pull-12`: its head is as pinned",
    ]
    asked = [request for request, _ in server.requests if "/pulls/" in request]
    assert asked == [f"GET /repos/{UPSTREAM}/pulls/{number}" for number in (7, 8, 9, 10, 11)]
    assert "the issue is unchanged" in report(tmp_path, server).stdout


@pytest.mark.parametrize(
    ("pick", "state", "is_needed"),
    [
        ({}, PullState.OPEN, False),
        ({}, PullState.MERGED, False),
        ({"landed_in": ["main"]}, None, False),
        ({"state": "unknown", "head": ""}, None, False),
        ({}, PullState.CLOSED, True),
        ({"state": "moved"}, PullState.OPEN, True),
        ({"state": "vanished", "head": ""}, None, True),
        ({"state": "unpinned"}, PullState.OPEN, True),
    ],
)
def test_somebody_is_needed_where_a_request_moved_or_ended_without_a_merge(
    pick: dict[str, Any], state: PullState | None, is_needed: bool
) -> None:
    known = {(f"{SERVER}/{UPSTREAM}.git", "7"): state} if state else {}
    made = issue.compose("q", QueueReport(fine_forecast(), status_of({"pull": "7"} | pick)), known)
    assert made.needs_somebody is is_needed


def test_a_plan_changes_nothing_and_shows_what_the_issue_would_say(
    server: Forge, tmp_path: Path
) -> None:
    server.pulls = {7: MERGED}
    write(tmp_path, {"pull": "7"})
    done = report(tmp_path, server, "--plan")
    assert "- `pull-7`: merged" in done.stdout
    assert {request.split()[0] for request, _ in server.requests} == {"GET"}


def test_foreign_text_is_code_and_ends_neither_it_nor_its_line() -> None:
    document = forecast.as_document(FORECAST)
    document["patches"][0]["name"] = "0001-`@everyone` | <img src=x>\n# x.patch"
    document["revisions"][0] |= {"ok": False, "due": ["0002-`@x`.patch"]}
    status = status_of({"pull": "7", "landed_in": ["`@x`\n# y"]})
    composed = issue.compose("demo", QueueReport(document, status), {})
    assert composed.needs_somebody
    for line in composed.body.splitlines():
        outside = "".join(line.split("`")[::2])
        assert "@" not in outside
        assert not outside.startswith("# ")


def test_what_could_not_be_found_out_is_said_and_what_is_no_report_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(UsageError, match="no queue's folder"):
        queue_reports.read(tmp_path)
    write(tmp_path, {"pull": "7"})
    (tmp_path / "tf-2.21" / queue_reports.STATUS).write_text("")
    reports = queue_reports.read(tmp_path)
    made = issue.compose("tf-2.21", reports["tf-2.21"], {})
    assert made.needs_somebody
    assert "Its picks could not be looked at" in made.body
    text = json.dumps({"schema": {"name": "x", "version": 1}})
    (tmp_path / "tf-2.21" / queue_reports.STATUS).write_text(text)
    with pytest.raises(UsageError, match="it is no upstream-status"):
        queue_reports.read(tmp_path)

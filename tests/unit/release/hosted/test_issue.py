"""One issue about all queues: opened when somebody is needed, updated, closed again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.hosted import issue
from tensorflow_macos_build.views import forecast
from tests.view_samples import FORECAST

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Repository:
    """The issues of a repository."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [
            {"number": 1, "body": "mine", "html_url": "https://h/1", "state": "open"}
        ]

    def get(self, _path: str) -> Any:
        return [row for row in self.rows if row["state"] == "open"]

    def send(self, method: str, path: str, value: Mapping[str, Any], _expected: int) -> Any:
        if method == "POST":
            number = len(self.rows) + 1
            self.rows.append({"number": number, "html_url": f"https://h/{number}", "state": "open"})
        row = self.rows[-1] if method == "POST" else self.rows[int(path.split("/")[1]) - 1]
        row.update(value)
        return row


def test_the_issue_is_opened_once_kept_current_and_closed(tmp_path: Path) -> None:
    repository: Any = _Repository()
    broken = issue.compose({"demo": None})
    fine = issue.ForecastIssue(f"{issue.MARK}\nall is well\n", needs_somebody=False)
    other = issue.ForecastIssue(f"{broken.body}more\n", needs_somebody=True)
    made = [
        issue.publish(repository, each)[0].value
        for each in (fine, broken, broken, other, fine, fine, broken)
    ]
    assert made == [
        "unchanged",
        "opened",
        "unchanged",
        "updated",
        "closed",
        "unchanged",
        "opened",
    ]
    assert repository.rows[0]["body"] == "mine"


def test_foreign_text_is_code_and_ends_neither_it_nor_its_line(tmp_path: Path) -> None:
    document = forecast.as_document(FORECAST)
    document["patches"][0]["name"] = "0001-`@everyone` | <img src=x>\n# x.patch"
    document["revisions"][0] |= {"ok": False, "due": ["0002-`@x`.patch"]}
    (tmp_path / "demo.json").write_text(documents.dumps(document))
    (tmp_path / "gone.json").write_text("")
    composed = issue.compose(issue.read(tmp_path))
    assert composed.needs_somebody
    assert "## `gone`\n\nIt could not be made" in composed.body
    for line in composed.body.splitlines():
        outside = "".join(line.split("`")[::2])
        assert "@" not in outside
        assert not outside.startswith("# ")


def test_what_is_no_forecast_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no forecast"):
        issue.read(tmp_path)
    (tmp_path / "demo.json").write_text(json.dumps({"schema": {"name": "x", "version": 1}}))
    with pytest.raises(UsageError, match="it is no forecast"):
        issue.read(tmp_path)

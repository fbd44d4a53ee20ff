"""What a server's answer means, and what a token never does."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.release.publishing import destinations, secrets
from tensorflow_macos_build.release.publishing.answers import (
    Answer,
    Passing,
    is_passing,
    wait_of,
)
from tensorflow_macos_build.release.publishing.http import patiently
from tensorflow_macos_build.release.publishing.secrets import Secret
from tensorflow_macos_build.retry import Retry
from tensorflow_macos_build.tasks import ci

NOW = 1_795_720_000.0


@pytest.mark.parametrize(
    ("status", "headers", "message", "passing", "wait"),
    [
        (500, {}, "", True, None),
        (502, {}, "", True, None),
        (503, {"retry-after": "7"}, "", True, 7.0),
        (429, {}, "", True, 60.0),
        (429, {"retry-after": "30"}, "", True, 30.0),
        (429, {"retry-after": "Thu, 26 Nov 2026 18:27:00 GMT"}, "", True, 1_795_717_620.0 - NOW),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1795720100"}, "", True, 101.0),
        (403, {"x-ratelimit-remaining": "0"}, "", True, 60.0),
        (403, {}, "You have exceeded a secondary rate limit", True, 60.0),
        (403, {"x-ratelimit-remaining": "17"}, "Resource not accessible", False, None),
        (401, {}, "", False, None),
        (404, {}, "", False, None),
        (422, {}, "already_exists", False, None),
    ],
)
def test_limits_and_faults_are_told_apart(
    status: int, headers: dict[str, str], message: str, passing: bool, wait: float | None
) -> None:
    answer = Answer(status, headers, message)
    assert is_passing(answer) == passing
    expected = None if wait is None else max(0.0, wait)
    assert wait_of(answer, NOW) == expected


@pytest.mark.parametrize("text", ["-1", "1e9", "soon", "9" * 30, "٣"])
def test_a_retry_after_that_is_none_is_no_wait_without_end(text: str) -> None:
    assert wait_of(Answer(429, {"retry-after": text}), NOW) == 60.0


def test_a_server_that_asks_for_a_longer_wait_than_there_may_be_is_not_waited_for() -> None:
    waits: list[float] = []
    answers = iter([Passing("later", wait=2.0), Passing("later", wait=301.0)])

    def ask() -> None:
        raise next(answers)

    with pytest.raises(Passing):
        patiently(ask, Retry(attempts=5), 300.0, waits.append)
    assert waits == [2.0]


def test_a_token_goes_to_no_server_that_shows_it_to_everybody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GH_TOKEN", "ghp_abc")
    monkeypatch.setenv("GITHUB_API_URL", "http://api.example")
    with pytest.raises(UsageError, match="would show the token"):
        destinations.checked_address("")
    with pytest.raises(UsageError, match="would show the token"):
        ci._repository("owner/name")


def test_a_secret_shows_itself_to_nobody() -> None:
    secret = Secret("ghp_abc", "$GH_TOKEN")
    assert "ghp_abc" not in f"{secret} {secret!r}"
    hidden = secret.redacted("https://user:pw@host/?t=ghp_abc")
    assert hidden == "https://***@host/?t=***"


def test_a_token_comes_from_the_environment_and_a_hostile_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A", "")
    monkeypatch.setenv("B", "token\n")
    assert secrets.needed(("A", "B"), "host").value == "token"
    monkeypatch.setenv("A", "x\r\nEvil: y")
    with pytest.raises(UsageError, match="holds no token"):
        secrets.find(("A", "B"), "host")

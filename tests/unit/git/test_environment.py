"""What of a caller's environment and configuration reaches git."""

from __future__ import annotations

import pytest

from tensorflow_macos_build.git import environment

LISTED = (
    b"user.name\nA\0http.proxy\nhttp://p\nq\0http.sslverify\0http.https://h/.cookiefile\nc\xff\0"
    b"url.https://b/.insteadof\nc:\0diff.renames\nfalse\0core.hookspath\n/h\0ssh.variant\nplink\0"
)


def test_only_what_reaches_a_server_is_handed_over() -> None:
    """A key without a value means true, and a value may hold line ends and any bytes."""
    handed = environment.fetching(LISTED)
    count = int(handed["GIT_CONFIG_COUNT"] or "")
    assert {handed[f"GIT_CONFIG_KEY_{n}"]: handed[f"GIT_CONFIG_VALUE_{n}"] for n in range(count)} \
        == {
            "http.proxy": "http://p\nq", "http.sslverify": "true",
            "http.https://h/.cookiefile": "c\udcff", "url.https://b/.insteadof": "c:",
            "ssh.variant": "plink",
        }  # fmt: skip
    assert "ext" not in (handed["GIT_ALLOW_PROTOCOL"] or "")


@pytest.mark.parametrize(
    ("name", "value", "is_kept"),
    [
        ("GIT_DIR", "/elsewhere", False), ("GIT_INDEX_FILE", "/i", False),
        ("GIT_EXTERNAL_DIFF", "x", False), ("GIT_CONFIG_COUNT", "1", False),
        ("GIT_SSH_COMMAND", "ssh -v", True), ("GIT_SSL_NO_VERIFY", "1", True),
        ("GIT_TRACE", "/log", True), ("GIT_TRACE", "1", False), ("GIT_TRACE2_EVENT", "2", False),
        ("HOME", "/h", True),
    ],
)  # fmt: skip
def test_a_callers_variables_change_no_result(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, *, is_kept: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert (name not in environment.pinned()) is is_kept


def test_the_users_configuration_is_seen_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/mine")
    assert environment.pinned()["GIT_CONFIG_GLOBAL"] != "/mine"
    assert environment.with_users_configuration()["GIT_CONFIG_GLOBAL"] == "/mine"

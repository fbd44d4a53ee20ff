from __future__ import annotations

import stat
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.bazel.private_headers import PrivateHeader, PrivateHeaders, blot_out
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "Bearer a<b>&c=="
HEADER = PrivateHeader("remote_header", "authorization", "TOKEN")


def test_the_file_is_there_for_its_owner_only_and_only_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    rc, log = tmp_path / "private" / "rc", tmp_path / "log"
    with PrivateHeaders((HEADER,), rc).written(lambda: [log]):
        assert stat.S_IMODE(rc.stat().st_mode) == 0o600
        assert rc.read_text() == "build --remote_header=authorization=Bearer\\ a\\<b\\>\\&c==\n"
        log.write_text(f"flags: {SECRET}\n")
    assert not rc.exists()
    assert log.read_text() == f"flags: {'*' * len(SECRET)}\n"


def test_an_interrupted_run_leaves_no_credential_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", SECRET)
    rc, log = tmp_path / "rc", tmp_path / "log"
    rc.write_text("a killed build's")
    headers = PrivateHeaders((HEADER,), rc)

    def interrupted() -> None:
        with headers.written(lambda: [log, tmp_path / "none"]):
            log.write_text(SECRET)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not rc.exists()
    assert log.read_text() == "*" * len(SECRET)


def test_a_value_is_found_in_bazel_s_json_and_nothing_moves(tmp_path: Path) -> None:
    file = tmp_path / "events"
    escaped = r"Bearer a\u003cb\u003e\u0026c\u003d\u003d"
    file.write_text(f'["{escaped}","{SECRET}", "rest"]\n{SECRET}')
    size = file.stat().st_size
    blot_out(file, [SECRET.encode()])
    assert file.stat().st_size == size
    stars, short = "*" * len(escaped), "*" * len(SECRET)
    assert file.read_text() == f'["{stars}","{short}", "rest"]\n{short}'


def test_an_empty_file_and_none_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    blot_out(tmp_path / "empty", [b"12345678"])
    blot_out(tmp_path / "none", [b"12345678"])
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


@pytest.mark.parametrize(
    "value",
    [None, "", "short", "12345678\n", "a\nb--evil", "it's a token", 'quo"tedtoken', "äääääääää"],
)
def test_a_variable_that_holds_no_header_is_named_and_its_value_is_not(
    value: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if value is None:
        monkeypatch.delenv("TOKEN", raising=False)
    else:
        monkeypatch.setenv("TOKEN", value)
    with (
        pytest.raises(UsageError) as caught,
        PrivateHeaders((HEADER,), tmp_path / "rc").written(list),
    ):
        raise AssertionError("it has begun")
    assert caught.value.where == "the variable TOKEN"
    assert not value or value not in f"{caught.value.what} {caught.value.hint}"
    assert not (tmp_path / "rc").exists()

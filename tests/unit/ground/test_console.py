import pytest

from tensorflow_macos_build.console import Console


def test_lines_go_to_stderr_plain_and_whole_where_there_is_no_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    console = Console()
    with console.group("fuse"):
        console.line("[not markup] " + "x" * 300, "bold red")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "fuse\n[not markup] " + "x" * 300 + "\n"


def test_github_actions_gets_folded_groups(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console()
    with console.group("fuse"):
        console.line("inside")
    assert capfd.readouterr().err == "::group::fuse\ninside\n::endgroup::\n"


def test_progress_without_a_terminal_prints_now_and_then(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr("tensorflow_macos_build.console.time.monotonic", lambda: now[0])
    with Console().progress("patches") as tick:
        for done in range(1, 101):
            now[0] += 0.1
            tick(done, 100, f"patch {done}")
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == "patches: 51/100 patch 51"
    assert len(lines) == 1


def test_a_quiet_console_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.line("x")
    with console.progress("y") as tick:
        tick(1)
    assert capfd.readouterr() == ("", "")

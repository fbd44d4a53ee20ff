import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tensorflow_macos_build.console import Console
from tensorflow_macos_build.tasks.command import print_parts
from tensorflow_macos_build.views.tables import Table

ROOT = Path(__file__).parents[2]


def test_lines_go_to_stderr_plain_and_whole_where_there_is_no_terminal(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    console = Console()
    with console.group("fuse"):
        console.line("[not markup] " + "x" * 300, "bold red")
    out, err = capfd.readouterr()
    assert out == ""
    assert err == "[not markup] " + "x" * 300 + "\n"


def test_github_actions_gets_folded_groups(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console()
    with console.group("fuse 100%0A"):
        console.line("inside")
    assert capfd.readouterr().err == "::group::fuse 100%250A\ninside\n::endgroup::\n"


HOSTILE = [
    "::error::x",
    " \t::stop-commands::token",
    "see ##[error]x",
    "##[group]x",
    "###[group]x",
    "a.cc: tf::Tensor",
]


def obeyed(output: str) -> list[str]:
    """Return the lines that actions/runner would look into for a command (ActionCommand.cs)."""
    lines = output.splitlines()
    return [line for line in lines if line.lstrip().startswith("::") or "##[" in line]


def test_foreign_text_commands_no_runner_of_github_actions(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    console = Console()
    for text in [*HOSTILE, "\n".join(HOSTILE), "x\r::error::x", "x\u2028::error::x"]:
        console.line(text)
        with console.group(text):
            print_parts([Table.of((text, text), [(text, text)], text)], console)
    print_parts(HOSTILE)
    out, err = capfd.readouterr()
    assert obeyed(out) == []
    ours = [line for line in obeyed(err) if not line.startswith(("::group::", "::endgroup::"))]
    assert ours == []
    assert out.splitlines() == [
        r"\x3a:error::x",
        " \t" r"\x3a:stop-commands::token",
        r"see \x23#[error]x",
        r"\x23#[group]x",
        r"#\x23#[group]x",
        "a.cc: tf::Tensor",
    ]


def test_elsewhere_colons_are_colons(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    Console().line("::tensorflow::Status ##[x]")
    print_parts(["::tensorflow::Status ##[x]"])
    assert capfd.readouterr() == ("::tensorflow::Status ##[x]\n", "::tensorflow::Status ##[x]\n")


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


FOREIGN = "a.cc:100: x.h:1234: [red]no markup[/red] :smile: \x1b[2J\x9b2J \u202egpj\r"
SHOWN = "a.cc:100: x.h:1234: [red]no markup[/red] :smile: \\x1b[2J\\x9b2J \\u202egpj\\r"


def test_foreign_text_is_shown_as_it_stands_and_commands_no_terminal(
    capfd: pytest.CaptureFixture[str],
) -> None:
    console = Console()
    console.line(FOREIGN)
    print_parts([Table.of((FOREIGN,), [(FOREIGN,)], FOREIGN)], console)
    assert capfd.readouterr().err.splitlines() == [SHOWN] * 4


def _drawn(code: str) -> str:
    """Return what a program draws on a terminal of 400 columns."""
    screen, terminal = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "400", "NO_COLOR": "1"}
    program = [sys.executable, "-c", code]
    subprocess.run(program, stderr=terminal, env=environment, cwd=ROOT, check=True, timeout=60)
    os.close(terminal)
    drawn = os.read(screen, 1 << 16).decode()
    os.close(screen)
    return drawn


def test_a_progress_bar_shows_foreign_text_as_it_stands() -> None:
    drawn = _drawn(
        "from tensorflow_macos_build.console import Console\n"
        f"with Console().progress({FOREIGN!r}) as tick: tick(1, 2, {FOREIGN!r})\n"
    )
    assert drawn.count(SHOWN) >= 2
    assert "\x1b[2J" not in drawn
    assert "\U0001f4af" not in drawn


def test_the_spinner_turns_until_the_last_phase_is_over() -> None:
    drawn = _drawn(
        "import time\n"
        "from tensorflow_macos_build.console import Console, phase\n"
        "with Console().progress('work') as tick:\n"
        "    for name in ('reading', 'writing'):\n"
        "        phase(tick, name, ('reading', 'writing'))(3, 3)\n"
        "        time.sleep(0.25)\n"
    )
    lines = [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line) for line in re.split(r"[\r\n]+", drawn)]
    turning = [line for line in lines if "\u2801" <= line[:1] <= "\u28ff"]
    assert any("1/2 reading" in line for line in turning)
    assert any("2/2 writing" in line for line in turning)


def test_a_jobs_summary_is_written_on_github_actions_only_and_never_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    Console().step_summary("elsewhere")
    assert not summary.exists()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for text in ("a\x1b[2J\n", "x" * (1 << 20), "b\n"):
        Console().step_summary(text)
    assert summary.read_text() == "a\\x1b[2J\nb\n"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "no" / "folder"))
    Console().step_summary("lost")

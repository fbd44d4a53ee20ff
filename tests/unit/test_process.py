import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tensorflow_macos_build import children, process
from tensorflow_macos_build.errors import ExitCode


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_program_reads_stdin_and_its_output_is_captured_as_bytes() -> None:
    completed = process.run(["cat"], stdin=b"\xff\x00\n")
    assert (completed.status, completed.stdout, completed.stderr) == (0, b"\xff\x00\n", b"")


def test_a_large_output_goes_into_a_file_and_is_not_captured(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+b") as out:
        completed = process.run(["sh", "-c", "echo 2; echo x >&2"], stdout=out)
        out.seek(0)
        assert (out.read(), completed.stdout, completed.stderr) == (b"2\n", b"", b"x\n")


def test_a_missing_program_is_named_with_the_way_to_install_it() -> None:
    with pytest.raises(process.ProgramMissing) as caught:
        process.run(["no-such-program-here"], hint="install it so")
    assert "no-such-program-here" in str(caught.value)
    assert caught.value.hint == "install it so"


def test_an_unexpected_status_shows_the_command_and_the_tail_of_stderr() -> None:
    code = "import sys; print(*range(99), sep='\\n', file=sys.stderr); sys.exit(7)"
    with pytest.raises(process.ProgramFailed) as caught:
        process.run(python(code))
    assert caught.value.completed.status == 7
    assert caught.value.exit_code is ExitCode.FAILED
    assert "status 7" in caught.value.what
    assert caught.value.detail.splitlines()[-1] == "98"
    assert "\n0\n" not in caught.value.detail


def test_an_expected_status_is_not_a_failure() -> None:
    assert process.run(python("raise SystemExit(1)"), expected=(0, 1)).status == 1
    assert process.run(python("raise SystemExit(9)"), expected=()).status == 9


def test_locale_and_time_zone_are_pinned_and_changes_can_take_a_variable_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LC_ALL", "tr_TR.UTF-8")
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setenv("GONE", "1")
    code = "import os; print(os.environ['LC_ALL'], os.environ['TZ'], os.environ.get('GONE'))"
    completed = process.run(python(code), env={"GONE": None})
    assert completed.stdout == b"C.UTF-8 UTC None\n"


def test_a_program_over_its_time_is_stopped_with_its_children(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, time, pathlib;"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        f"pathlib.Path({os.fspath(tmp_path / 'pid')!r}).write_text(str(child.pid));"
        "time.sleep(60)"
    )
    with pytest.raises(process.ProgramFailed) as caught:
        process.run(python(code), timeout=1.5)
    assert caught.value.completed.status in (-signal.SIGINT, 1)
    grandchild = int((tmp_path / "pid").read_text())
    _await_end(grandchild)


def test_what_ignores_interrupts_ends_with_the_program_that_started_it(tmp_path: Path) -> None:
    deaf = (
        "import signal, time;"
        "[signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)];"
        "print('deaf', flush=True); time.sleep(60)"
    )
    code = (
        "import subprocess, sys, time;"
        f"child = subprocess.Popen([sys.executable, '-c', {deaf!r}], stdout=subprocess.PIPE);"
        "child.stdout.readline(); print(child.pid, flush=True); time.sleep(60)"
    )
    with process.start(python(code)) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
    deadline = time.monotonic() + 30
    while _runs(grandchild) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(grandchild)


def test_leaving_the_body_stops_a_program_that_ignores_interrupts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(children, "PATIENCE", (0.2, 0.2))
    code = (
        "import signal, time;"
        "[signal.signal(s, signal.SIG_IGN) for s in (signal.SIGINT, signal.SIGTERM)];"
        "print('ready', flush=True); time.sleep(60)"
    )
    with process.start(python(code)) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
    assert child.returncode == -signal.SIGKILL


def _await_end(pid: int) -> None:
    """Wait for a process that was told to end; on a busy machine that takes its time."""
    deadline = time.monotonic() + 30
    while _runs(pid):
        assert time.monotonic() < deadline, f"process {pid} goes on"
        time.sleep(0.01)


def _runs(pid: int) -> bool:
    if Path("/proc/self").exists():
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] != "Z"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_attached_program_ends_its_own_work_before_an_interrupt_goes_on(tmp_path: Path) -> None:
    """A terminal's Ctrl-C reaches the whole process group: here, one of the test's own."""
    mark = tmp_path / "done"
    inner = (
        "import pathlib, time\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(60)\n"
        "except KeyboardInterrupt:\n"
        f"    time.sleep(1); pathlib.Path({os.fspath(mark)!r}).touch()\n"
    )
    outer = (
        "import sys\n"
        "from tensorflow_macos_build import process\n"
        f"try: process.attach([sys.executable, '-c', {inner!r}])\n"
        "except KeyboardInterrupt: sys.exit(130)\n"
    )
    with process.start(python(outer), cwd=Path(__file__).parents[2]) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        os.killpg(child.pid, signal.SIGINT)
        assert child.wait(30) == 130
    assert mark.exists()


def test_an_attached_programs_status_is_given() -> None:
    assert process.attach(python("raise SystemExit(5)")) == 5


def test_a_failure_names_program_and_subcommand_and_not_the_whole_command_line() -> None:
    flags = [word for number in range(50) for word in ("-c", f"some.key{number}=value")]
    with pytest.raises(process.ProgramFailed) as caught:
        process.run(["git", *flags, "--git-dir", "/nowhere", "cat-file", "-t", "0" * 40])
    assert caught.value.what == "`git cat-file` ended with status 128"
    assert len(caught.value.completed.argv) > 100
    assert "/nowhere" in caught.value.detail
    with pytest.raises(process.ProgramFailed) as caught:
        process.run(["sh", "-c", "kill -9 $$"])
    assert caught.value.what == "`sh` was ended by SIGKILL"


def test_endless_lines_of_a_failing_program_are_cut() -> None:
    with pytest.raises(process.ProgramFailed) as caught:
        process.run(python("import sys; sys.exit('x' * 1_000_000)"))
    assert len(str(caught.value)) < 1000


def test_a_watched_program_is_heard_while_it_runs_and_gives_its_output() -> None:
    pieces: list[bytes] = []
    script = (
        "import sys\n"
        "text = sys.stdin.read()\n"
        "print('to stderr', file=sys.stderr, flush=True)\n"
        "print(len(text))"
    )
    completed = process.watch(python(script), pieces.append, stdin=b"x" * 3_000_000)
    assert b"".join(pieces) == b"to stderr\n"
    assert completed.stdout == b"3000000\n"


def test_a_program_that_reads_nothing_is_no_failure() -> None:
    completed = process.watch(python(""), lambda _: None, stdin=b"x" * 3_000_000)
    assert completed.status == 0


def test_a_silent_program_is_stopped() -> None:
    begun = time.monotonic()
    with pytest.raises(process.ProgramFailed):
        process.watch(python("import time; time.sleep(60)"), lambda _: None, idle=0.3)
    assert time.monotonic() - begun < 30


def test_an_unexpected_status_of_a_watched_program_tells_what_it_said() -> None:
    script = "import sys; sys.exit('no such luck')"
    with pytest.raises(process.ProgramFailed, match="status 1") as caught:
        process.watch(python(script), lambda _: None)
    assert "no such luck" in str(caught.value)

"""The command line as a process: its streams, signals, folder and bytecode."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
NAME = "tensorflow_macos_build"


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_enough_meets_no_traceback(
    unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    program = [sys.executable, "-m", "tensorflow_macos_build", "--list"]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        assert child.stderr.read() == b""
    assert child.returncode == 1


def _start(*argv: str, **options: Any) -> subprocess.Popen[bytes]:
    program = [sys.executable, "-m", "tensorflow_macos_build", *argv]
    return subprocess.Popen(program, stderr=subprocess.PIPE, cwd=ROOT, **options)


def _ends(child: subprocess.Popen[bytes]) -> tuple[int, str]:
    with child:
        err = child.communicate(timeout=60)[1].decode()
    assert "Traceback" not in err
    assert "Exception ignored" not in err
    return child.returncode, err


def test_output_that_cannot_be_written_is_failed_work() -> None:
    """The output is a file of which no byte may be written (setrlimit(2)): a full disk's twin."""
    script = 'ulimit -f 0; exec "$0" -m tensorflow_macos_build --list >"$1"'
    with tempfile.NamedTemporaryFile() as out:
        argv = ["sh", "-c", script, sys.executable, out.name]
        child = subprocess.Popen(argv, stderr=subprocess.PIPE, cwd=ROOT)
        status, err = _ends(child)
    assert status == 1
    assert "the file would be larger than is allowed" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="/dev/full is Linux's alone")
@pytest.mark.parametrize(
    ("words", "full", "status"),
    [
        ("config.show nosuch", "2>/dev/full", 2),
        ("config.show nosuch --json", ">/dev/full", 2),
        ("config.show demo --json", ">/dev/full", 1),
        ("config.show demo", ">/dev/full", 1),
    ],
)
def test_a_full_stream_is_told_once_and_leaves_the_exit_status(
    words: str, full: str, status: int
) -> None:
    script = f'exec "$0" -I -m tensorflow_macos_build {words} {full}'
    argv = ["sh", "-c", script, sys.executable]
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=ROOT)
    ended, err = _ends(child)
    assert ended == status
    assert err.count("error: ") == (0 if full.startswith("2") else 1)


def test_what_needs_a_folder_in_one_that_is_gone_says_so(tmp_path: Path) -> None:
    script = (
        f"mkdir {tmp_path}/gone && cd {tmp_path}/gone && rmdir ../gone && INV_CHECKOUT={ROOT}"
        ' exec "$0" -I -m tensorflow_macos_build rebase --queue demo --onto v2.18.0'
    )
    child = subprocess.Popen(["sh", "-c", script, sys.executable], stderr=subprocess.PIPE)
    assert _ends(child) == (2, "error: the folder that you are in was deleted\nhint: type: cd\n")


def test_modules_that_cannot_be_compiled_whole_break_no_later_run(tmp_path: Path) -> None:
    """A file may have 4 KiB (setrlimit(2)), as if the disk were full, and then any size."""
    shutil.copytree(ROOT / NAME, tmp_path / NAME, ignore=shutil.ignore_patterns("__pycache__"))
    compiling = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    for limit in ("ulimit -f 8;", ""):
        child = subprocess.Popen(
            ["sh", "-c", f'{limit} exec "$0" -m {NAME} --version', sys.executable],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=compiling,
        )
        assert _ends(child) == (0, "")
    assert any((tmp_path / NAME / "tasks").rglob("*.pyc"))


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_defect(closed: str) -> None:
    script = f'exec "$0" -m tensorflow_macos_build --list {closed}'
    child = subprocess.Popen(
        ["sh", "-c", script, sys.executable],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert _ends(child) == (0, "")


def test_a_document_is_utf8_and_text_is_readable_where_the_locale_has_no_letters() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    for flags in (["--json"], []):
        argv = ["config.show", "demo", "--set", "limits.disk_gb=ä", *flags]
        child = _start(*argv, stdout=subprocess.PIPE, env=environment)
        out = child.stdout
        assert out is not None
        status, err = _ends(child)
        assert status == 2
        assert "limits.disk_gb=\\xe4" in err


def _interrupted_after(module: str, start: str) -> tuple[int, str]:
    """Interrupt a task when it has imported `module`; `start` is how its shell begins."""
    program = 'exec "$0" -X importtime -m tensorflow_macos_build patches.lint --queue demo'
    child = subprocess.Popen(
        ["sh", "-c", f"{start} {program}", sys.executable],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert child.stderr is not None
    while (line := child.stderr.readline()) and line.split()[-1] != module.encode():
        pass
    assert line, f"{module} is not imported"
    child.send_signal(signal.SIGINT)
    status, err = _ends(child)
    lines = [line for line in err.splitlines() if not line.startswith("import time:")]
    return status, "\n".join(lines)


FROM_INV = "trap '' INT; export INV_INTERRUPTIBLE=yes;"
INTERRUPTED = "error: interrupted\nhint: run the same command again to go on"


@pytest.mark.parametrize(
    "module",
    [
        "tensorflow_macos_build.errors",  # while the tasks are imported
        "tensorflow_macos_build.tasks.program",  # while the command line is read
        "tensorflow_macos_build.patchqueue.queue.storage",  # inside the task
    ],
)
def test_an_interrupt_at_any_time_is_told_in_a_sentence(module: str) -> None:
    assert _interrupted_after(module, FROM_INV) == (130, INTERRUPTED)


def test_an_interrupt_before_the_first_line_is_no_traceback() -> None:
    """Python itself is starting: it is deaf then, or has just begun to listen."""
    assert _interrupted_after("site", FROM_INV)[0] in (0, 130)


def test_a_background_job_stays_deaf_to_interrupts() -> None:
    assert _interrupted_after("tensorflow_macos_build.errors", "trap '' INT;")[0] == 0

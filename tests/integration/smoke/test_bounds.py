"""Whatever a check does to its process is a result: the next one runs, and nothing is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.smoke import (
    CheckOutcome,
    EnvironmentRequest,
    SmokeOptions,
    smoke,
    zygote,
)
from tensorflow_macos_build.smoke.zygote import CheckBounds, CheckProcesses, program_argv
from tests import processes
from tests.projects import ROOT, wait_until
from tests.smoke_wheels import make_environment, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

SPEC = {"module": "tinyflow", "device": "CPU:0", "reference": "CPU:0"}
ROOMY = CheckBounds(300.0, 2048)
HURRIED = CheckBounds(3.0, 2048)
NARROW = CheckBounds(300.0, 300)

LEAVES_A_PROCESS = """
import os, time
if not os.fork():
    os.setsid()
    if not os.fork():
        time.sleep(600)
    os._exit(0)
"""
TALKS = """
import os
for descriptor in range(1, 20):
    try:
        os.write(descriptor, b'{"event": "ended", "status": 0, "max_rss_mb": 1}\\n' * 100)
    except OSError:
        pass
"""
HANGS = """
import signal, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
time.sleep(600)
"""
BLOCKS_SIGNALS = "import signal; signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))"
ASKS_FOR_TEMPDIR = """
import tempfile
tempfile.gettempdir()
_add = add
def add(a, b):
    assert os.path.samefile(tempfile.gettempdir(), ".")
    return _add(a, b)
"""
NO_ROOM = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))"
KILLS_ITS_PARENT = "import os, signal; os.kill(os.getppid(), signal.SIGKILL); signal.pause()"
LINUX_ONLY = [("x = bytearray(800 << 20)", NARROW, "failed", "MemoryError")] * (
    sys.platform == "linux"
)
STOPS_ITS_PARENT = "import os, signal; os.kill(os.getppid(), signal.SIGSTOP); signal.pause()"


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_environment(tmp_path_factory.mktemp("bounds"))


def left_over(folder: Path) -> list[str]:
    return [line for line in processes.command_lines() if str(folder) in line]


@pytest.mark.parametrize("spawn", [False, True], ids=["forked", "spawned"])
@pytest.mark.parametrize(
    "case",
    [
        ("import os; os.abort()", ROOMY, "crashed", "SIGABRT"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ROOMY, "killed", "SIGKILL"),
        ("import os; os._exit(3)", ROOMY, "crashed", "status 3"),
        ("import os; os._exit(0)", ROOMY, "crashed", "without an answer"),
        (NO_ROOM, ROOMY, "crashed", "could not be written"),
        ("raise SystemExit(0)", ROOMY, "failed", "SystemExit"),
        (HANGS, HURRIED, "hung", "stopped after 3 s"),
        ("x = b'x' * (400 << 20); import time; time.sleep(600)", NARROW, "killed", "300 MB"),
        (KILLS_ITS_PARENT, ROOMY, "crashed", "the program that started it"),
        (LEAVES_A_PROCESS, ROOMY, "passed", ""),
        (TALKS, ROOMY, "passed", ""),
        # A Mac has no such limit, and nothing of this would be resident.
        *LINUX_ONLY,
    ],
)
def test_what_a_check_does_to_its_process_is_a_result(
    python: Path, tmp_path: Path, case: tuple[str, CheckBounds, str, str], spawn: bool
) -> None:
    fault, bounds, outcome, words = case
    argv, env = program_argv((), python), {"FAULT": fault}
    with CheckProcesses(argv, SPEC, tmp_path, ROOMY, env=env, spawn=spawn) as checks:
        assert checks.start().passed
        seen = checks.run("compute", bounds=bounds)
        assert (seen.outcome.value, words in seen.why) == (outcome, True), seen
        # The program that starts checks, and nothing that the check has started.
        assert len(left_over(tmp_path)) <= 1
        assert checks.run("device").passed
    assert left_over(tmp_path) == []


def test_a_check_that_stops_the_program_above_it_is_ended_with_it(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zygote, "_STOP_S", 1.0)
    argv, env = program_argv((), python), {"FAULT": STOPS_ITS_PARENT}
    with CheckProcesses(argv, SPEC, tmp_path, ROOMY, env=env, spawn=False) as checks:
        assert checks.run("compute", bounds=HURRIED).outcome is CheckOutcome.HUNG
        assert checks.run("device").passed
    wait_until(lambda: left_over(tmp_path) == [])


@pytest.mark.parametrize("fault", [BLOCKS_SIGNALS, ASKS_FOR_TEMPDIR])
def test_what_a_module_does_at_its_import_disturbs_no_check(tmp_path: Path, fault: str) -> None:
    request = EnvironmentRequest(make_wheel(tmp_path, fault))
    options = SmokeOptions(module="tinyflow", device="CPU:0", checks=("compute",), timeout_s=60)
    report = smoke(request, options, silent)
    assert report.verdict == "passed", report


def test_a_crash_in_native_code_names_the_line_of_python_that_called_it(
    python: Path, tmp_path: Path
) -> None:
    env = {"FAULT": "import ctypes; ctypes.string_at(1)"}
    with CheckProcesses(program_argv((), python), SPEC, tmp_path, ROOMY, env=env) as checks:
        seen = checks.run("compute")
    assert (seen.outcome, seen.why) == (CheckOutcome.CRASHED, "it was ended by SIGSEGV")
    assert "in check_compute" in seen.log_tail


def interrupted(python: Path, folder: Path, number: signal.Signals) -> tuple[int, bytes]:
    """Send a signal to a smoke test whose check hangs; return its exit status and its words."""
    started = folder / "started"
    fault = f"import pathlib; pathlib.Path({str(started)!r}).touch()\n{LEAVES_A_PROCESS}\n{HANGS}"
    argv = [sys.executable, "-m", "tensorflow_macos_build", "smoke", "--python", str(python)]
    flags = ["--module", "tinyflow", "--device", "CPU", "--checks", "compute"]
    env = {**os.environ, "FAULT": fault, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([*argv, *flags], cwd=ROOT, env=env, stderr=subprocess.PIPE) as child:
        wait_until(started.exists, 300.0)
        child.send_signal(number)
        _, errors = child.communicate()
    return child.returncode, errors


def test_an_interrupt_ends_the_checks_and_all_that_they_have_started(
    python: Path, tmp_path: Path
) -> None:
    status, errors = interrupted(python, tmp_path, signal.SIGINT)
    assert status == 130, errors
    assert b"interrupted" in errors
    wait_until(lambda: left_over(tmp_path) == [])
    assert list(tmp_path.glob("tensorflow-macos-build-*")) == []


def test_signals_do_not_stop_what_ends_the_checks(python: Path, tmp_path: Path) -> None:
    log, started = tmp_path / "log", tmp_path / "started"
    leaves_many = f"for _ in range(30):\n{textwrap.indent(LEAVES_A_PROCESS, '    ')}"
    fault = f"{leaves_many}\nimport pathlib; pathlib.Path({str(started)!r}).touch()\n{HANGS}"
    argv = program_argv((), python)
    spec = tmp_path / zygote.SPECIFICATION
    spec.write_text(json.dumps({**SPEC, "mode": "serve", "isolation": "fork", "argv": argv}))
    request = {"name": "compute", "options": {}, "memory_mb": 2048, "log": str(log)}
    request |= {"result": str(tmp_path / "result"), "folder": str(tmp_path)}
    env = {**os.environ, "FAULT": fault}
    pipe = subprocess.PIPE
    with subprocess.Popen([*argv, spec], env=env, stdin=pipe, stdout=pipe, cwd=tmp_path) as child:
        assert child.stdin is not None
        child.stdin.write(json.dumps(request).encode() + b"\n")
        child.stdin.flush()
        wait_until(started.exists)
        child.stdin.close()
        for number in (signal.SIGINT, signal.SIGTERM) * 500:
            if child.poll() is not None:
                break
            child.send_signal(number)
            time.sleep(0.002)
        child.wait(60)
    wait_until(lambda: left_over(tmp_path) == [], 20.0)


def test_checks_end_when_the_program_that_asked_for_them_is_killed(
    python: Path, tmp_path: Path
) -> None:
    status, _ = interrupted(python, tmp_path, signal.SIGKILL)
    assert status == -signal.SIGKILL
    wait_until(lambda: left_over(tmp_path) == [])

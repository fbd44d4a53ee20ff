"""The guards of tests/conftest.py hold: each is run on a test that it must stop."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SKIPPED = "import pytest\n\ndef test_it() -> None:\n    pytest.skip('no such tool')\n"

CONNECTING = """\
import socket

def test_it() -> None:
    with socket.socket() as client:
        client.settimeout(1)
        client.connect(("192.0.2.1", 9))
"""

LOCAL = """\
import socket

def test_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()).close()
"""

HOME = """\
import os, pathlib

def test_it() -> None:
    assert os.environ["HOME"] != "/original"
    assert not list(pathlib.Path.home().iterdir())
"""

STARTING = """\
import subprocess

def test_it() -> None:
    subprocess.run([{program!r}, "."], check=False)
"""


def _run(folder: Path, test: str, **environment: str) -> tuple[int, str]:
    (folder / "test_one.py").write_text(test)
    flags = ["-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--confcutdir", str(folder)]
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, str(folder / "test_one.py")],
        cwd=ROOT,
        env={**os.environ, "CI": "", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.returncode, ended.stdout


@pytest.mark.parametrize(("on_ci", "status"), [("", 0), ("true", 1)])
def test_a_skip_is_a_failure_on_ci_only(tmp_path: Path, on_ci: str, status: int) -> None:
    code, output = _run(tmp_path, SKIPPED, CI=on_ci)
    assert code == status, output
    assert ("CI skips nothing" in output) is (on_ci == "true")


def test_a_connection_that_leaves_the_machine_is_a_failure(tmp_path: Path) -> None:
    code, output = _run(tmp_path, CONNECTING)
    assert code == 1
    assert "servers are on 127.0.0.1 only" in output


def test_a_connection_within_the_machine_is_let_through(tmp_path: Path) -> None:
    code, output = _run(tmp_path, LOCAL)
    assert code == 0, output


def test_a_test_has_a_home_of_its_own(tmp_path: Path) -> None:
    code, output = _run(tmp_path, HOME, HOME="/original")
    assert code == 0, output


@pytest.mark.parametrize(("program", "status"), [("make", 1), ("/bin/ls", 1), ("cat", 0)])
def test_a_program_that_no_install_step_brings_is_a_failure(
    tmp_path: Path, program: str, status: int
) -> None:
    code, output = _run(tmp_path, STARTING.format(program=program))
    assert code == status, output
    assert ("which no install step brings" in output) is (status == 1)

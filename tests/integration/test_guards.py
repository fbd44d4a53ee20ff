"""The guards of tests/conftest.py hold: each is tried on tests that it must stop, or let be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

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


TESTS = {
    "skipped": SKIPPED,
    "connecting": CONNECTING,
    "local": LOCAL,
    "home": HOME,
    "make": STARTING.format(program="make"),
    "ls": STARTING.format(program="/bin/ls"),
    "cat": STARTING.format(program="cat"),
}


def _failures(folder: Path, tests: dict[str, str], **environment: str) -> dict[str, str]:
    """Run tests in one pytest; return what it says of each, "" where the test did not fail."""
    for name, text in tests.items():
        (folder / f"test_{name}.py").write_text(text)
    flags = ["-q", "-p", "tests.conftest", "-p", "no:cacheprovider", "--confcutdir", str(folder)]
    report = folder / "report.xml"
    subprocess.run(
        [sys.executable, "-m", "pytest", *flags, f"--junitxml={report}", str(folder)],
        cwd=ROOT,
        env={**os.environ, "CI": "", **environment},
        capture_output=True,
        check=False,
    )
    cases = ElementTree.parse(report).getroot().iter("testcase")
    return {
        case.attrib["classname"].rpartition("test_")[2]: "".join(
            f"{failure.text}" for failure in case.findall("failure")
        )
        for case in cases
    }


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    ended = _failures(tmp_path_factory.mktemp("guarded"), TESTS, HOME="/original")
    assert ended.keys() == TESTS.keys()
    return ended


def test_a_skip_is_a_failure_on_ci_only(tmp_path: Path, failures: dict[str, str]) -> None:
    assert failures["skipped"] == ""
    assert "CI skips nothing" in _failures(tmp_path, {"skipped": SKIPPED}, CI="true")["skipped"]


def test_a_connection_that_leaves_the_machine_is_a_failure(failures: dict[str, str]) -> None:
    assert "servers are on 127.0.0.1 only" in failures["connecting"]


def test_a_connection_within_the_machine_is_let_through(failures: dict[str, str]) -> None:
    assert failures["local"] == ""


def test_a_test_has_a_home_of_its_own(failures: dict[str, str]) -> None:
    assert failures["home"] == ""


def test_a_program_that_no_install_step_brings_is_a_failure(failures: dict[str, str]) -> None:
    for name in ("make", "ls"):
        assert "which no install step brings" in failures[name]
    assert failures["cat"] == ""

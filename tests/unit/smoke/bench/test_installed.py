"""What is installed is known by versions and contents, and not by an installer's notes."""

from __future__ import annotations

import sys
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

from tensorflow_macos_build.smoke.bench.installed import (
    Distribution,
    Installed,
    changes,
    installed,
)

RECORD = "a/__init__.py,sha256=x,1\na-1.dist-info/METADATA,sha256=y,1\n"
STATE = Installed("3.11.2 (main)", {"a": Distribution("1", "x"), "b": Distribution("2", "y")})


def test_a_python_has_the_distributions_that_it_imports_here() -> None:
    seen = installed(Path(sys.executable))
    assert seen.python == sys.version
    assert seen.distributions["numpy"].version == metadata.version("numpy")
    assert changes(seen, installed(Path(sys.executable))) == []


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of packages, which a program in the place of a Python has on its path."""
    info = tmp_path / "a-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: A_a\nVersion: 1\n")
    (info / "RECORD").write_text(RECORD)
    (tmp_path / "broken-2.dist-info").mkdir()
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho \'["3.6", ["{tmp_path}", "{tmp_path}/none"]]\'\n')
    python.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    ("record", "change"),
    [
        (RECORD.replace("=x", "=z"), ["a-a 1 is another build"]),
        (RECORD.replace("=y", "=z"), []),
        (RECORD + "a/__pycache__/a.pyc,,\n../../bin/a,sha256=z,9\n", []),
        ("\n".join(reversed(RECORD.splitlines())), []),
    ],
)
def test_another_build_is_seen_and_what_an_installer_notes_is_not(
    site: Path, record: str, change: list[str]
) -> None:
    before = installed(site / "python")
    assert list(before.distributions) == ["a-a"]
    (site / "a-1.dist-info/RECORD").write_text(record)
    assert changes(before, installed(site / "python")) == change


def test_each_change_is_named() -> None:
    now = replace(
        STATE,
        python="3.11.9 (main)",
        distributions={"a": Distribution("3", "x"), "c": Distribution("1", "")},
    )
    assert changes(STATE, now) == ["Python 3.11.2 is 3.11.9", "a 1 is 3", "b is gone", "c is new"]
    assert changes(STATE, STATE) == []

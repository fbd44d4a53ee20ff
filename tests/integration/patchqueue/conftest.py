"""A queue of a module's own history, as the command line imports it, and a forge with requests."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests import command_line, forge
from tests.git_servers import http_server
from tests.pick_desk import Desk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.repositories import Made


@pytest.fixture
def flags(made: Made, tmp_path: Path) -> tuple[str, ...]:
    """Import the module's `made` as the queue that these flags name."""
    named = ("--queue", str(tmp_path / "queue"), "--cache", str(tmp_path / "mirrors"))
    span = ("--range", f"{made.base}..queue", "--upstream", str(made.git.git_dir))
    assert command_line.run("patches.import", *named, *span).returncode == 0
    return named


@pytest.fixture(scope="session")
def _made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forge")
    forge.make(folder)
    return folder


@pytest.fixture
def desk(tmp_path: Path, _made_once: Path) -> Iterator[Desk]:
    """A desk that a test may change: its forge is a copy of what 50 processes of git made."""
    for name in ("root", "work"):
        shutil.copytree(_made_once / name, tmp_path / name)
    made = forge.Forge(tmp_path / "root", tmp_path / "work")
    with http_server(made.root) as (base, faults):
        yield Desk(made, tmp_path, f"{base}/up.git", faults)

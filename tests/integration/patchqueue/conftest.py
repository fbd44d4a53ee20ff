"""A queue of a module's own history, as the command line imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import command_line

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Made


@pytest.fixture
def flags(made: Made, tmp_path: Path) -> tuple[str, ...]:
    """Import the module's `made` as the queue that these flags name."""
    named = ("--queue", str(tmp_path / "queue"), "--cache", str(tmp_path / "mirrors"))
    span = ("--range", f"{made.base}..queue", "--upstream", str(made.git.git_dir))
    assert command_line.run("patches.import", *named, *span).returncode == 0
    return named

"""What tests of git's own rooms begin with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def quarantine(tmp_path: Path) -> Iterator[Quarantine]:
    """A quarantine over an empty repository."""
    git = Git(tmp_path / "r.git")
    git.init()
    with open_quarantine(git) as opened:
        yield opened

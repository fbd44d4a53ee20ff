"""Fixtures that several rooms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.machos import Toolchain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def toolchain(tmp_path_factory: pytest.TempPathFactory) -> Toolchain:
    """A maker of real Mach-O files, with a folder of its own."""
    folder: Path = tmp_path_factory.mktemp("machos")
    return Toolchain(folder)

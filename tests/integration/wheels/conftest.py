"""An index on this machine and the wheels that it offers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.package_index import Index, package_index
from tests.wheel_shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.machos import Toolchain


@pytest.fixture
def shop(tmp_path: Path, toolchain: Toolchain) -> Shop:
    (tmp_path / "index").mkdir()
    return Shop(tmp_path / "index", toolchain)


@pytest.fixture
def index(shop: Shop) -> Iterator[Index]:
    with package_index(shop.folder) as serving:
        yield serving

"""What a change is held to: linters, and the tests that are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import checks

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", ["nowhere", "-x", "--collect-only", "nowhere.py::test_x"])
def test_paths_that_hold_no_tests_start_none(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "attach", lambda argv, cwd: pytest.fail(f"{cwd}: {argv}"))
    with pytest.raises(UsageError, match="no such tests"):
        checks.tests_pass(tmp_path, [path], jobs=1)

"""What a change is held to: linters, and the tests that are asked for."""

from __future__ import annotations

import os
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
    monkeypatch.setattr(process, "attach", lambda argv, **_: pytest.fail(str(argv)))
    with pytest.raises(UsageError, match="no such tests"):
        checks.tests_pass(tmp_path, [path], jobs=1, announce=pytest.fail)


@pytest.mark.parametrize(
    ("jobs", "processors", "expected"), [(0, 2, 3), (0, 4, 6), (0, 1, 1), (5, 2, 5)]
)
def test_there_are_more_processes_than_processors_where_no_number_is_given(
    jobs: int, processors: int, expected: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []

    def attach(argv: list[str | Path], cwd: Path, env: object = None) -> int:
        assert cwd == tmp_path
        started.extend(map(str, argv))
        return 0

    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    monkeypatch.setattr(process, "attach", attach)
    assert checks.tests_pass(tmp_path, [], jobs, announce=started.append)
    assert started[started.index("-n") + 1] == str(expected)

"""An environment's dependency groups: who has them, and what a task is told that lacks one."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import dependency_groups
from tensorflow_macos_build.dependency_groups import GroupsMissing
from tests.imports import ROOT

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def with_lint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stamp = tmp_path / "stamp"
    stamp.mkdir()
    (stamp / "origin").write_text(f"/checkout\n\n{tmp_path}\nrun.txt lint.txt\n")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))


@pytest.mark.usefixtures("with_lint")
def test_what_an_environment_has_is_not_asked_for() -> None:
    dependency_groups.require(["run", "lint"])
    with pytest.raises(GroupsMissing) as caught:
        dependency_groups.require(["demo", "lint", "test"])
    assert caught.value.groups == ("demo", "test")
    assert "export INV_GROUPS='demo test'" in str(caught.value)


def test_an_environment_of_somebody_elses_is_not_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    dependency_groups.require(["demo"])


def test_a_version_is_the_same_before_and_after_its_group_is_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.chdir(ROOT)
    installed = dependency_groups.version("ziglang", "no-such-group")
    monkeypatch.setattr(metadata, "version", absent)
    assert dependency_groups.version("ziglang", "demo") == installed
    assert dependency_groups.version("zig", "demo") == "missing"
    assert dependency_groups.version("ziglang", "no-such-group") == "missing"

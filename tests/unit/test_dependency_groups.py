"""An environment's dependency groups: who has them, and what a task is told that lacks one."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import pytest
import uv

from tensorflow_macos_build import dependency_groups
from tensorflow_macos_build.dependency_groups import GroupsMissing
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import interpreters
from tests.imports import ROOT


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


@pytest.mark.parametrize("state", ["no package", "no program"])
def test_a_uv_that_is_not_here_is_wrong_usage_and_no_traceback(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Path(dependency_groups.uv()).name == "uv"
    if state == "no package":
        monkeypatch.setitem(sys.modules, "uv", None)
    else:

        def absent() -> str:
            raise FileNotFoundError("uv")

        monkeypatch.setattr(uv, "find_uv_bin", absent)
    with pytest.raises(UsageError, match="uv is not here") as caught:
        dependency_groups.uv()
    assert "type: rm " in caught.value.hint
    with pytest.raises(UsageError, match="uv is not here"):
        interpreters.interpreter("3.99")
    assert "-m pip install x" in dependency_groups.install_line("x")

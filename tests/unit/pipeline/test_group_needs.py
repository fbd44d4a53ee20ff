"""What each group of tasks needs: this machine, and one without a program."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config, documents
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import group_needs
from tensorflow_macos_build.pipeline.doctor import Availability
from tensorflow_macos_build.pipeline.group_needs import TaskGroup
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.tasks import doctor
from tensorflow_macos_build.tasks.examples import SECTIONS
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.views import group_needs as view
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from tensorflow_macos_build.pipeline.group_needs import GroupFindings

ROOT = Path(__file__).parents[3]
GROUPS = doctor._groups(namespace, "")


def _examined(folder: Path, groups: list[TaskGroup]) -> tuple[GroupFindings, ...]:
    loaded = config.load(str(ROOT / "build_configs/demo.yaml"))
    return group_needs.examine(Workspace(dataclasses.replace(loaded, root=folder)), groups)


def test_each_group_of_the_help_needs_what_its_tasks_name() -> None:
    assert [group.name for group in GROUPS] == [title.lower() for title in SECTIONS]
    needs = {group.name: group.tools for group in GROUPS}
    assert needs["queue"] == needs["release"] == ("git",)
    assert needs["wheels"] == needs["smoke"] == ()
    assert {"git", "bazel", "shellcheck", "llvm-otool"} <= {*needs["project"]}
    assert [group.name for group in GROUPS if "lint" in group.packages] == ["project"]


def test_a_group_that_lacks_tools_names_one_line_to_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    seen = _examined(tmp_path, [TaskGroup("queue", ("git",), ()), TaskGroup("wheels", (), ())])
    lacking, ready = seen
    assert [finding.code for finding in lacking.missing] == ["git"]
    assert lacking.line == "sudo apt-get install git"
    assert (ready.missing, ready.line) == ((), "")
    lines = [part.text for part in view.as_lines("demo", seen) if isinstance(part, Line)]
    assert lines == [
        "queue: not as needed: git; type: sudo apt-get install git",
        "wheels: nothing is missing",
    ]


@pytest.mark.parametrize("asked", [0, 1])
def test_the_document_says_whether_the_group_that_was_asked_for_lacks_something(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, asked: int
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    groups = [TaskGroup("queue", ("git",), ()), TaskGroup("wheels", (), ("lint",))]
    seen = _examined(tmp_path, groups)
    document = view.as_document("demo", seen, seen[asked])
    documents.check(document)
    assert document["ok"] is bool(asked)
    assert [group["ok"] for group in document["groups"]] == [False, True]


def test_a_token_is_told_by_where_it_is_from_and_never_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value, state in (
        ("GH_TOKEN", "", Availability.MISSING),
        ("GH_TOKEN", "two words", Availability.DOES_NOT_FIT),
        ("GITHUB_TOKEN", "ghp_hidden", Availability.FOUND),
    ):
        monkeypatch.setenv("GH_TOKEN", "")
        monkeypatch.setenv(name, value)
        (group,) = _examined(tmp_path, [TaskGroup("release", (), ())])
        (token,) = group.findings
        assert token.availability is state
        assert not token.stops_the_build
        assert not value or value not in f"{token}"


def test_a_code_is_ignored_in_every_group_and_must_be_one(tmp_path: Path) -> None:
    workspace = Workspace(config.load(str(ROOT / "build_configs/demo.yaml")))
    groups = [TaskGroup("queue", ("git",), ()), TaskGroup("release", ("git",), ())]
    seen = group_needs.examine(workspace, groups, ["git"])
    assert all(group.findings[0].ignored for group in seen)
    with pytest.raises(UsageError, match="no finding `gti`"):
        group_needs.examine(workspace, groups, ["gti"])

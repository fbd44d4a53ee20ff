"""A repository's own files are where git says that they are."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tensorflow_macos_build.git.repository import Git

ODD = os.fsdecode(b"odd \xff#")
WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org")


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `own`, `linked` to it, a `module` kept elsewhere, `bare` and a `link` to it."""
    folder = tmp_path_factory.mktemp("repositories") / ODD
    for argv in (
        ("init", "-q", folder / "own"),
        ("-C", folder / "own", *WHO, "commit", "-q", "--allow-empty", "-m", "one"),
        ("-C", folder / "own", "worktree", "add", "-q", folder / "linked"),
        ("init", "-q", "--separate-git-dir", folder / "elsewhere", folder / "module"),
        ("init", "-q", "--bare", folder / "bare"),
    ):
        subprocess.run(["git", *argv], check=True)
    (folder / "link").symlink_to("bare")
    return folder


@pytest.mark.parametrize("name", ["own/.git", "linked/.git", "module/.git", "bare", "link"])
def test_objects_and_the_cut_of_a_history_are_where_git_has_them(
    name: str, repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repositories)
    for git_dir in (repositories / name, Path(name)):
        git = Git(git_dir)
        question = ("rev-parse", "--path-format=absolute", "--git-path")
        objects, shallow = (Path(git.line(*question, file)) for file in ("objects", "shallow"))
        assert (git.objects_folder(), git.shallow_file()) == (objects, shallow)


def test_a_folder_by_its_work_tree_is_taken_as_git_takes_it(repositories: Path) -> None:
    git = Git(Path(".git"), repositories / "own")
    assert git.objects_folder() == (repositories / "own/.git/objects").resolve()
    assert git.line("rev-parse", "--git-path", "objects") == ".git/objects"


def test_a_linked_work_tree_s_own_folder_has_the_objects_of_the_other(repositories: Path) -> None:
    git = Git(repositories / "own/.git/worktrees/linked")
    assert git.objects_folder() == (repositories / "own/.git/objects").resolve()

"""Differences that are read back, and those that become patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import change_ids, diffs, trees
from tests.repositories import EXECUTABLE, FILE, Case, lines, make

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git
    from tests.repositories import Files

OLD: Files = {
    "binary": (FILE, b"\0old" * 90), "goes": (FILE, lines("goes")), "mode": (FILE, b"x\n"),
    "te\"xt": (FILE, lines("text")), "binary goes": (FILE, b"\0"),
}  # fmt: skip
NEW: Files = {
    "binary": (FILE, b"\0new" * 90), "moved": (FILE, lines("goes")), "mode": (EXECUTABLE, b"x\n"),
    "te\"xt": (FILE, lines("text", 12)), "binary comes": (FILE, b"\1\0"),
}  # fmt: skip
SETTINGS = {
    "diff.algorithm": "patience", "diff.context": "9", "diff.interHunkContext": "9",
    "diff.mnemonicPrefix": "true", "diff.noPrefix": "true", "diff.renames": "copies",
    "diff.relative": "true", "diff.submodule": "log", "diff.orderFile": "order",
    "diff.indentHeuristic": "false", "diff.renameLimit": "1", "color.ui": "always",
}  # fmt: skip
"""Of diffs (git-config(1)); each is no default."""


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Git, str, str]:
    """A repository, and the trees `OLD` and `NEW` in it."""
    made = make(Case(OLD, (OLD,), (NEW,)), tmp_path / "r")
    old, new = trees.of_commits(made.git, [made.base, *made.patches])
    return made.git, old, new


def test_a_difference_turned_round_is_the_one_the_other_way(sides: tuple[Git, str, str]) -> None:
    """Of binary files too, which are named by their ids and never by a delta."""
    git, old, new = sides
    for renames in (False, True):
        forth, back = diffs.of_trees(git, [(old, new), (new, old)], renames=renames)
        assert {file.path for file in forth} >= {"binary", "mode", "moved", 'te"xt'}
        assert [
            change_ids.of_inverse((file,)) for file in forth if file.path in OLD.keys() & NEW
        ] == [change_ids.of((file,)) for file in back if file.path in OLD.keys() & NEW]
        assert not any(b"GIT binary patch" in line for file in forth for line in file.header)


def test_a_patch_text_holds_its_binary_contents(sides: tuple[Git, str, str]) -> None:
    git, old, new = sides
    both, nothing, back = diffs.patch_texts(git, [(old, new), (old, old), (new, old)], context=3)
    assert both.count(b"GIT binary patch\n") == back.count(b"GIT binary patch\n") == 3
    assert b"rename from goes\nrename to moved\n" in both
    assert nothing == b""


def test_no_setting_of_a_repository_changes_a_difference(sides: tuple[Git, str, str]) -> None:
    git, old, new = sides
    before = list(diffs.patch_texts(git, [(old, new)], context=3))
    read_before = diffs.of_trees(git, [(old, new)], renames=True)
    for key, value in SETTINGS.items():
        git.run("config", key, value)
    assert list(diffs.patch_texts(git, [(old, new)], context=3)) == before
    assert diffs.of_trees(git, [(old, new)], renames=True) == read_before

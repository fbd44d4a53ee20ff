"""Names and the full ids that they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import object_ids, revisions
from tests.repositories import FILE, Case, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files

FILES: Files = {"f": (FILE, b"f\n")}
FULL = "0123456789abcdef" * 4


def test_names_become_full_ids(tmp_path: Path) -> None:
    made = make(Case(FILES, (FILES,), (FILES,)), tmp_path / "r")
    made.git.run("-c", "user.name=c", "-c", "user.email=c@d", "tag", "-m", "v1", "v1", made.base)
    for name in ("base", "refs/heads/base", made.base[:12], "v1", "v1^{}"):
        assert revisions.find_commit(made.git, name) == made.base
    assert revisions.find(made.git, "v1") != made.base
    tree = made.git.line("rev-parse", "base^{tree}")
    assert revisions.find(made.git, "base:") == tree
    for name in ("base:", "none", "--all", "base..v1", "", "1" * 40, "base:none"):
        assert revisions.find_commit(made.git, name) is None
    assert revisions.find(made.git, "1" * 40) == "1" * 40


def test_many_names_are_found_as_each_alone_and_ancestors_by_one_walk(tmp_path: Path) -> None:
    made = make(Case(FILES, (FILES, {}), ({}, FILES)), tmp_path / "r")
    made.git.run("-c", "user.name=c", "-c", "user.email=c@d", "tag", "-m", "v1", "v1", made.onto)
    names = [made.base[:12], "v1", "base^{tree}", "none", "", "1" * 40, made.patches[0]]
    assert revisions.find_commits(made.git, names) == [
        revisions.find_commit(made.git, name) for name in names
    ]
    commits = [made.base, *made.patches, *made.upstream]
    for tip in commits:
        assert revisions.ancestors(made.git, commits, tip) == {
            commit for commit in commits if revisions.is_ancestor(made.git, commit, tip)
        }
    assert revisions.ancestors(made.git, [], made.base) == set()


@pytest.mark.parametrize(("size", "is_full"), [(39, False), (40, True), (63, False), (64, True)])
def test_a_full_id_has_40_or_64_digits(size: int, *, is_full: bool) -> None:
    assert object_ids.is_full(FULL[:size]) is is_full
    assert not object_ids.is_full(FULL[:size].upper())
    named = object_ids.in_text(f"fatal: no {FULL[:size]}, {FULL[:size]}".encode() + b"\xff")
    assert named == ([FULL[:size]] if is_full else [])

"""Trees listed and compared, in bulk."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import diffs, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.trees import PathChange
from tests.repositories import EXECUTABLE, FILE, LINK, Case, lines, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Made

A, B, C = ("a" * 40, "b" * 40, "c" * 40)


def test_lines_of_ids_end_in_nul_or_in_a_line_feed() -> None:
    """Of commits and of pairs of trees; of some nothing changes, and a path may hold line feeds."""
    facts = b":100644 100755 %b %b M\0" % (A.encode(), B.encode())
    pair = f"{A} {B}\n".encode()
    change = PathChange("p\n:q", TreeEntry(FILE, A), TreeEntry(EXECUTABLE, B))
    of_pairs = pair + pair + facts + b"p\n:q\0" + pair + facts + b"p\n:q\0" + pair
    assert list(trees.parse_raw(of_pairs)) == [
        (f"{A} {B}", ()), (f"{A} {B}", (change,)), (f"{A} {B}", (change,)), (f"{A} {B}", ())
    ]  # fmt: skip
    commit = C.encode() + b"\0"
    of_commits = commit + commit + facts + b"p\n:q\0" + commit
    assert list(trees.parse_raw(of_commits)) == [(C, ()), (C, (change,)), (C, ())]
    assert list(trees.parse_raw(b"")) == []


@pytest.fixture
def made(tmp_path: Path) -> Made:
    """A file that moves, one whose mode changes, one that goes, a link that comes."""
    stays, moved = (FILE, lines("stays")), (FILE, lines("moves"))
    base = {"a/stays": stays, "b/moves": moved, "mode": (FILE, b"x\n"), "goes": (FILE, b"y\n")}
    patch = {"a/stays": stays, "c/moved": moved, "mode": (EXECUTABLE, b"x\n")}
    patches = ({**patch, "link": (LINK, b"mode")}, {**patch, "link": (LINK, b"mode")})
    return make(Case({**base}, (patch,), patches), tmp_path / "r")


def test_paths_that_no_command_line_takes_are_asked_for_in_parts(
    made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a path that is too long by itself; no paths are no limit."""
    paths = ["a/stays", "b/moves", "c/moved", "goes", "link", "no such file"]
    commits = [made.base, *made.patches]
    whole = list(trees.compare(made.git, [(commit,) for commit in commits], only=paths))
    texts = diffs.of_commits(made.git, commits, only=paths)
    monkeypatch.setattr(trees, "LONGEST", 10)
    assert [*map(list, trees.batches(paths))] == [[p] for p in paths[:3]] + [paths[3:5], paths[5:]]
    assert list(trees.compare(made.git, [(commit,) for commit in commits], only=paths)) == whole
    assert diffs.of_commits(made.git, commits, only=paths) == texts
    assert [len(changes) for _, changes in whole] == [3, 4, 0]
    assert [*trees.batches(())] == [()]


def test_what_changes_is_the_same_by_commit_and_between_trees(made: Made) -> None:
    commits = [made.base, *made.patches]
    tree_ids = trees.of_commits(made.git, commits)
    by_commit = dict(trees.by_commit(made.git, commits))
    pairs = list(itertools.pairwise(tree_ids))
    assert [by_commit[patch] for patch in made.patches] == trees.between(made.git, pairs)
    before, after = (trees.files(made.git, commit) for commit in commits[:2])
    assert {
        change.path.encode(): (change.old, change.new) for change in by_commit[made.patches[0]]
    } == {
        path: (before.get(path), after.get(path))
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    }


def test_moves_are_found_where_they_are_asked_for(made: Made) -> None:
    first, second = made.patches
    assert trees.moves(made.git, first) == {"b/moves": "c/moved"}
    assert trees.moves(made.git, second) == {}
    ((_, changes),) = trees.compare(made.git, [(first, made.base)], only=["c/moved", "*"])
    assert [change.path for change in changes] == ["c/moved"]


def test_contents_that_differ_are_named_before_and_after(made: Made) -> None:
    first, _ = made.patches
    before, after = (trees.files(made.git, commit) for commit in (made.base, first))
    old, new = trees.blob_ids(made.git, [(first,)])
    assert old == {before[path].oid for path in (b"b/moves", b"mode", b"goes")}
    assert new == {after[path].oid for path in (b"c/moved", b"mode", b"link")}


def test_what_is_no_commit_has_no_tree(made: Made) -> None:
    with pytest.raises(WorkFailed, match=A):
        trees.of_commits(made.git, [made.base, A])

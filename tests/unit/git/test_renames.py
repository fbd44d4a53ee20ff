"""Whether git may take a file for renamed, by what was compared once."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git import renames, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.overlay import tree_of_paths
from tensorflow_macos_build.git.quarantine import Quarantine, open_quarantine
from tensorflow_macos_build.git.renames import RenameSearch
from tensorflow_macos_build.git.repository import Git

_LINE = st.sampled_from([b"a\n", b"bb\n", b"c" * 30 + b"\n", b"d" * 90 + b"\n", b"e\r\n", b"\n"])
_TEXT = st.lists(_LINE, max_size=12).map(b"".join)


def _renamed(quarantine: Quarantine, blob: str, others: set[str]) -> bool:
    """Whether git itself pairs a file that goes with one that comes."""
    old, new = (
        quarantine.write_tree({oid: TreeEntry("100644", oid) for oid in side})
        for side in ({blob}, others)
    )
    ((_, changes),) = trees.compare(quarantine.git, [(old, new)], "-M50%", "-l0")
    return any(change.moved_from for change in changes)


@given(st.lists(st.tuples(_TEXT, st.lists(_TEXT, max_size=4)), min_size=1, max_size=6))
@settings(max_examples=40, derandomize=True, deadline=None)
def test_no_rename_is_missed_that_git_finds(
    asked: list[tuple[bytes, list[bytes]]],
) -> None:
    """Law: what is said to be deleted git does not pair, whatever was asked before."""
    with tempfile.TemporaryDirectory() as scratch:
        git = Git(Path(scratch) / "r.git")
        git.init()
        with open_quarantine(git) as quarantine:
            search = RenameSearch(quarantine)
            blobs = [
                (quarantine.write("blob", text), {quarantine.write("blob", t) for t in others})
                for text, others in asked
            ]
            search.expect(("file", blob) for blob, _ in blobs)
            missing = {blob for blob, _ in blobs}
            for blob, others in blobs:
                if not search.may_be_renamed([("file", blob)], others, missing):
                    assert not _renamed(quarantine, blob, others - {blob})


_PATHS = st.sets(st.sampled_from(["a", "b/c", "b/d", "b/e/f", "g/h/i", "g/h/j"]))


@pytest.mark.parametrize("kept", [1, 1000])
@given(st.lists(st.tuples(_PATHS, _PATHS), min_size=1, max_size=4))
@settings(max_examples=20, derandomize=True, deadline=None)
def test_what_is_added_is_what_git_says_is(
    kept: int, asked: list[tuple[set[str], set[str]]]
) -> None:
    """Whatever was asked before, and is kept of that."""
    with tempfile.TemporaryDirectory() as scratch, pytest.MonkeyPatch.context() as patches:
        patches.setattr(renames, "_ADDED_KEPT", kept)
        git = Git(Path(scratch) / "r.git")
        git.init()
        with open_quarantine(git) as quarantine:
            search = RenameSearch(quarantine)
            for paths in asked:
                old, new = (
                    tree_of_paths(
                        quarantine,
                        {
                            p: TreeEntry("100644", quarantine.write("blob", p.encode()))
                            for p in side
                        },
                    )
                    for side in paths
                )
                ((_, changes),) = trees.compare(quarantine.git, [(old, new)])
                added = {c.new.oid for c in changes if c.old is None and c.new is not None}
                assert search.added(old, new) == added


@pytest.mark.parametrize("likeness", [0, 20, 40, 60, 100])
def test_a_file_is_renamed_from_half_of_its_lines_on(tmp_path: Path, likeness: int) -> None:
    git = Git(tmp_path / "r.git")
    git.init()
    lines = [b"line %03d\n" % number for number in range(100)]
    other = [*lines[:likeness], *(b"else %03d\n" % number for number in range(likeness, 100))]
    with open_quarantine(git) as quarantine:
        old, new = (quarantine.write("blob", b"".join(text)) for text in (lines, other))
        search = RenameSearch(quarantine)
        assert search.may_be_renamed([("f", old)], {new}, set()) == (likeness >= 50)
        # a line more is no reason to compare them anew, and half of the lines are
        grown = quarantine.write("blob", b"".join([*lines, b"one more\n"]))
        turned = quarantine.write("blob", b"".join([*lines[:40], *other[40:]]))
        assert search.may_be_renamed([("f", grown)], {new}, set()) == (likeness >= 50)
        assert search.may_be_renamed([("f", turned)], {new}, set())


@given(_TEXT, _TEXT)
def test_new_bytes_are_those_of_lines_that_only_one_has(old: bytes, new: bytes) -> None:
    at_least = sum(len(line) for line in set(new.split(b"\n")) - set(old.split(b"\n")))
    assert at_least <= renames._new_bytes(old, new) <= len(new)
    assert renames._new_bytes(old, old) == 0


def test_two_files_may_be_most_like_the_same_one(tmp_path: Path) -> None:
    """What another file is like is no reason to be less like it."""
    git = Git(tmp_path / "r.git")
    git.init()
    lines = [b"line %03d\n" % number for number in range(100)]
    with open_quarantine(git) as quarantine:
        # both are 60 and 90 per cent like the first of the others, and 30 like the second
        one, two, like, less = (
            quarantine.write("blob", b"".join(text))
            for text in (
                [*lines[:60], *(b"one %04d\n" % number for number in range(40))],
                [*lines[:90], *(b"two %04d\n" % number for number in range(10))],
                lines,
                [*lines[:30], *(b"less %03d\n" % number for number in range(70))],
            )
        )
        search = RenameSearch(quarantine)
        search.expect([("one", one), ("two", two)])
        assert search.may_be_renamed([("one", one)], {like, less}, {one, two})
        assert search.may_be_renamed([("two", two)], {like, less}, {one, two})

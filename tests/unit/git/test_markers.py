"""Conflict markers as git leaves them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git import markers
from tensorflow_macos_build.git.markers import MARKER_SIZE, ConflictHunk
from tensorflow_macos_build.git.repository import Git

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def merge_file(
    tmp_path: Path, *sides: bytes, size: int = MARKER_SIZE, more: Sequence[str] = ()
) -> bytes:
    """Return what `git merge-file --diff3` makes of ours, base and theirs."""
    git = Git(tmp_path / "r.git")
    paths = [tmp_path / name for name in ("ours", "base", "theirs")]
    for path, content in zip(paths, sides, strict=True):
        path.write_bytes(content)
    flags = ("-p", "--diff3", f"--marker-size={size}", *more)
    return git.run("merge-file", *flags, *paths, expected=range(128)).stdout


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_the_hunks_that_git_marks_are_read_back(tmp_path: Path, end: bytes) -> None:
    """Whatever lines like markers of a usual size the file itself holds."""
    heading = (b"Heading", b"=======", b"<<<<<<< x")
    base, ours, theirs = (
        b"".join(row + end for row in (*heading, *rows, b"last"))
        for rows in ((b"base",), (b"ours", b"too"), (b"theirs",))
    )
    marked = merge_file(tmp_path, ours, base, theirs)
    assert markers.are_in(marked)
    assert not markers.are_nested(marked)
    (hunk,) = markers.hunks(marked)
    assert hunk == ConflictHunk((b"base" + end,), (b"ours" + end, b"too" + end), (b"theirs" + end,))
    assert markers.patch_side(marked, theirs) == theirs


def test_each_region_of_many_is_resolved_as_git_itself_takes_a_side(tmp_path: Path) -> None:
    """Regions at the beginning, at the end and one line apart, and changes of one side alone."""
    chance = random.Random(7)
    for _ in range(15):
        base = [b"%d\n" % number for number in range(20)]
        ours, theirs = (
            b"".join(chance.choice((line, line, side + line, b"")) for line in base)
            for side in (b"ours ", b"theirs ")
        )
        marked = merge_file(tmp_path, ours, b"".join(base), theirs)
        taken = merge_file(tmp_path, ours, b"".join(base), theirs, more=("--theirs",))
        assert markers.patch_side(marked, theirs) == taken
        parts = markers.parse(marked)
        sides = [part.theirs if isinstance(part, ConflictHunk) else [part] for part in parts]
        assert [line for lines in sides for line in lines] == markers.split_lines(taken)
        assert markers.hunks(marked) == tuple(p for p in parts if isinstance(p, ConflictHunk))
        assert len(markers.hunks(marked)) == marked.count(b"<" * MARKER_SIZE) > 1


def test_a_last_line_without_an_end_stays_without_one(tmp_path: Path) -> None:
    """git ends it in the marked file, where a marker follows."""
    sides = (b"a\nours", b"a\nbase", b"a\ntheirs")
    marked = merge_file(tmp_path, *sides)
    assert markers.patch_side(marked, sides[2]) == sides[2]
    assert markers.patch_side(marked, sides[2] + b"\n") == sides[2] + b"\n"


def test_markers_within_markers_are_resolved_too(tmp_path: Path) -> None:
    inner = merge_file(tmp_path, b"1\n", b"2\n", b"3\n", size=MARKER_SIZE + 1)
    marked = merge_file(tmp_path, b"ours\n", b"base\n", inner)
    assert markers.are_nested(marked)
    assert markers.patch_side(marked, b"3\n") == b"3\n"


@pytest.mark.parametrize("order", ["=", "<=|>", "<|=", "<=>=", "<<=>"])
def test_markers_out_of_order_are_lines(order: str) -> None:
    rows = [f"{sign * MARKER_SIZE}{'' if sign == '=' else ' x'}\n".encode() for sign in order]
    content = b"a\n" + b"b\n".join(rows)
    assert markers.parse(content) == tuple(markers.split_lines(content))
    assert markers.patch_side(content, b"a\n") is None


def test_lines_end_in_line_feeds_alone() -> None:
    assert markers.split_lines(b"a\rb\x0bc\n\nd") == [b"a\rb\x0bc\n", b"\n", b"d"]
    assert markers.split_lines(b"") == []

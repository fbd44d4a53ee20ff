"""Work trees of conflicts: nothing is taken that nobody has decided, with markers or without."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase.session import RebaseSession
from tensorflow_macos_build.patchqueue.worktree.conflict_tree import Unresolved
from tests.repositories import EXECUTABLE, FILE, LINK, Case, lines, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files, Made

TEXT = lines("f")
MINE, THEIRS = TEXT.replace(b"line 4", b"mine"), TEXT.replace(b"line 8", b"theirs")
BESIDE: Files = {"beside": (FILE, b"same\n")}
BINARY: Files = {".gitattributes": (FILE, b"f binary\n")}

KINDS: dict[str, tuple[Files, Files, Files]] = {
    "binary by content": (
        {"f": (FILE, b"\0base")},
        {"f": (FILE, b"\0theirs")},
        {"f": (FILE, b"\0mine")},
    ),
    "binary by attribute": (
        {"f": (FILE, TEXT), **BINARY},
        {"f": (FILE, THEIRS), **BINARY},
        {"f": (FILE, MINE), **BINARY},
    ),
    "deleted upstream": ({"f": (FILE, TEXT)}, {}, {"f": (FILE, MINE)}),
    "deleted by the patch": ({"f": (FILE, TEXT)}, {"f": (FILE, THEIRS)}, {}),
    "links": (
        {"f": (LINK, b"base")},
        {"f": (LINK, b"theirs")},
        {"f": (LINK, b"mine")},
    ),
    "added as two kinds": ({}, {"f": (LINK, b"theirs")}, {"f": (EXECUTABLE, MINE)}),
}


def begin(kind: str, folder: Path) -> tuple[Made, RebaseSession, Path]:
    return begin_with(KINDS[kind], folder)


def begin_with(sides: tuple[Files, Files, Files], folder: Path) -> tuple[Made, RebaseSession, Path]:
    base, theirs, mine = ({**files, **BESIDE} for files in sides)
    patches = (mine, {**mine, "later": (FILE, b"so that a patch is left\n")})
    made = make(Case(base, (theirs,), patches), folder / "repository")
    steps = commit_range.read(made.git, made.base, made.patches[-1]).steps
    queue = storage.save(
        folder / "q", QueueBase("embedded:", "base", made.base), steps, made.git
    ).queue
    session = RebaseSession(queue, made.git, folder / "work tree")
    session.shown(session.start(made.onto))
    return made, session, folder / "work tree"


@pytest.mark.parametrize("kind", KINDS)
def test_what_git_left_is_not_taken_for_an_answer(kind: str, tmp_path: Path) -> None:
    """git's own `rebase --continue` goes on from unmerged paths no more than this does."""
    _, session, work = begin(kind, tmp_path)
    before = sorted(path.name for path in session.queue.folder.iterdir())
    for _ in range(2):
        with pytest.raises(Unresolved, match="no markers"):
            session.go_on()
    assert not session.status().done
    assert work.is_dir()
    assert sorted(path.name for path in session.queue.folder.iterdir()) == before


@pytest.mark.parametrize("verb", ["add", "rm"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_printed_lines_settle_it(kind: str, verb: str, tmp_path: Path) -> None:
    """Typed into a shell as they stand; the tree is what the work tree then holds."""
    made, session, work = begin(kind, tmp_path)
    with pytest.raises(Unresolved) as refused:
        session.go_on()
    typed = [line for line in refused.value.hint.splitlines() if f" {verb} -- " in line]
    assert typed
    for line in typed:
        subprocess.run(line, shell=True, check=True, capture_output=True)
    kept = sorted(path.name for path in work.iterdir() if path.name != ".git")
    done = session.go_on()
    assert done.done
    names = made.git.line("ls-tree", "-r", "--name-only", done.result.tree).split("\n")
    assert names == sorted([*kept, "later"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_file_is_an_answer(kind: str, tmp_path: Path) -> None:
    made, session, work = begin(kind, tmp_path)
    for path in work.iterdir():
        if path.name not in {".git", "beside", ".gitattributes"}:
            path.unlink()
    (work / "f").write_bytes(b"both\n")
    done = session.go_on()
    assert done.done
    assert made.git.out("cat-file", "blob", f"{done.result.tree}:f") == b"both\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_markers_that_are_left_in_an_edited_file_are_not_taken(end: bytes, tmp_path: Path) -> None:
    base = TEXT.replace(b"\n", end)
    theirs = base.replace(b"line 2", b"theirs").replace(b"line 9", b"theirs, too")
    mine = base.replace(b"line 2", b"mine").replace(b"line 9", b"mine, too")
    sides = ({"f": (FILE, base)}, {"f": (FILE, theirs)}, {"f": (FILE, mine)})
    _, session, work = begin_with(sides, tmp_path)
    marked = (work / "f").read_bytes()
    half = marked[: marked.index(b"<<<<<<<")] + marked[marked.rindex(b"<<<<<<<") :]
    (work / "f").write_bytes(half)
    with pytest.raises(Unresolved, match="conflict markers"):
        session.go_on()
    (work / "f").write_bytes(mine)
    assert session.go_on().done

"""Trees that change in memory, judged by git's own index."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tensorflow_macos_build.git.objects import TreeEntry, encode_path
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git

PATHS = ("a", "a.b", "a/b", "a/b/c", "a/d", "a0", "e/f/g", "e/f/h", "é\udcff/\n")


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Git:
    git = Git(tmp_path_factory.mktemp("overlay") / "r.git")
    git.init()
    return git


def tree_by_git(git: Git, files: dict[str, TreeEntry]) -> str:
    """Return the tree that an index of these files makes."""
    with_index = Git(git.git_dir, env={"GIT_INDEX_FILE": str(git.git_dir / "an-index")})
    rows = "".join(f"{mode} {oid}\t{path}\0" for path, (mode, oid) in files.items())
    with_index.run("read-tree", "--empty")
    with_index.run("update-index", "-z", "--index-info", stdin=encode_path(rows))
    return with_index.line("write-tree", "--missing-ok")


def has_room(files: dict[str, TreeEntry], path: str) -> bool:
    """Whether no file is where the path needs a folder, and no folder at the path."""
    return not any(path.startswith(f"{o}/") or o.startswith(f"{path}/") for o in files)


@given(steps=st.lists(st.tuples(st.sampled_from(PATHS), st.booleans()), max_size=14))
@settings(max_examples=25, derandomize=True, deadline=None)
def test_an_overlay_ends_as_the_tree_that_git_makes_of_its_files(
    git: Git, steps: list[tuple[str, bool]]
) -> None:
    """Also where it was written in between, and where a folder becomes empty and comes again."""
    files: dict[str, TreeEntry] = {}
    with open_quarantine(git) as quarantine:
        start = {path: TreeEntry("100644", "1" * 40) for path in PATHS[3:5]}
        start_tree = tree_by_git(git, start)
        files.update(start)
        overlay = Overlay(quarantine.objects, start_tree)
        for number, (path, is_written) in enumerate(steps):
            if path in files:
                overlay.change({path: None})
                del files[path]
            elif has_room(files, path):
                files[path] = TreeEntry(("100644", "100755", "160000")[number % 3], "2" * 40)
                overlay.change({path: files[path]})
            if is_written:
                overlay.write(quarantine)
        assert overlay.write(quarantine) == tree_by_git(git, files)
        listed = {path: overlay.entry(path) for path in PATHS}
    assert {path: entry for path, entry in listed.items() if entry and not entry.is_tree} == files


def test_names_are_those_of_the_folder_as_it_is_now(git: Git) -> None:
    with open_quarantine(git) as quarantine:
        overlay = Overlay(quarantine.objects, quarantine.write_tree({}))
        overlay.change({"a/b": TreeEntry("100644", "1" * 40)})
        overlay.change({"a/c/d": TreeEntry("100644", "1" * 40)})
        assert overlay.names("a") == ("b", "c")
        assert overlay.names("a/b") == overlay.names("none") == ()
        overlay.change({"a/c/d": None})
        assert overlay.names("a") == ("b",)

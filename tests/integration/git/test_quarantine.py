"""Objects made in a quarantine, judged by git in the repository that they are kept in."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import health
from tests.kills import ended_at

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path("/dev/shm")
"""A file system of its own on every Linux."""


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files on another file system, where the machine has one."""
    parent = MEMORY if MEMORY.is_dir() else tmp_path
    with tempfile.TemporaryDirectory(dir=parent) as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_objects_are_kept_where_temporary_files_are_on_another_file_system(
    tmp_path: Path, elsewhere: Path
) -> None:
    git = Git(tmp_path / "repository.git")
    git.init()
    with open_quarantine(git) as quarantine:
        blob = quarantine.write("blob", b"content\n")
        tree = quarantine.write_tree({"file": TreeEntry("100644", blob)})
        quarantine.keep([tree], [])
    assert git.out("cat-file", "blob", f"{tree}:file") == b"content\n"
    git.run("fsck", "--full", "--strict")
    names = {path.suffix for path in (git.git_dir / "objects/pack").iterdir()}
    assert names == {".pack", ".idx"}
    assert list(elsewhere.iterdir()) == []


def test_nothing_new_makes_no_pack(tmp_path: Path) -> None:
    git = Git(tmp_path / "repository.git")
    git.init()
    with open_quarantine(git) as quarantine:
        quarantine.keep([quarantine.write_tree({})], [quarantine.write_tree({})])
    assert list((git.git_dir / "objects/pack").iterdir()) == []


def test_whoever_looks_while_objects_are_kept_meets_a_whole_repository(tmp_path: Path) -> None:
    """At each step: another process may come then, or a kill. Later they are kept all the same."""
    git = Git(tmp_path / "repository.git")
    git.init()

    def keep() -> str:
        with open_quarantine(git) as quarantine:
            tree = quarantine.write_tree(
                {"file": TreeEntry("100644", quarantine.write("blob", b"content\n"))}
            )
            quarantine.keep([tree], [])
            return tree

    step = 1
    while ended_at(step, git.git_dir, keep):
        assert health.fault(git, tmp_path / "packs.json") is None
        git.run("fsck", "--full", "--strict")
        step += 1
    assert step > 2
    assert git.out("cat-file", "blob", f"{keep()}:file") == b"content\n"

"""Objects made in a quarantine, judged by git in the repository that they are kept in."""

from __future__ import annotations

import os
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


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for temporary files on another file system, where the machine has one."""
    folders = [Path(name) for name in ("/dev/shm", "/var/tmp") if os.access(name, os.W_OK)]
    device = tmp_path.stat().st_dev
    parent = next((folder for folder in folders if folder.stat().st_dev != device), tmp_path)
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


def test_packs_that_are_adopted_are_kept_with_what_was_made(tmp_path: Path) -> None:
    git, other = Git(tmp_path / "repository.git"), Git(tmp_path / "other.git")
    for made in (git, other):
        made.init()
    with open_quarantine(git) as quarantine:
        blob = quarantine.write("blob", b"content\n")
        first = quarantine.write_tree({"first": TreeEntry("100644", blob)})
        quarantine.keep([first], [], into=other.objects_folder())
    with open_quarantine(git) as quarantine:
        quarantine.adopt(tmp_path / "nothing")
        quarantine.adopt(other.objects_folder())
        assert quarantine.objects.blob(blob) == b"content\n"
        second = quarantine.write_tree({"second": TreeEntry("100644", blob)})
        quarantine.keep([second], [])
    assert git.out("cat-file", "blob", f"{second}:second") == b"content\n"
    assert git.missing([first]) == [first]  # nothing asked for it
    other.run("fsck", "--full", "--strict")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_objects_have_the_names_that_they_have_in_the_repository(
    tmp_path: Path, algorithm: str
) -> None:
    git = Git(tmp_path / "repository.git")
    git.run("init", "--quiet", "--bare", f"--object-format={algorithm}")
    with open_quarantine(git) as quarantine:
        blob = quarantine.write("blob", b"content\n")
        quarantine.keep([quarantine.write_tree({"file": TreeEntry("100644", blob)})], [])
    assert git.line("hash-object", "--stdin", stdin=b"content\n") == blob
    assert git.out("cat-file", "blob", blob) == b"content\n"

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.upstream import embedded
from tensorflow_macos_build.upstream.embedded import source_tree

PINNED = {
    "main": "c875645887ab4ccb27b4f490ef578b3fe92acdd4",
    "v2.16.0": "660590a41c24c730fc5b58160153097c766887ce",
    "v2.17.0": "6109c59a6bc8f59180e9639fe4b1b86bd4360dd5",
    "v2.18.0": "033298e2bfea713aab08286c6ee96d7e8dcb86dc",
}

_CREATE = """\
import pathlib, sys
from tensorflow_macos_build.upstream import embedded
from tensorflow_macos_build.upstream.embedded import source_tree
embedded.create(pathlib.Path(sys.argv[1]))
"""

_HOSTILE = """\
[user]
    name = Somebody Else
    email = else@example.org
[core]
    autocrlf = true
    compression = 0
[commit]
    gpgSign = true
[tag]
    gpgSign = true
[i18n]
    commitEncoding = ISO-8859-1
[fastimport]
    unpackLimit = 100000
"""


def _ids(git: Git) -> dict[str, str]:
    return {name: git.line("rev-parse", f"{name}^{{commit}}") for name in PINNED}


def test_commit_ids_are_pinned(tmp_path: Path) -> None:
    assert _ids(embedded.create(tmp_path / "up.git")) == PINNED
    assert {"main": embedded.MAIN, **embedded.TAGS} == PINNED


def test_commit_ids_do_not_depend_on_config_time_zone_umask_or_folder(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(_HOSTILE)
    folder = tmp_path / "with a space" / "ünïcode"
    env = {
        **os.environ,
        "TZ": "Pacific/Chatham",
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_AUTHOR_NAME": "Nobody",
        "GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z",
        "GIT_DIR": str(tmp_path / "elsewhere"),
    }
    subprocess.run([sys.executable, "-c", _CREATE, folder], env=env, umask=0o077, check=True)
    assert _ids(Git(folder)) == PINNED


def test_the_repository_is_sound(tmp_path: Path) -> None:
    git = embedded.create(tmp_path / "up.git")
    checked = git.run("fsck", "--strict", "--full")
    assert (checked.stdout, checked.stderr) == (b"", b"")
    assert git.line("rev-parse", "--is-bare-repository") == "true"
    assert git.line("symbolic-ref", "HEAD") == "refs/heads/main"


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "up.git"
    embedded.create(folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    embedded.create(folder)
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


@pytest.mark.parametrize("harm", ["HEAD", "packed-refs and refs", "objects"])
def test_what_is_broken_is_made_anew(tmp_path: Path, harm: str) -> None:
    folder = tmp_path / "up.git"
    git = embedded.create(folder)
    match harm:
        case "HEAD":
            (folder / "HEAD").unlink()
        case "objects":
            for pack in (folder / "objects").rglob("*.pack"):
                pack.unlink()
        case _:
            git.run("update-ref", "-d", "refs/tags/v2.17.0")
    assert _ids(embedded.create(folder)) == PINNED


def test_two_processes_may_ask_for_one_folder_at_once(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", _CREATE, str(tmp_path / "up.git")]
    racers = [subprocess.Popen(argv) for _ in range(4)]
    assert [racer.wait() for racer in racers] == [0, 0, 0, 0]
    assert _ids(Git(tmp_path / "up.git")) == PINNED
    assert not list(tmp_path.glob(".tmp-*"))


def test_releases_leave_main_on_branches_of_their_own(tmp_path: Path) -> None:
    git = embedded.create(tmp_path / "up.git")
    for tag in embedded.TAGS:
        assert git.run("merge-base", "--is-ancestor", tag, "main", expected=(1,))
        assert git.line("cat-file", "-t", tag) == "tag"
        assert git.line("rev-list", "--count", f"main..{tag}") == "1"
    assert git.line("rev-list", "--count", "--all") == "57"


def test_every_carried_file_is_one_that_python_packages_hold() -> None:
    """Hidden files and caches are left out of wheels, and the commit ids would differ."""
    source = Path(embedded.__file__).parent / "source"
    carried = [path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()]
    packed = [path for path in carried if "__pycache__" not in path]
    assert packed
    assert not [path for path in packed if any(part.startswith(".") for part in path.split("/"))]
    assert {path.replace("dot.", ".") for path in packed} == set(source_tree.read())

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue import commit_cache, materialise, storage
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.upstream import mirror
from tests.fork import DEMO

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.upstream.handle import Mirror


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(DEMO, tmp_path / "demo")


@pytest.fixture
def git(tmp_path: Path) -> Mirror:
    return mirror.open("embedded:", tmp_path / "cache")


def refs(git: Mirror) -> list[str]:
    return git.line("for-each-ref", "--format=%(refname)", "refs/tensorflow_macos_build").split()


def test_commits_found_again_are_those_that_parsing_makes(folder: Path, git: Mirror) -> None:
    queue = storage.load(folder)
    first = commit_cache.of_queue(queue, git)
    assert commit_cache.of_folder(folder, git) == (queue.base, first)
    with open_quarantine(git) as quarantine:
        made = materialise.commits(queue, quarantine)
    assert [patch.commit for patch in first] == [patch.id for patch in made]


def test_a_queue_seen_before_is_not_parsed_again(
    folder: Path, git: Mirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    cached = commit_cache.of_folder(folder, git)
    monkeypatch.delattr(storage, "load")
    assert commit_cache.of_folder(folder, git) == cached


def test_a_changed_file_makes_other_commits_and_lets_the_old_ones_go(
    folder: Path, git: Mirror
) -> None:
    _, before = commit_cache.of_folder(folder, git)
    old = refs(git)
    path = next(folder.glob("00800*.patch"))
    path.write_bytes(path.read_bytes().replace(b"Subject: ", b"Subject: Really ", 1))
    _, after = commit_cache.of_folder(folder, git)
    assert [patch.commit for patch in after[:-1]] == [patch.commit for patch in before[:-1]]
    assert after[-1].subject == f"Really {before[-1].subject}"
    assert len(refs(git)) == 1
    assert refs(git) != old


def test_a_damaged_file_is_refused_though_the_queue_was_seen_before(
    folder: Path, git: Mirror
) -> None:
    commit_cache.of_folder(folder, git)
    next(folder.glob("00800*.patch")).write_bytes(b"no patch\n")
    with pytest.raises(MacosBuildError, match="patch"):
        engine.rebase_folder(folder, git, "v2.17.0")

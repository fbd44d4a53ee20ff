"""Laws 1, 4 and 7 of a queue on disk, over made-up histories, with git as the judge."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, given, settings

from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.queue import commit_range, materialise, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tests import chains

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.storage import Saved
    from tests.chains import Chain

AM = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "C",
    "GIT_COMMITTER_EMAIL": "c@c",
}


def stored(folder: Path, chain: Chain) -> tuple[Git, commit_range.CommitRange, Saved]:
    git, base, tip = chains.build(folder / "repository", chain)
    history = commit_range.read(git, base, tip)
    queue_base = QueueBase("embedded:", "v1", history.base)
    return git, history, storage.save(folder / "patches" / "q", queue_base, history.steps, git)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains.chains())
def test_a_stored_queue_makes_the_same_trees_and_says_the_same(
    tmp_path_factory: pytest.TempPathFactory, chain: Chain
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git, history, saved = stored(folder, chain)
    queue = storage.load(saved.queue.folder)
    assert [patch.patch.header for patch in queue.patches] == [s.header for s in history.steps]
    with open_quarantine(git) as quarantine:
        made = materialise.commits(queue, quarantine)
    assert [commit.tree for commit in made] == [step.after for step in history.steps]
    names = [patch.name for patch in queue.patches]
    assert names == sorted(names)
    assert len({name.lower() for name in names}) == len(names)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains.chains())
def test_plain_git_am_makes_the_same_tree(
    tmp_path_factory: pytest.TempPathFactory, chain: Chain
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git, history, saved = stored(folder, chain)
    clone = folder / "clone"
    subprocess.run(["git", "clone", "-q", "--no-checkout", git.git_dir, clone], check=True, env=AM)
    for args in (
        ["checkout", "-q", "--detach", saved.queue.base.commit],
        ["am", "-q", *sorted(saved.queue.folder.glob("*.patch"))],
    ):
        subprocess.run(["git", "-C", clone, *args], check=True, env=AM, capture_output=True)
    judge = replace(git, git_dir=clone / ".git")
    count = len(history.steps)
    shown = judge.out("log", "--reverse", "--format=%T%n%an%n%ae%n%at%n%b%x00", f"-{count}")
    for step, entry in zip(history.steps, shown.split(b"\0\n"), strict=False):
        tree, name, mail, seconds, body = entry.decode().split("\n", 4)
        author = step.header.author
        assert (tree, name, mail) == (step.after, author.name, author.email)
        assert int(seconds) == step.header.date.seconds
        assert body.strip("\n") == step.header.body
    assert judge.line("rev-parse", "HEAD^{tree}") == history.steps[-1].after


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(chain=chains.chains())
def test_saving_again_touches_no_file(
    tmp_path_factory: pytest.TempPathFactory, chain: Chain
) -> None:
    folder = tmp_path_factory.mktemp("case")
    git, history, saved = stored(folder, chain)
    before = {path.name: (path.stat().st_ino, path.read_bytes()) for path in _patches(saved)}
    named = [
        replace(step, name=patch.name)
        for step, patch in zip(history.steps, saved.queue.patches, strict=True)
    ]
    again = storage.save(saved.queue.folder, saved.queue.base, named, git)
    assert not again.written
    assert not again.removed
    after = {path.name: (path.stat().st_ino, path.read_bytes()) for path in _patches(saved)}
    assert after == before


def _patches(saved: Saved) -> list[Path]:
    return sorted(saved.queue.folder.glob("*.patch"))

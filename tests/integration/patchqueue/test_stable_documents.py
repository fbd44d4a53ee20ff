"""Law 7: the same result is the same document, whatever order Python's sets come in."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.patchqueue.queue import commit_range, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tests.repositories import FILE, Case, lines, make

if TYPE_CHECKING:
    from pathlib import Path

    from tests.repositories import Files

NAMES = [f"{folder}/{name}" for folder in "abcd" for name in "efgh"]
SEEDS = ("0", "1", "2")


def tree(changes: dict[int, str], names: list[str]) -> Files:
    """Files of 30 lines of which some are replaced in the named ones."""
    made: Files = {}
    for name in NAMES:
        rows = lines("x", 30).splitlines(keepends=True)
        for at, words in changes.items() if name in names else ():
            rows[at] = f"{words}\n".encode()
        made[name] = (FILE, b"".join(rows))
    return made


@pytest.fixture
def queue(tmp_path: Path) -> Path:
    """Patches of many files, whose context and lines many upstream commits change."""
    upstream = [
        tree({12: "near"} if number else {}, NAMES[: number + 1]) for number in range(len(NAMES))
    ]
    upstream.append(tree({12: "near", 25: "theirs"}, NAMES))
    patches = [tree({15: "mine"}, NAMES), tree({15: "mine", 25: "too"}, NAMES)]
    made = make(Case(tree({}, []), tuple(upstream), tuple(patches)), tmp_path / "repository")
    history = commit_range.read(made.git, made.base, made.patches[-1])
    base = QueueBase(str(made.git.git_dir), "base", made.base)
    return storage.save(tmp_path / "q", base, history.steps, made.git).queue.folder


@pytest.mark.parametrize(
    "task",
    [("rebase", "--onto", "upstream"), ("rebase", "--onto", "upstream", "--on-conflict", "skip"),
     ("forecast", "--onto", "upstream")],
    ids=["provisional", "skip", "forecast"],
)  # fmt: skip
def test_a_document_is_the_same_under_every_hash_seed(
    queue: Path, tmp_path: Path, task: tuple[str, ...]
) -> None:
    where = ("--queue", str(queue), "--cache", str(tmp_path / "cache"), "--json")
    texts = set()
    for seed in SEEDS:
        env = {**os.environ, "PYTHONHASHSEED": seed}
        argv = [sys.executable, "-m", "invoke", *task, *where]
        done = subprocess.run(argv, capture_output=True, check=False, env=env)
        assert done.returncode == 1, done.stderr
        texts.add(done.stdout)
    assert len(texts) == 1
    assert b"changed_by" in texts.pop() or task[0] == "forecast"

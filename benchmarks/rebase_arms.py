"""The arms of the benchmark of a rebase: `git rebase` with `--skip` at each stop, and ours."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.exchange import importing
from tensorflow_macos_build.patchqueue.queue import materialise, opening, storage
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.steps import OnConflict
from tests.repositories import commits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Run
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult

_IDENTITY = {
    "GIT_COMMITTER_NAME": "Benchmark",
    "GIT_COMMITTER_EMAIL": "benchmark@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "true",
}

_PARTIAL = {
    "core.repositoryFormatVersion": "1",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "remote.origin.url": "nowhere:",
}
"""Without them git writes no tree that holds a file whose content is not there, though a sparse
checkout leaves it out (must_check_existence in cache-tree.c)."""


@dataclass(frozen=True)
class Bench:
    """What is rebased where.

    Attributes:
        git: the repository.
        first: the full id of the range's beginning.
        last: the full id of its end.
        onto: the full id of the new base.
        scratch: a temporary folder.
    """

    git: Git
    first: str
    last: str
    onto: str
    scratch: Path

    @property
    def commits(self) -> list[str]:
        """Return the range's commits, oldest first."""
        return self.git.line("rev-list", "--reverse", f"{self.first}..{self.last}").split()

    @functools.cached_property
    def patches(self) -> tuple[QueueCommit, ...]:
        """Return the range as a queue's commits, which a rebase is given."""
        return commits_of(self.git, f"{self.first}..{self.last}")

    def to(self, last: str) -> Bench:
        """Return the same for a shorter range."""
        return Bench(self.git, self.first, last, self.onto, self.scratch)


def import_queue(bench: Bench, folder: Path) -> None:
    """Make a queue of the range in a folder, and check that it makes the range's own tree."""
    span = f"{bench.first}..{bench.last}"
    source = importing.ImportSource(
        importing.SourceKind.RANGE, span, os.fspath(bench.git.git_dir), bench.first
    )
    importing.import_changes(source, folder, bench.scratch / "import-cache", silent)
    with open_quarantine(bench.git) as quarantine:
        last = materialise.queue_commits(storage.load(folder), quarantine)[-1].commit
        if quarantine.tree(last) != quarantine.tree(bench.last):
            raise SystemExit("the queue does not make the tree of the range")


def by_queue(bench: Bench, queue: Path, cache: Path) -> str:
    """Rebase the queue in a folder, with a cache of mirrors; return the tree."""
    opened = opening.open(queue, cache)
    return engine.rebase_folder(queue, opened.mirror, bench.onto, OnConflict.SKIP).tree


def by_commits(bench: Bench) -> str:
    """Rebase the range's commits; return the tree."""
    return rebased(bench, OnConflict.SKIP).tree


def rebased(bench: Bench, on_conflict: OnConflict) -> RebaseResult:
    """Rebase the range's commits."""
    base = QueueBase("", bench.first, bench.first)
    with open_quarantine(bench.git) as quarantine:
        return engine.rebase_in(quarantine, base, bench.onto, bench.patches, on_conflict)[0]


def by_first_queue(trees: set[str], bench: Bench, queue: Path) -> Run:
    """Measure `by_queue` with an empty cache."""
    cache = Path(tempfile.mkdtemp(dir=bench.scratch))
    try:
        return measured_run(trees, by_queue, bench, queue, cache)
    finally:
        shutil.rmtree(cache)


def measured_run(trees: set[str], body: Callable[..., str], bench: Bench, *args: Path) -> Run:
    """Measure an arm of ours in a child, which leaves its tree in a file."""
    answer = bench.scratch / "tree"
    run = measure.in_child(lambda: answer.write_text(body(bench, *args), encoding="ascii"))
    trees.add(answer.read_text(encoding="ascii"))
    return run


def by_git(bench: Bench, trees: set[str]) -> Run:
    """Measure `git rebase` in a fresh clone."""
    folder = Path(tempfile.mkdtemp(dir=bench.scratch))
    try:
        _clone(bench, folder)
        run = measure.in_child(functools.partial(_rebase_and_skip, bench, folder))
        trees.add(_git(folder, "rev-parse", "HEAD^{tree}").stdout.decode().strip())
    finally:
        shutil.rmtree(folder)
    return run


def _clone(bench: Bench, folder: Path) -> None:
    """Make a clone that borrows all objects, with the range's end checked out."""
    _git(folder, "init", "--quiet")
    lines = f"{bench.git.git_dir / 'objects'}\n"
    (folder / ".git/objects/info/alternates").write_text(lines, encoding="utf-8")
    for key in ("gc.auto", "maintenance.auto", "rerere.enabled", "advice.skippedCherryPicks"):
        _git(folder, "config", key, "0")
    missing = sorted({path for oid in (bench.last, bench.onto) for path in _missing(bench, oid)})
    patterns = ["/*", *(f"!/{path}" for path in missing)]
    for key, value in _PARTIAL.items() if missing else ():
        _git(folder, "config", key, value)
    (folder / ".git/info").mkdir(exist_ok=True)
    _git(folder, "sparse-checkout", "set", "--no-cone", *patterns)
    _git(folder, "checkout", "--quiet", "-B", "work", bench.last)
    time.sleep(1.1)  # entries of an index as old as its files are read again by each command


def _missing(bench: Bench, commit: str) -> list[str]:
    """Return the paths of files of a commit that the repository has no content of."""
    rows = bench.git.line("ls-tree", "-r", "--format=%(objectname) %(path)", commit).split("\n")
    ids = "".join(f"{row.split(' ')[0]}\n" for row in rows).encode()
    answers = bench.git.out("cat-file", "--batch-check=%(objecttype)", stdin=ids).splitlines()
    return [
        row.split(" ", 1)[1]
        for row, answer in zip(rows, answers, strict=True)
        if answer.endswith(b" missing")
    ]


def _rebase_and_skip(bench: Bench, folder: Path) -> None:
    _git(folder, "rebase", "--quiet", "--onto", bench.onto, bench.first, "work", check=False)
    while (folder / ".git/rebase-merge").is_dir():
        _git(folder, "rebase", "--skip", check=False)


def _git(folder: Path, *args: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["git", *args],
        cwd=folder,
        env={**os.environ, **_IDENTITY},
        capture_output=True,
        check=check,
    )

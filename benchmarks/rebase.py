"""What rebasing a real queue costs, beside `git rebase` with `--skip` at each stop.

    python -m benchmarks.rebase --repository GIT_DIR --range v1.15.3..r1.15.3+nv20.09
        --onto v1.15.4 [--rounds N] [--growth 10,40,160,639] [--trees]

with GIT_DIR a clone of NVIDIA/tensorflow. The range becomes a queue in a temporary folder, and its
commits are checked to make the range's own tree. Then these arms run in turn, each in a process of
its own, and all must give the same tree:

- `git`: `git rebase --onto`, then `git rebase --skip` until it is done. Each run has a fresh clone
  that borrows the repository's objects, with its files checked out before the clock starts. Files
  whose content the repository lacks are left out of that clone by a sparse checkout; no patch
  touches them.
- `again`: the queue, from its files to every patch's status, with the mirror as an earlier run left
  it: what `scripts/inv rebase --on-conflict skip` does.
- `first`: the same with an empty mirror cache, so that all patch files are parsed and made commits.
- `commits`: from commits, as git starts.

With `--trees` each arm of `git` and `commits` runs once, and the two trees are printed with what
they took; `--range` and `--onto` may be given several times, in pairs. Ranges that were compared
(three dots: from where the two part): electron's `43-x-y...42-x-y` onto `43-x-y`, valkey's
`unstable...8.0` onto `unstable`, NVIDIA/tensorflow's `v1.15.4..r1.15.4+nv20.12` onto `v1.15.5`.

Figures are medians. Memory is the largest single process of an arm. Targets: at least 10 times as
fast as git, under 300 MB. `--growth` repeats `first` and `again` for the range's first patches.
"""

from __future__ import annotations

import argparse
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
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.exchange import importing
from tensorflow_macos_build.patchqueue.queue import materialise, opening, storage
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict
from tests.repositories import commits_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Run

_IDENTITY = {
    "GIT_COMMITTER_NAME": "Benchmark",
    "GIT_COMMITTER_EMAIL": "benchmark@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_EDITOR": "true",
}


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

    def to(self, last: str) -> Bench:
        """Return the same for a shorter range."""
        return Bench(self.git, self.first, last, self.onto, self.scratch)


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--range", required=True, action="append")
    parser.add_argument("--onto", required=True, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", default="")
    parser.add_argument("--trees", action="store_true")
    arguments = parser.parse_args()
    git = Git(arguments.repository.resolve())
    print(measure.machine())
    graph = (git.git_dir / "objects/info/commit-graph").exists()
    print(f"commit-graph: {'yes' if graph else 'no'}; {_git_version()}")
    for span, onto in zip(arguments.range, arguments.onto, strict=True):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
            bench = _bench(git, span, onto, Path(scratch))
            if arguments.trees:
                _compare_trees(bench, f"{span} onto {onto}")
                continue
            _compare(bench, arguments.rounds)
            for size in map(int, filter(None, arguments.growth.split(","))):
                _grow(bench, size, arguments.rounds)


def _bench(git: Git, span: str, onto: str, scratch: Path) -> Bench:
    first, dots, last = span.partition("...") if "..." in span else span.partition("..")
    ids = [resolve(git, name) for name in (first, last, onto)]
    if dots == "...":
        ids[0] = git.line("merge-base", ids[0], ids[1])
    return Bench(git, ids[0], ids[1], ids[2], scratch)


def _compare_trees(bench: Bench, title: str) -> None:
    """Print the tree that git makes, and ours; fail when they differ."""
    trees: dict[str, set[str]] = {"git": set(), "ours": set()}
    runs = {
        "git": _by_git(bench, trees["git"]),
        "ours": _child_run(trees["ours"], _by_commits, bench),
    }
    print(f"{title}: {len(bench.commits)} patches")
    for name, run in runs.items():
        took = f"{run.seconds:.1f} s, {run.cpu_seconds:.1f} s CPU, {run.peak_mb:.0f} MB"
        print(f"  {name:4} {trees[name].copy().pop()} in {took}")
    if trees["git"] != trees["ours"]:
        raise SystemExit("the trees differ")


def _compare(bench: Bench, rounds: int) -> None:
    queue, cache = bench.scratch / "queue", bench.scratch / "cache"
    measure.in_child(functools.partial(_import, bench, queue))  # its memory is no arm's
    trees: set[str] = set()
    arms: dict[str, Callable[[], Run]] = {
        "git": functools.partial(_by_git, bench, trees),
        "again": functools.partial(_child_run, trees, _by_queue, bench, queue, cache),
        "first": functools.partial(_first, trees, bench, queue),
        "commits": functools.partial(_child_run, trees, _by_commits, bench),
    }
    measure.in_child(functools.partial(_by_queue, bench, queue, cache))
    runs = measure.interleaved(arms, rounds)
    if len(trees) != 1:
        raise SystemExit(f"the arms do not give one tree: {sorted(trees)}")
    print(f"{len(bench.commits)} patches; tree {trees.pop()} from all arms")
    peer = measure.median_seconds(runs["git"])
    for name, measured in runs.items():
        seconds, peak = measure.median_seconds(measured), measure.peak_mb(measured)
        spread = ", ".join(f"{run.seconds:.2f}" for run in measured)
        print(
            f"{name:8} median {seconds:6.2f} s ({spread}), {peer / seconds:5.1f} times git's "
            f"speed, peak {peak:.0f} MB"
        )


def _grow(bench: Bench, size: int, rounds: int) -> None:
    commits = bench.commits[:size]
    part = bench.to(commits[-1])
    queue, cache = bench.scratch / f"queue-{size}", bench.scratch / f"cache-{size}"
    measure.in_child(functools.partial(_import, part, queue))
    measure.in_child(functools.partial(_by_queue, part, queue, cache))
    arms: dict[str, Callable[[], Run]] = {
        "first": functools.partial(_first, set(), part, queue),
        "again": functools.partial(_child_run, set(), _by_queue, part, queue, cache),
    }
    runs = measure.interleaved(arms, rounds)
    figures = []
    for name, measured in runs.items():
        seconds = measure.median_seconds(measured)
        figures.append(f"{name} {seconds:.2f} s ({1000 * seconds / len(commits):.1f} ms a patch)")
    print(f"{len(commits):4} patches: {'; '.join(figures)}")


def _import(bench: Bench, folder: Path) -> None:
    span = f"{bench.first}..{bench.last}"
    source = importing.ImportSource(
        importing.SourceKind.RANGE, span, os.fspath(bench.git.git_dir), bench.first
    )
    importing.import_changes(source, folder, bench.scratch / "import-cache", silent)
    with open_quarantine(bench.git) as quarantine:
        last = materialise.queue_commits(storage.load(folder), quarantine)[-1].commit
        if quarantine.tree(last) != quarantine.tree(bench.last):
            raise SystemExit("the queue does not make the tree of the range")


def _by_queue(bench: Bench, queue: Path, cache: Path) -> str:
    opened = opening.open(queue, cache)
    return engine.rebase_folder(queue, opened.mirror, bench.onto, OnConflict.SKIP).tree


def _by_commits(bench: Bench) -> str:
    patches = commits_of(bench.git, f"{bench.first}..{bench.last}")
    base = QueueBase("", bench.first, bench.first)
    with open_quarantine(bench.git) as quarantine:
        return engine.rebase_in(quarantine, base, bench.onto, patches, OnConflict.SKIP)[0].tree


def _first(trees: set[str], bench: Bench, queue: Path) -> Run:
    cache = Path(tempfile.mkdtemp(dir=bench.scratch))
    try:
        return _child_run(trees, _by_queue, bench, queue, cache)
    finally:
        shutil.rmtree(cache)


def _child_run(trees: set[str], body: Callable[..., str], bench: Bench, *args: Path) -> Run:
    """Measure an arm of ours in a child, which leaves its tree in a file."""
    answer = bench.scratch / "tree"
    run = measure.in_child(lambda: answer.write_text(body(bench, *args), encoding="ascii"))
    trees.add(answer.read_text(encoding="ascii"))
    return run


def _by_git(bench: Bench, trees: set[str]) -> Run:
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
    patterns = ["/*", *(f"!/{path}" for path in _missing(bench))]
    (folder / ".git/info").mkdir(exist_ok=True)
    _git(folder, "sparse-checkout", "set", "--no-cone", *patterns)
    _git(folder, "checkout", "--quiet", "-B", "work", bench.last)
    time.sleep(1.1)  # entries of an index as old as its files are read again by each command


def _missing(bench: Bench) -> list[str]:
    """Return the paths of files that the repository has no content of."""
    rows = bench.git.line("ls-tree", "-r", "--format=%(objectname) %(path)", bench.last).split("\n")
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


def _git_version() -> str:
    return (
        subprocess.run(["git", "--version"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


if __name__ == "__main__":
    main()

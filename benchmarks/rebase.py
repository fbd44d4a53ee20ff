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
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from benchmarks.rebase_arms import (
    Bench,
    by_commits,
    by_first_queue,
    by_git,
    by_queue,
    import_queue,
    measured_run,
)
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.measure import Run


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
        "git": by_git(bench, trees["git"]),
        "ours": measured_run(trees["ours"], by_commits, bench),
    }
    print(f"{title}: {len(bench.commits)} patches")
    for name, run in runs.items():
        took = f"{run.seconds:.1f} s, {run.cpu_seconds:.1f} s CPU, {run.peak_mb:.0f} MB"
        print(f"  {name:4} {trees[name].copy().pop()} in {took}")
    if trees["git"] != trees["ours"]:
        raise SystemExit("the trees differ")


def _compare(bench: Bench, rounds: int) -> None:
    queue, cache = bench.scratch / "queue", bench.scratch / "cache"
    measure.in_child(functools.partial(import_queue, bench, queue))  # its memory is no arm's
    trees: set[str] = set()
    arms: dict[str, Callable[[], Run]] = {
        "git": functools.partial(by_git, bench, trees),
        "again": functools.partial(measured_run, trees, by_queue, bench, queue, cache),
        "first": functools.partial(by_first_queue, trees, bench, queue),
        "commits": functools.partial(measured_run, trees, by_commits, bench),
    }
    measure.in_child(functools.partial(by_queue, bench, queue, cache))
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
    measure.in_child(functools.partial(import_queue, part, queue))
    measure.in_child(functools.partial(by_queue, part, queue, cache))
    arms: dict[str, Callable[[], Run]] = {
        "first": functools.partial(by_first_queue, set(), part, queue),
        "again": functools.partial(measured_run, set(), by_queue, part, queue, cache),
    }
    runs = measure.interleaved(arms, rounds)
    figures = []
    for name, measured in runs.items():
        seconds = measure.median_seconds(measured)
        figures.append(f"{name} {seconds:.2f} s ({1000 * seconds / len(commits):.1f} ms a patch)")
    print(f"{len(commits):4} patches: {'; '.join(figures)}")


def _git_version() -> str:
    return (
        subprocess.run(["git", "--version"], capture_output=True, check=True)
        .stdout.decode()
        .strip()
    )


if __name__ == "__main__":
    main()

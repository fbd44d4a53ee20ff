"""What rebasing a real queue costs, beside `git rebase` with `--skip` at each stop.

    python -m benchmarks.rebase --repository GIT_DIR --range v1.15.3..r1.15.3+nv20.09
        --onto v1.15.4 [--rounds N] [--growth 10,40,160,639]

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

Figures are medians. Memory is the largest single process of an arm. All arms make thousands of
files: what that costs at the time is printed first, and TMPDIR is best on a memory file system
(benchmarks/measure.py says why). Targets: at least 10 times as fast as git, under 300 MB.
`--growth` repeats `first` and `again` for the range's first patches.

    python -m benchmarks.rebase --clones DIR [ROW …] [--rounds N] [--alone]

measures the queues of benchmarks/rebase_rows.py that are hard to rebase: those named, or all. DIR
has a bare clone of each project in OWNER+NAME/repo. The arms are `git`, as above; `skip`, which
does the same in memory, from commits to every patch's status, and has to make the same tree; and
`go on`, which is what `scripts/inv rebase` does by default. For each arm of ours the files and the
hunks in conflict are counted, the hunks whose upstream commits are named (`blamed`), and the
statuses. `--alone` leaves git out, which takes minutes for some. With `--growth` only `go on` runs,
on the row's first patches, so many of them: what a patch costs is to stay the same.
"""

from __future__ import annotations

import argparse
import functools
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure, rebase_rows
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
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--repository", type=Path)
    where.add_argument("--clones", type=Path)
    parser.add_argument("rows", nargs="*", choices=[*rebase_rows.ROWS, []], metavar="ROW")
    parser.add_argument("--range")
    parser.add_argument("--onto")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--growth", default="")
    parser.add_argument("--alone", action="store_true")
    arguments = parser.parse_args()
    print(f"{measure.machine()}; {_git_version()}\n{measure.scratch()}")
    if arguments.clones:
        for row in arguments.rows or rebase_rows.ROWS:
            rounds, alone = arguments.rounds, arguments.alone
            if sizes := _sizes(arguments):
                rebase_rows.measure_growth(row, arguments.clones, sizes, rounds)
            else:
                rebase_rows.measure_row(row, arguments.clones, rounds, alone=alone)
    else:
        _measure_range(arguments)


def _sizes(arguments: argparse.Namespace) -> list[int]:
    return [int(size) for size in arguments.growth.split(",") if size]


def _measure_range(arguments: argparse.Namespace) -> None:
    git = Git(arguments.repository.resolve())
    graph = (git.git_dir / "objects/info/commit-graph").exists()
    print(f"commit-graph: {'yes' if graph else 'no'}")
    first, _, last = arguments.range.partition("..")
    ids = [resolve(git, name) for name in (first, last, arguments.onto)]
    with tempfile.TemporaryDirectory(prefix="benchmark-") as scratch:
        bench = Bench(git, ids[0], ids[1], ids[2], Path(scratch))
        _compare(bench, arguments.rounds)
        for size in _sizes(arguments):
            _grow(bench, size, arguments.rounds)


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

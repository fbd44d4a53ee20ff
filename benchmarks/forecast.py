"""How long a forecast of a real queue takes: the matrix, the breaking commits, the memory.

    python -m benchmarks.forecast GIT_DIR v1.15.3 r1.15.3+nv20.09 v1.15.4 v1.15.5

with GIT_DIR a clone of NVIDIA/tensorflow. For comparison the same revisions are rebased on, which
is a forecast without the breaking commits. Peak memory is this process's own, git's not counted.
"""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from pathlib import Path

from benchmarks import measure
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.forecast.forecast import Forecaster
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tests.repositories import commits_of

_URL = "https://github.com/tensorflow/tensorflow"


def main() -> None:
    """Measure, and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("git_dir", type=Path)
    parser.add_argument("base")
    parser.add_argument("tip", help="the fork's branch: its commits on the base are the queue")
    parser.add_argument("onto", nargs="+")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    git = Git(arguments.git_dir)
    base = QueueBase(_URL, arguments.base, resolve(git, arguments.base))
    onto = {name: resolve(git, name) for name in arguments.onto}
    arms = {
        "forecast": functools.partial(_forecast, git, base, arguments.tip, onto),
        "rebases": functools.partial(_rebases, git, base, arguments.tip, onto),
    }
    runs = measure.interleaved(
        {name: functools.partial(measure.in_child, body) for name, body in arms.items()},
        arguments.rounds,
    )
    print(measure.machine())
    for name, measured in runs.items():
        seconds, peak = measure.median_seconds(measured), measure.peak_mb(measured)
        print(f"{name}: median {seconds:.2f} s of {arguments.rounds}, peak {peak:.0f} MB")
    _forecast(git, base, arguments.tip, onto, shown=True)


def _rebases(git: Git, base: QueueBase, tip: str, onto: dict[str, str]) -> None:
    patches = commits_of(git, f"{base.commit}..{tip}")
    with open_quarantine(git) as quarantine:
        for commit in onto.values():
            engine.rebase_in(quarantine, base, commit, patches)


def _forecast(
    git: Git, base: QueueBase, tip: str, onto: dict[str, str], *, shown: bool = False
) -> None:
    patches = commits_of(git, f"{base.commit}..{tip}")
    with open_quarantine(git) as quarantine:
        forecaster = Forecaster(quarantine, base, patches, Decisions())
        columns = forecaster.columns(onto)
    if not shown:
        return
    print(
        f"{len(patches)} patches; the breaking commits took replays on {forecaster.replays} commits"
    )
    for column in columns:
        counts = Counter(fate.status.value for fate in column.cells)
        print(f"{column.ref}, {column.distance} commits on: {dict(counts)}")
        for patch, fate in zip(patches, column.cells, strict=True):
            if fate.breaking is not None:
                commit = fate.breaking.commit
                print(f"  {patch.subject}")
                print(f"    {fate.breaking.kind.value} {commit.oid[:12]} {commit.subject}")


if __name__ == "__main__":
    main()

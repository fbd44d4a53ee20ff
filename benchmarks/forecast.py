"""What a forecast of a real queue costs beside one rebase, and what it finds.

    python -m benchmarks.forecast GIT_DIR v1.15.3 r1.15.3+nv20.09 v1.15.5 [--along 20] [--rounds N]

with GIT_DIR a clone of NVIDIA/tensorflow. The revisions are those named; with `--along N` they are
N commits of the first parents that lead to each, at equal distances, the last of them included. One
rebase of the queue, onto the last revision, is measured in the same run, and one on each revision,
which is a forecast without the breaking commits. Peak memory is this process's own, git's not
counted.
"""

from __future__ import annotations

import argparse
import functools
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from tensorflow_macos_build import cycles
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.git.repository import Git
from tensorflow_macos_build.patchqueue.forecast.forecast import Forecaster
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.queue.model import QueueBase
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tests.repositories import commits_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.patchqueue.forecast.model import ForecastColumn
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit

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
    parser.add_argument("--along", type=int, default=0, metavar="N")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    git = Git(arguments.git_dir)
    base = QueueBase(_URL, arguments.base, resolve(git, arguments.base))
    onto = {name: resolve(git, name) for name in arguments.onto}
    if arguments.along:
        onto = {
            oid[:12]: oid
            for commit in onto.values()
            for oid in _along(git, base.commit, commit, arguments.along)
        }
    patches = commits_of(git, f"{base.commit}..{arguments.tip}")
    arms: dict[str, Callable[[], object]] = {
        "forecast": functools.partial(_forecast, git, base, patches, onto),
        "rebases": functools.partial(_rebases, git, base, patches, [*onto.values()]),
        "rebase": functools.partial(_rebases, git, base, patches, [*onto.values()][-1:]),
    }
    print(f"{measure.machine()}\n{measure.scratch()}")
    runs = measure.interleaved(
        {name: functools.partial(measure.in_child, body) for name, body in arms.items()},
        arguments.rounds,
    )
    print(f"{len(patches)} patches, {len(onto)} revisions")
    peer = measure.median_cpu_seconds(runs["rebase"])
    for name, measured in runs.items():
        cpu, peak = measure.median_cpu_seconds(measured), measure.peak_mb(measured)
        print(
            f"{name:9} {cpu:6.2f} s of CPU, {cpu / peer:5.2f} times one rebase, "
            f"{measure.median_seconds(measured):6.2f} s by the clock, peak {peak:.0f} MB"
        )
    _show(patches, *_forecast(git, base, patches, onto))


def _along(git: Git, base: str, commit: str, count: int) -> list[str]:
    """Return commits on the way to one, that included."""
    line = git.line("rev-list", "--first-parent", "--reverse", f"{base}..{commit}").split()
    return [line[(number + 1) * len(line) // count - 1] for number in range(count)]


def _rebases(
    git: Git, base: QueueBase, patches: Sequence[QueueCommit], onto: Sequence[str]
) -> None:
    with open_quarantine(git) as quarantine:
        for commit in onto:
            engine.rebase_in(quarantine, base, commit, patches)


@cycles.rarely_sought()  # as in `forecast.forecast`, and in a rebase
def _forecast(
    git: Git, base: QueueBase, patches: Sequence[QueueCommit], onto: dict[str, str]
) -> tuple[int, tuple[ForecastColumn, ...]]:
    with open_quarantine(git) as quarantine:
        forecaster = Forecaster(quarantine, base, patches, Decisions())
        columns = forecaster.columns(onto)
    return forecaster.replays, columns


def _show(patches: Sequence[QueueCommit], replays: int, columns: Sequence[ForecastColumn]) -> None:
    print(f"the breaking commits took replays on {replays} commits")
    for column in columns:
        counts = Counter(fate.status.value for fate in column.cells)
        some = sum(not fate.all_tried for fate in column.cells)
        print(f"{column.ref}, {column.distance} commits on: {dict(counts)}; {some} not all tried")
        for patch, fate in zip(patches, column.cells, strict=True):
            if fate.breaking is not None:
                print(f"  {patch.subject}")
                for turn in fate.earlier:
                    words = "healed" if turn.heals else "broken"
                    print(f"    {words} {turn.kind.value} {turn.commit.oid[:12]}")
                commit = fate.breaking.commit
                print(f"    {fate.breaking.kind.value} {commit.oid[:12]} {commit.subject}")


if __name__ == "__main__":
    main()

"""Show that `bench` finds no difference where there is none: an environment against itself.

    python -m benchmarks.bench_aa ENVIRONMENT [--runs 20] [--workloads dense-small] [--keep FOLDER]

Each run is a whole benchmark with a seed of its own: a baseline, its second copy, and an arm that
is the same environment once more. A verdict "faster" or "slower" is a false win. The folder keeps
what was measured, so that a run that was ended goes on.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measure import machine
from tensorflow_macos_build.console import Console
from tensorflow_macos_build.smoke.bench import Arm, BenchDesign, BenchOptions, BenchVerdict, bench
from tensorflow_macos_build.smoke.bench.intervals import FEWEST_SESSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.smoke.bench import BenchResult, BenchRow

_WINS = (BenchVerdict.FASTER, BenchVerdict.SLOWER)


def main() -> None:
    """Run the benchmarks and print what they said."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("environment", type=Path)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--sessions", type=int, default=6)
    parser.add_argument("--workloads", default="dense-small")
    parser.add_argument("--keep", type=Path, default=Path("build/bench-aa"))
    options = parser.parse_args()
    if options.sessions < FEWEST_SESSIONS:
        parser.error(f"--sessions: no verdict rests on fewer than {FEWEST_SESSIONS}")
    print(machine())
    results = [_run(options, seed) for seed in range(1, options.runs + 1)]
    wins = [row for result in results for row in result.rows if row.verdict in _WINS]
    _print_summary(results, wins)
    sys.exit(1 if wins else 0)


def _run(options: argparse.Namespace, seed: int) -> BenchResult:
    python = str(options.environment)
    arms = (Arm("baseline", python, "CPU:0"), Arm("same", python, "CPU:0"))
    workloads = tuple(options.workloads.split(","))
    design = BenchDesign(arms, workloads, "tiny", sessions=options.sessions, seed=seed)
    with Console().progress(f"run {seed}") as ticker:
        result = bench(design, _interpreter, BenchOptions(options.keep / f"{seed:03}"), ticker)
    for row in result.rows:
        _print_row(seed, row)
    return result


def _interpreter(arm: Arm) -> Path:
    python = arm.interpreter
    assert python is not None, f"{arm.source} is no environment"
    return python


def _print_row(seed: int, row: BenchRow) -> None:
    shown = "no interval"
    if row.interval is not None:
        low, ratio, high = row.interval.low, row.interval.ratio, row.interval.high
        shown = f"{ratio:.3f} [{low:.3f}, {high:.3f}]"
    name = "A/A" if row.is_control else row.arm
    print(f"run {seed:2} {row.workload:14} {name:6} {shown}: {row.verdict.value} {row.why}")
    sys.stdout.flush()


def _print_summary(results: Sequence[BenchResult], wins: Sequence[BenchRow]) -> None:
    rows = [row for result in results for row in result.rows if row.interval is not None]
    intervals = [row.interval for row in rows if row.interval is not None]
    missed = sum(interval.side != 0 for interval in intervals)
    measured = [item for result in results for item in result.measurements]
    taken = sum(item.seconds for item in measured)
    spread = statistics.stdev(math.log(interval.ratio) for interval in intervals)
    widest = max(interval.reach for interval in intervals)
    print(
        f"{len(results)} runs, {len(rows)} rows (A/A and arm), {len(measured)} processes, "
        f"{sum(bool(item.why) for item in measured)} failed, {taken:.0f} s\n"
        f"intervals without 1: {missed} of {len(rows)}; ratios' spread {spread:.1%}, "
        f"farthest end of an interval {widest:.2f}\n"
        f"false wins: {len(wins)}; of none, the bound at 95 % is {_bound(len(results)):.0%} of runs"
    )


def _bound(runs: int) -> float:
    """Return how often at most something happens, at 95 %, that did not happen in so many runs."""
    return float(1 - 0.05 ** (1 / runs))


if __name__ == "__main__":
    main()

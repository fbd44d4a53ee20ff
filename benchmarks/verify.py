"""How much more than inflating and hashing a wheel its verification costs.

    python -m benchmarks.verify WHEEL [--rounds N] [--workers N]

Two arms run in turn, each in a process of its own: the bare cost (every member inflated by zlib-ng
and hashed by SHA-256, in the same number of threads, the largest members first) and the whole
verification. Figures are medians; the target is a ratio of at most 1.5.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import os
import zipfile
from pathlib import Path

from benchmarks import bare_cost, measure
from tensorflow_macos_build.wheels.verify import Severity, VerifyOptions, verify

_CHUNK = 1 << 20


def bare(wheel: Path, workers: int) -> None:
    """Inflate and hash every member, and nothing else."""
    with zipfile.ZipFile(wheel) as archive:
        members = sorted(archive.infolist(), key=lambda member: -member.file_size)
    descriptor = os.open(wheel, os.O_RDONLY)
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        list(pool.map(functools.partial(bare_cost.inflate, descriptor, block=_CHUNK), members))
    os.close(descriptor)


def main() -> None:
    """Run the arms and print their medians."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 2)
    arguments = parser.parse_args()
    wheel, workers = arguments.wheel, arguments.workers
    options = VerifyOptions(workers=workers)
    arms = {
        "bare": lambda: measure.in_child(lambda: bare(wheel, workers)),
        "verify": lambda: measure.in_child(lambda: verify(wheel, options)),
    }
    runs = measure.interleaved(arms, arguments.rounds)
    print(measure.machine())
    verification = verify(wheel, options)
    counts = ", ".join(f"{verification.count(severity)} {severity.value}" for severity in Severity)
    print(f"{wheel.name}: {counts}; {verification.binaries} binaries, {verification.slices} slices")
    for name, measured in runs.items():
        seconds = " ".join(f"{run.seconds:.2f}" for run in measured)
        median = measure.median_seconds(measured)
        peak = measure.peak_mb(measured)
        cpu = measure.median_cpu_seconds(measured)
        print(
            f"{name:7} median {median:6.2f} s, {cpu:6.2f} s CPU  peak {peak:4.0f} MB  ({seconds})"
        )
    ratio = measure.median_seconds(runs["verify"]) / measure.median_seconds(runs["bare"])
    cpu = measure.median_cpu_seconds(runs["verify"]) / measure.median_cpu_seconds(runs["bare"])
    print(f"ratio   {ratio:.2f} in time, {cpu:.2f} in CPU time (target: at most 1.5)")


if __name__ == "__main__":
    main()

"""Random runs of publishing against a failing server: `python -m benchmarks.publishing [RUNS]`.

Each run makes a random release and a repository with a random history, lets requests fail in all
ways of `tests.github_releases.FAULTS` (kills of the process among them), and starts the program
again until it is done. It ends with an error where the public has ever seen anything but the whole
release, or the token has turned up anywhere.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.release_runs import random_run


def main() -> int:
    """Run it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="?", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1000)
    given = parser.parse_args()
    starts, begun = Counter[int](), time.monotonic()
    for seed in range(given.seed, given.seed + given.runs):
        with tempfile.TemporaryDirectory() as folder:
            starts[random_run(seed, Path(folder))] += 1
    seconds = time.monotonic() - begun
    total = sum(count * times for count, times in starts.items())
    print(f"{given.runs} runs, all complete, in {total} starts of the program; {seconds:.0f} s")
    print(f"starts until complete: {dict(sorted(starts.items()))}")
    print("never a part, a wrong file or a token seen")
    return 0


if __name__ == "__main__":
    sys.exit(main())

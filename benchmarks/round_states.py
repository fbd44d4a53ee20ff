"""What a saved state costs: one the size of TensorFlow's, written, read back, and put elsewhere.

    .venv/bin/python -m benchmarks.round_states FOLDER [--actions 30000] [--gigabytes 1]

FOLDER does not exist. A disk cache is made in it in Bazel's form: each action with three files, one
of them shared with its neighbours, of sizes that vary a hundredfold. Then a round is ended, and
another machine's begins. Prints the processor time of both, beside that of `tar` and `sha256sum`
for the same bytes, and of a look at the cache's size, which a build takes now and then.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline.rounds import round
from tensorflow_macos_build.pipeline.rounds.folder import StateFolder
from tensorflow_macos_build.pipeline.rounds.model import RoundEnd
from tensorflow_macos_build.pipeline.rounds.round import RoundTerms
from tensorflow_macos_build.pipeline.rounds.store import Store
from tests.disk_caches import Filler

if TYPE_CHECKING:
    from collections.abc import Callable

TERMS = RoundTerms("benchmark", {"cc": "1"}, "0" * 64, 10**12, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--actions", type=int, default=30_000)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    options = parser.parse_args()
    options.folder.mkdir(parents=True)
    print(json.dumps(measured(options.folder, options.actions, options.gigabytes * 1e9), indent=1))


def measured(folder: Path, actions: int, size: float) -> dict[str, float]:
    """Return processor seconds by what took them, and the state's size."""
    states, store, other = StateFolder(folder / "states"), Store(folder / "one"), folder / "two"
    begun = round.begin(TERMS, store, states, print)
    fill(store.folder, actions, size)
    row: dict[str, float] = {"actions": actions}
    row["size_of_cache_s"] = seconds(store.cache.size)
    row["save_s"] = seconds(lambda: begun.finish(RoundEnd.DONE, ()))
    row["bytes"] = states.path(1).stat().st_size
    row["begin_elsewhere_s"] = seconds(lambda: round.begin(TERMS, Store(other), states, print))
    row["tar_s"] = seconds(lambda: run("tar", "-cf", folder / "plain.tar", "-C", other, "."))
    row["sha256sum_s"] = seconds(lambda: run("sha256sum", folder / "plain.tar"))
    return {name: float(f"{value:.3f}") for name, value in row.items()}


def fill(folder: Path, actions: int, size: float) -> None:
    """Put actions into a cache, which have so many bytes together."""
    draw = random.Random(1)
    mean = size / actions / 2
    filler = Filler(folder)
    for number in range(actions):
        large = os.urandom(int(mean * 10 ** draw.uniform(-1, 1) / 2.15 * 2))
        shared = b"header %d" % (number // 5)
        name = f"bazel-out/darwin_arm64-opt/bin/tensorflow/core/kernels/_objs/k{number}/op"
        outputs = {f"{name}.o": large, f"{name}.d": b"%d" % number, f"{name}.h": shared}
        filler.action(str(number), outputs)


def seconds(work: Callable[[], object]) -> float:
    begun = os.times()
    work()
    return sum(os.times()[:4]) - sum(begun[:4])


def run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()

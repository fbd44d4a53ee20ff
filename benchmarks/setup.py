"""What the first start of a fresh clone costs, for each of some revisions.

    .venv/bin/python -m benchmarks.setup [REVISION …]

A clone of this checkout is set up with an empty home, so that everything is fetched (cold), and
another one with the caches that this has left (warm). Measured are the set-up by `scripts/inv
--version`, the time to the first line that `scripts/inv build` itself prints, and the size.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure

if TYPE_CHECKING:
    from collections.abc import Mapping

OF_SET_UP = ("inv: ", "WARNING: ", "ERROR: ")


@dataclass(frozen=True)
class SetUp:
    """One set-up of one clone.

    Attributes:
        run: what `scripts/inv --version` took, the set-up included.
        first_line: seconds from a fresh clone to the first line of `build`, the set-up included.
        megabytes: what lies below .venv.
    """

    run: measure.Run
    first_line: float
    megabytes: float


def _set_up(revision: str, home: Path) -> SetUp:
    variables = {**os.environ, "HOME": str(home), "NO_COLOR": "1"}
    variables.pop("XDG_CACHE_HOME", None)
    with tempfile.TemporaryDirectory() as folder:
        checkout = Path(folder) / "checkout"
        subprocess.run(["git", "clone", "--quiet", ".", checkout], check=True)
        subprocess.run(["git", "-C", checkout, "checkout", "--quiet", revision], check=True)
        argv = [str(checkout / "scripts/inv")]
        run = measure.in_child(
            lambda: subprocess.run(
                [*argv, "--version"], env=variables, check=True, capture_output=True
            )
        )
        more = _seconds_to_first_line([*argv, "build"], variables)
        return SetUp(run, run.seconds + more, _megabytes(checkout / ".venv"))


def _seconds_to_first_line(argv: list[str], variables: Mapping[str, str]) -> float:
    begun = time.perf_counter()
    with subprocess.Popen(
        argv,
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as child:
        assert child.stdout is not None
        lines = (line for line in child.stdout if not line.startswith(OF_SET_UP))
        is_there = next(lines, None) is not None
        seconds = time.perf_counter() - begun
        os.killpg(child.pid, signal.SIGKILL)
    if not is_there:
        raise RuntimeError(f"{argv} has said nothing")
    return seconds


def _megabytes(folder: Path) -> float:
    # Without links, for Python's own files are not the environment's.
    sizes = (path.lstat().st_size for path in folder.resolve().rglob("*") if path.is_file())
    return sum(sizes) / 1e6


def main(revisions: list[str]) -> None:
    print(measure.machine())
    print(f"{'revision':24} {'caches':6} {'CPU s':>6} {'s':>6} {'to first line s':>16} {'MB':>5}")
    for revision in revisions:
        with tempfile.TemporaryDirectory() as home:
            for caches in ("cold", "warm"):
                made = _set_up(revision, Path(home))
                print(
                    f"{revision:24} {caches:6} {made.run.cpu_seconds:6.1f} {made.run.seconds:6.1f}"
                    f" {made.first_line:16.1f} {made.megabytes:5.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main(sys.argv[1:] or ["HEAD"])

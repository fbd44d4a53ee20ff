"""How long a build takes that has nothing to do, against the bare start of the interpreter.

    python -m benchmarks.build_again PROJECT [ROUNDS]

PROJECT is a checkout in which `scripts/inv build` has run. Prints medians in seconds, and their
difference.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks import measure

ROOT = Path(__file__).resolve().parents[1]


def _runs(*argv: str, cwd: Path) -> measure.Run:
    def body() -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        quiet = subprocess.DEVNULL
        subprocess.run(
            [sys.executable, *argv], cwd=cwd, env=env, stdout=quiet, stderr=quiet, check=True
        )

    return measure.in_child(body)


def main(project: Path, rounds: int) -> None:
    """Run both arms in turn and print what they took."""
    program = ("-m", "tensorflow_macos_build", "build")
    runs = measure.interleaved(
        {
            "interpreter": lambda: _runs("-c", "pass", cwd=project),
            "build again": lambda: _runs(*program, cwd=project),
        },
        rounds,
    )
    medians = {name: measure.median_seconds(measured) for name, measured in runs.items()}
    print(measure.machine())
    for name, seconds in medians.items():
        print(f"{name:12} {seconds:6.3f} s")
    print(f"{'beyond':12} {medians['build again'] - medians['interpreter']:6.3f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 11)

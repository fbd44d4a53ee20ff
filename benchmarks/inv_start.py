"""What scripts/inv adds to the start of a task, in a checkout that is set up.

    .venv/bin/python -m benchmarks.inv_start [CHECKOUT]

Arms: scripts/inv, the interpreter and invoke that it starts in the end, and the bare interpreter.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import measure

ROUNDS = 21


def _timed(argv: list[str], root: Path) -> measure.Run:
    return measure.in_child(
        lambda: subprocess.run(argv, cwd=root, stdout=subprocess.DEVNULL, check=True)
    )


def main(root: Path) -> None:
    python = str(root / ".venv/bin/python")
    argvs = {
        "scripts/inv --version": [str(root / "scripts/inv"), "--version"],
        "program --version": [python, "-m", "tensorflow_macos_build", "--version"],
        "python -c pass": [python, "-c", "pass"],
    }

    arms = {name: functools.partial(_timed, argv, root) for name, argv in argvs.items()}
    runs = measure.interleaved(arms, ROUNDS)
    medians = {name: measure.median_seconds(measured) for name, measured in runs.items()}
    print(measure.machine())
    for name, seconds in medians.items():
        print(f"{name:24} {seconds * 1000:7.1f} ms")
    inv, program, _ = medians.values()
    print(f"scripts/inv adds {(inv - program) * 1000:.1f} ms, ratio {inv / program:.3f}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else os.curdir).resolve())

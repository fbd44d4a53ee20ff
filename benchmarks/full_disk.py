"""Build the miniature on file systems that are full too early, then give them room and go on.

    sudo .venv/bin/python -m benchmarks.full_disk [--sizes-kb 300 600 900 1200 1500]

Each time a tmpfs of that size is mounted, and one architecture built in it. That must succeed, or
end with 1 and say that there is no space left, where, and what to do. Then the file system is made
large, and the same command line must end with 0.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.projects import Project

SIZES_KB = (300, 600, 900, 1200, 1500)
ROOM_KB = 1 << 20
WORDS = ("there is no space left for the build", "hint: this config needs about")


def fault_at(top: Path, size: int) -> str:
    """Return what was not as it must be on a file system of so many kB; "" where all was."""
    flags = ("--arch", "arm64", "--ignore", "disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}k", "tmpfs", top], check=True)
    try:
        project = Project(top / "project")
        ended = project.run(*flags)
        full = ended.returncode != 0
        print(f"{size} kB: status {ended.returncode}", flush=True)
        if full and (ended.returncode != 1 or not all(word in ended.stderr for word in WORDS)):
            return f"{size} kB: status {ended.returncode}: {ended.stderr[-2000:]}"
        subprocess.run(["mount", "-o", f"remount,size={ROOM_KB}k", top], check=True)
        again = project.run(*flags)
        return f"{size} kB, with room: {again.stderr[-2000:]}" if again.returncode else ""
    except OSError as error:  # the project itself has no room
        return f"{size} kB: {error}"
    finally:
        subprocess.run(["umount", "--lazy", top], check=True)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes-kb", type=int, nargs="+", default=SIZES_KB)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="full-") as top:
        faults = [fault for size in arguments.sizes_kb if (fault := fault_at(Path(top), size))]
    print(f"{len(faults)} faults", *faults, sep="\n  ")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

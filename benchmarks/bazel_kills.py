"""Kill a build's own process, Bazel's client or its server; the same command must finish the work.

    .venv/bin/python -m benchmarks.bazel_kills [--kills 50] [--seed 0] [--strategy local]

One architecture of the miniature is built, undisturbed. Then, each time without Bazel's action
cache, so that all actions are to be run, one of the three processes gets SIGKILL at a random
moment, and the same command line is run again: it must end with 0 and give the same wheel. Then no
process may be at work, and no temporary folder lie about. With `--presses`, SIGINT is sent twice
instead, at every distance from 0 to 200 ms: the build must end with 130, and nothing be at work.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests import processes
from tests.projects import Project

if TYPE_CHECKING:
    import subprocess

VICTIMS = ("client", "server", "own")
STEP_MS = 5
LITTER = (".tmp-*", ".old-*", "at-work")


@dataclass
class Rounds:
    """Builds of one project, each with all actions to be run."""

    project: Project
    strategy: str

    @property
    def base(self) -> Path:
        return self.project.folder / "build" / "demo" / "bazel" / "output"

    @property
    def log(self) -> Path:
        return self.project.folder / "build" / "demo" / "bazel-arm64.log"

    def flags(self) -> tuple[str, ...]:
        """Return the flags of a build, with which it is none that is up to date."""
        strategy = f"--spawn_strategy={self.strategy}" if self.strategy else ""
        forced = ("--arch", "arm64", "--force", "build:arm64")
        return (*forced, "--set", f"bazel.flags=[{strategy}]")

    def forget(self) -> None:
        """Delete what Bazel knows of the actions that it has run."""
        shutil.rmtree(self.base / "action_cache", ignore_errors=True)

    def wheel(self) -> str:
        """Build to the end; return the wheel's digest."""
        ended = self.project.run(*self.flags())
        if ended.returncode:
            raise AssertionError(f"status {ended.returncode}: {ended.stderr[-2000:]}")
        wheels = self.project.folder.glob("build/demo/build-arm64/*/*.whl")
        newest = max(wheels, key=lambda path: path.stat().st_mtime_ns)
        return hashlib.sha256(newest.read_bytes()).hexdigest()

    def start(self) -> subprocess.Popen[str]:
        """Start a build with all actions to be run; return once it has come to Bazel."""
        self.forget()
        self.log.unlink(missing_ok=True)
        child = self.project.start(*self.flags())
        while child.poll() is None and not self.log.is_file():
            time.sleep(0.01)
        return child

    def left(self) -> list[str]:
        """Return what is at work in the project's folder, and what lies about in it."""
        mine = [line for line in processes.command_lines() if str(self.base) in line]
        litter = [path for name in LITTER for path in self.project.folder.rglob(name)]
        return [*(line[:100] for line in mine), *map(str, litter)]


def kill(rounds: Rounds, victim: str, moment: float) -> str:
    """Start a build and kill a process of it some seconds after its log is there.

    Returns:
        Whom it met; "" where the build had ended, or nothing of that kind was at work.
    """
    child = rounds.start()
    time.sleep(moment)
    pids = processes.of_bazel(rounds.base) | {"own": child.pid}
    met = victim if child.poll() is None and victim in pids else ""
    if met:
        os.kill(pids[victim], signal.SIGKILL)
    child.communicate()
    if met and child.returncode not in {0, 1, -signal.SIGKILL}:
        raise AssertionError(f"{victim}: status {child.returncode}")
    return met


def campaign(rounds: Rounds, kills: int, chance: random.Random) -> list[str]:
    """Kill so often; return what was not as it must be."""
    expected = rounds.wheel()
    rounds.forget()
    begun = time.monotonic()
    rounds.wheel()
    seconds = time.monotonic() - begun
    print(f"undisturbed: {seconds:.1f} s", flush=True)
    faults, met = [], Counter[str]()
    while met.total() < kills:
        victim, moment = VICTIMS[met.total() % 3], chance.random() * seconds * 0.8
        try:
            was_met = kill(rounds, victim, moment)
            if was_met and rounds.wheel() != expected:
                raise AssertionError("another wheel")
            if was_met and (left := rounds.left()):
                raise AssertionError(f"left: {left}")
        except AssertionError as fault:
            faults.append(f"{victim} after {moment:.2f} s: {fault}")
            print(faults[-1], flush=True)
        if was_met:
            met[victim] += 1
            print(f"{met.total()}: {victim} after {moment:.2f} s", flush=True)
    print(f"kills: {dict(met)}", flush=True)
    return faults


def presses(rounds: Rounds) -> list[str]:
    """Press twice at every distance; return what was not as it must be."""
    rounds.wheel()
    faults = []
    for distance in range(0, 201, STEP_MS):
        child = rounds.start()
        while child.poll() is None and b"s local" not in rounds.log.read_bytes():
            time.sleep(0.01)
        begun = time.monotonic()
        child.send_signal(signal.SIGINT)
        time.sleep(distance / 1000)
        child.send_signal(signal.SIGINT)
        child.communicate()
        seconds, left = time.monotonic() - begun, rounds.left()
        print(f"{distance} ms: status {child.returncode} after {seconds:.2f} s", flush=True)
        if child.returncode != 130 or left:
            faults.append(f"{distance} ms: status {child.returncode}, left {left}")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--strategy", default="")
    parser.add_argument("--presses", action="store_true")
    arguments = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    with tempfile.TemporaryDirectory(prefix="bazel-kills-") as top:
        project = Project(Path(top) / "project")
        if arguments.presses:
            faults = presses(Rounds(project, "local"))
        else:
            rounds = Rounds(project, arguments.strategy)
            faults = campaign(rounds, arguments.kills, random.Random(arguments.seed))
    print(f"{len(faults)} faults", *faults, sep="\n  ", flush=True)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

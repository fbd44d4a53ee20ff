"""A release of known cost, built in rounds on machine after machine, some of them killed.

    .venv/bin/python -m benchmarks.time_boxes FOLDER [--seconds 600] [--budget 120] [--jobs 4] …

FOLDER does not exist; its path has no space. The release of benchmarks/simulated_release.py is
built unbroken, and then in rounds with a time budget. Each round has a folder, a HOME and an output
base of its own, as on another machine; the saved state alone goes from one to the next. In the
second round this package's process is killed, in the third Bazel's server, in the fourth both and
Bazel's client, and the same command is typed again.

What ran is told by a journal that the actions themselves write. Prints for each round what ran,
what was lost, and what an earlier round had run; then what all actions that began cost beside what
they cost in an unbroken build, and the time beside that of one. It ends with an error where a stop
lost more than the actions that ran, or two rounds share others.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks import simulated_release

if TYPE_CHECKING:
    import subprocess
    from collections import Counter
    from pathlib import Path

    from benchmarks.simulated_release import SimulatedProject, SimulatedRelease

STATE = "state"
"""The folder of saved states, below the project."""

STOPPED = 75

KILLS = {2: ("process",), 3: ("server",), 4: ("process", "client", "server")}
"""Who is killed in which round."""


@dataclass(frozen=True)
class RoundTrace:
    """What a round left.

    Attributes:
        name: which round it was.
        status: the exit status of its last command.
        stops: how often it was stopped, by its budget or a kill.
        ended: how often each action ended.
        begun: how often each action began.
        seconds: how long its commands took.
        idle: how much of that passed before their first action began and after their last ended.
    """

    name: str
    status: int
    stops: int
    ended: Counter[str]
    begun: Counter[str]
    seconds: float
    idle: float

    @property
    def lost(self) -> int:
        """How many runs of actions were for nothing within the round."""
        return sum(self.begun.values()) - len(self.ended)


@dataclass
class Machine:
    """A stand-in for a machine, on which a round is built.

    Attributes:
        release: what is built.
        name: the round's.
        project: its folder.
    """

    release: SimulatedRelease
    name: str
    project: SimulatedProject
    seconds: float = 0.0
    idle: float = 0.0

    @classmethod
    def make(cls, release: SimulatedRelease, name: str) -> Machine:
        """Return a machine on which nothing was built."""
        folder = release.folder / f"machine {name}".replace(" ", "-")
        project = release.project(folder)
        (folder / "home").mkdir()
        project.env.update(HOME=str(folder / "home"))
        return cls(release, name, project)

    def run(self, *words: str, kill: tuple[str, ...] = (), after: int = 0) -> int:
        """Run a build; kill who is named after so many actions. Return its exit status."""
        journal, begun = self.release.journal.path, time.monotonic()
        before, first = self._ended(), 0.0
        child = self.project.start(*words, log=self.project.folder / "build.txt")
        while child.poll() is None:
            if not first and journal.exists() and len(self._lines()) > 0:
                first = time.monotonic() - begun
            if kill and self._ended() - before >= after:
                self._kill(child, kill)
                kill = ()
            time.sleep(0.05)
        took = time.monotonic() - begun
        self.seconds += took
        last = time.time() - journal.stat().st_mtime if journal.exists() else 0.0
        self.idle += (first or took) + min(last, took)
        return child.returncode

    def trace(self, status: int, stops: int) -> RoundTrace:
        """Return what the round left, and put its journal away."""
        begun, ended = self.release.journal.put_away(self.name).read()
        return RoundTrace(self.name, status, stops, ended, begun, self.seconds, self.idle)

    def _lines(self) -> list[str]:
        with contextlib.suppress(FileNotFoundError):
            return self.release.journal.path.read_text(encoding="utf-8").splitlines()
        return []

    def _ended(self) -> int:
        return sum(line.startswith("end ") for line in self._lines())

    def _kill(self, child: subprocess.Popen[bytes], whom: tuple[str, ...]) -> None:
        output = self.project.folder / f"build/{simulated_release.NAME}/bazel/output"
        server = int((output / "server/server.pid.txt").read_text())
        children = f"/proc/{child.pid}/task/{child.pid}/children"
        with open(children, encoding="ascii") as stream:  # noqa: PTH123
            clients = [int(word) for word in stream.read().split()]
        victims = {"process": [child.pid], "client": clients, "server": [server]}
        for name in whom:
            for victim in victims[name]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)


def unbroken(release: SimulatedRelease) -> RoundTrace:
    """Build all at once, with a disk cache as the rounds have one."""
    machine = Machine.make(release, "unbroken")
    status = machine.run("--set", "cache.disk=build/actions")
    return machine.trace(status, stops=0)


def rounds(release: SimulatedRelease, budget: int) -> list[RoundTrace]:
    """Build in rounds until one comes to the end."""
    traces: list[RoundTrace] = []
    words = ("--time-budget", f"{budget}s", "--state-dir", STATE)
    saved: Path | None = None
    while not traces or traces[-1].status == STOPPED:
        number = len(traces) + 1
        machine = Machine.make(release, str(number))
        state = machine.project.folder / STATE
        if saved is not None:
            shutil.copytree(saved, state)
        kill, stops = KILLS.get(number, ()), 0
        if kill:
            machine.run(*words, kill=kill, after=40)
            stops += 1
        status = machine.run(*words)
        traces.append(machine.trace(status, stops + (status == STOPPED)))
        report_round(traces, kill)
        saved = state
    return traces


def report_round(traces: list[RoundTrace], kill: tuple[str, ...]) -> None:
    """Print what the newest round ran, by the journal."""
    trace = traces[-1]
    before = {action for earlier in traces[:-1] for action in earlier.ended}
    killed = f", {' and '.join(kill)} killed" if kill else ""
    print(
        f"round {trace.name}{killed}: status {trace.status}, {len(trace.ended)} actions ended, "
        f"{trace.lost} runs lost, {len(before & trace.ended.keys())} run by an earlier round; "
        f"{trace.seconds:.0f} s, {trace.idle:.0f} s of it before and after the actions",
        flush=True,
    )


def check(release: SimulatedRelease, traces: list[RoundTrace]) -> None:
    """Raise an AssertionError where a stop lost more than what ran, or actions are missing."""
    assert traces[-1].status == 0, f"status {traces[-1].status}"
    assert len(traces) >= 5, f"only {len(traces)} rounds: the budget is too large"
    for number, trace in enumerate(traces):
        later = {action for after in traces[number + 1 :] for action in after.ended}
        # What ended in the moment of a stop, unsaved, ran at the stop as well.
        wasted = trace.lost + len(trace.ended.keys() & later)
        allowed = release.jobs * trace.stops
        assert wasted <= allowed, f"round {trace.name}: {wasted} lost, {allowed} ran at its stops"
    ended = {action for trace in traces for action in trace.ended}
    assert len(ended) == release.costs.actions, f"{len(ended)} actions ran"


def work(release: SimulatedRelease, traces: list[RoundTrace]) -> float:
    """Return what all begun actions cost together, those that were broken off as if they ended."""
    runs = (item for trace in traces for item in trace.begun.items())
    return sum(release.costs.seconds_of(action) * count for action, count in runs)


def main() -> None:
    """Build both ways, and compare."""
    options = simulated_release.arguments(__doc__, {"--seconds": 600, "--budget": 120})
    release = simulated_release.made(options)
    whole = unbroken(release)
    assert whole.status == 0, "the unbroken build failed"
    print(f"unbroken: {len(whole.ended)} actions, {whole.seconds:.0f} s", flush=True)
    traces = rounds(release, options.budget)
    check(release, traces)
    seconds = sum(trace.seconds for trace in traces)
    idle = sum(trace.idle for trace in traces)
    ratio = (seconds - idle) / (whole.seconds - whole.idle)
    spent, known = work(release, traces), release.costs.seconds
    print(
        f"{len(traces)} rounds: actions of {spent:.1f} s were begun, {spent / known:.4f} of the "
        f"{known:.1f} s that an unbroken build needs"
    )
    print(
        f"by the clock {seconds:.0f} s, {idle:.0f} s of it before the first actions and after the "
        f"last; {ratio:.3f} of the unbroken build's {whole.seconds - whole.idle:.0f} s for the rest"
    )


if __name__ == "__main__":
    main()

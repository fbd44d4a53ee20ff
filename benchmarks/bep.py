"""What it costs to watch a Bazel build: reading its events, and all of it beside bare Bazel.

    .venv/bin/python -m benchmarks.bep FOLDER [ACTIONS] [ROUNDS]

FOLDER does not exist; its path has no space. A workspace of cheap actions is generated in it, and
built by three arms in turn: bare Bazel, Bazel that writes its records (events, profile,
explanation) with nobody who reads them, and `bazel.build`, which reads them. All actions run in
each round, without a sandbox, so that an action is as cheap as can be and watching as dear. Then a
made event file of 200 MB and one of half of it are read.

Prints medians of wall-clock time and of processor time (client, server, and actions), the ratios to
bare Bazel, how fast events arrive and are read, and the peak memory of reading.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure
from tensorflow_macos_build import bazel
from tensorflow_macos_build.bazel.build_events import BuildEvents
from tensorflow_macos_build.bazel.line_tail import LineTail
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.pipeline import tools

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LARGE = 200 * 10**6

BUILD = """\
[genrule(name = "g%d" % n, outs = ["g%d.txt" % n], cmd = "echo $$ROUND > $@") for n in range({n})]
filegroup(name = "all_of_them", srcs = ["g%d" % n for n in range({n})])
"""


@dataclass(frozen=True)
class Cost:
    """What one build took, in seconds of the clock and of processors."""

    seconds: float
    cpu_seconds: float


class SimulatedProject:
    """A workspace of cheap actions, all of which run again in each round."""

    def __init__(self, folder: Path, actions: int) -> None:
        self._folder = folder
        self._rounds = itertools.count()
        self._program = tools.locate("bazel") or Path("bazel")
        source = folder / "source"
        source.mkdir(parents=True)
        (source / "WORKSPACE").touch()
        (source / "BUILD").write_text(BUILD.format(n=actions))
        self.log = folder / "build.log"

    def invocation(self) -> bazel.Invocation:
        """Return the next round's build."""
        return bazel.Invocation(
            workspace=self._folder / "source",
            output_base=self._folder / "base",
            files=bazel.BuildFiles.at(self._folder / "now"),
            targets=("//:all_of_them",),
            flags=("--spawn_strategy=local", f"--action_env=ROUND={next(self._rounds)}"),
            env=bazel.environment(self._program),
            program=str(self._program),
        )

    def cost_of(self, build: Callable[[bazel.Invocation], object]) -> Cost:
        """Return what the next round costs when it is built so."""
        invocation = self.invocation()
        begun, cpu = time.perf_counter(), self._cpu_seconds()
        build(invocation)
        return Cost(time.perf_counter() - begun, self._cpu_seconds() - cpu)

    def _cpu_seconds(self) -> float:
        """Return the processor time of this process, the server, and all that both have waited for.

        The fields are utime, stime, cutime and cstime of proc(5).
        """
        pid = (self._folder / "base/server/server.pid.txt").read_text()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        server = sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
        return sum(os.times()[:4]) + server


def watched(project: SimulatedProject) -> Callable[[bazel.Invocation], object]:
    """Return the build as this package runs it."""
    return lambda invocation: bazel.build(invocation, ticker=silent, log=project.log)


def bare(*, records: bool) -> Callable[[bazel.Invocation], object]:
    """Return the build as a shell would run it, with or without the flags for records."""

    def build(invocation: bazel.Invocation) -> None:
        flags = ("--build_event_json_file=", "--profile=", "--explain=")
        argv = [word for word in invocation.argv() if records or not word.startswith(flags)]
        env = os.environ | {name: value for name, value in invocation.env.items() if value}
        quiet = subprocess.DEVNULL
        subprocess.run(
            argv, cwd=invocation.workspace, env=env, stdout=quiet, stderr=quiet, check=True
        )

    return build


def compare(project: SimulatedProject, rounds: int) -> None:
    """Build by all arms in turn and print what they took."""
    arms = {
        "bare": bare(records=False),
        "with records": bare(records=True),
        "watched": watched(project),
    }
    bare(records=True)(project.invocation())  # the server starts, and compiles its own code
    costs: dict[str, list[Cost]] = {name: [] for name in arms}
    for _ in range(rounds):
        for name, build in arms.items():
            costs[name].append(project.cost_of(build))
    for name, measured in costs.items():
        pairs = list(zip(measured, costs["bare"], strict=True))
        wall = statistics.median(cost.seconds / base.seconds for cost, base in pairs)
        cpu = statistics.median(cost.cpu_seconds / base.cpu_seconds for cost, base in pairs)
        seconds = statistics.median(cost.seconds for cost in measured)
        busy = statistics.median(cost.cpu_seconds for cost in measured)
        print(f"{name:13} {seconds:7.2f} s ({wall:.3f})  {busy:7.2f} s of processors ({cpu:.3f})")


def arrival_rate(stream: Path) -> float:
    """Return how many events a second there were while the actions of a real build ran."""
    lines = stream.read_bytes().splitlines()
    events = [json.loads(line) for line in lines]
    begun = next(int(event["started"]["startTimeMillis"]) for event in events if "started" in event)
    ended = next(
        int(event["finished"]["finishTimeMillis"]) for event in events if "finished" in event
    )
    return len(lines) * 1000 / (ended - begun)


def made_lines(size: int) -> Iterator[bytes]:
    """Yield lines of a long build with --build_event_publish_all_actions, up to a size."""
    written, number = 0, 0
    while written < size:
        number += 1
        output = f"bazel-out/darwin_arm64-opt/bin/tensorflow/core/kernels/k{number}.o"
        action = {"primaryOutput": output, "configuration": {"id": "f5527a63a4773d9b"}}
        uri = f"file:///base/execroot/org_tensorflow/{output}"
        events: list[dict[str, object]] = [
            {
                "id": {"progress": {"opaqueCount": number}},
                "children": [{"actionCompleted": action}],
                "progress": {"stderr": f"[{number:,} / 33,563] Compiling k{number}.cc\n" * 4},
            },
            {
                "id": {"actionCompleted": action},
                "action": {
                    "success": True,
                    "primaryOutput": {"uri": uri},
                    "type": "CppCompile",
                    "commandLine": ["clang", *(f"-Ithird_party/include/{n}" for n in range(40))],
                },
            },
            {
                "id": {"namedSet": {"id": str(number)}},
                "namedSetOfFiles": {"files": [{"name": output, "uri": uri}]},
            },
        ]
        for event in events:
            line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
            written += len(line)
            yield line


def read_all(path: Path) -> None:
    """Read a whole event file as a build does."""
    events, tail = BuildEvents(lambda failure: None), LineTail(path)
    for line in tail.lines():
        events.feed(line)


def measure_reading(folder: Path, rate: float) -> None:
    """Read made event files and print the speed and the memory."""
    for size in (LARGE // 2, LARGE):
        path = folder / "made.json"
        with path.open("wb") as stream:
            count = sum(stream.write(line) > 0 for line in made_lines(size))
        run = measure.in_child(functools.partial(read_all, path))
        speed = count / run.cpu_seconds
        print(
            f"{size / 1e6:5.0f} MB: {count} events, {speed:.0f} a second of a processor, "
            f"{speed / rate:.0f} times as fast as they arrive, {run.peak_mb:.0f} MB of memory"
        )
        path.unlink()


def main(folder: Path, actions: int, rounds: int) -> None:
    """Compare the arms, then measure the reader."""
    project = SimulatedProject(folder, actions)
    print(measure.machine())
    try:
        compare(project, rounds)
    finally:
        bazel.shutdown(project.invocation())
    rate = arrival_rate(project.log.with_suffix(".events.json"))
    print(f"events arrive: {rate:.1f} a second")
    measure_reading(folder, rate)


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[2:]]
    main(Path(sys.argv[1]).absolute(), *[*numbers, *(500, 3)[len(numbers) :]])

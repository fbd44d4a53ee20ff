"""What it costs to watch a Bazel build: reading its events, and all of it beside bare Bazel.

    .venv/bin/python -m benchmarks.bep FOLDER [--rounds 5] [--seconds 240] [--jobs 4] …

FOLDER does not exist; its path has no space. The release of benchmarks/simulated_release.py is made
in it, and one architecture of it built by two arms in turn: bare Bazel, and `bazel.build`, for
which Bazel writes its records (events, profile, explanation) and which reads them. The command
lines are the product's, and differ in these flags alone; `bazel clean` before each makes all
actions run. Then a made event file of 200 MB and one of half of it are read.

Prints wall-clock time and processor time (client, server, actions) of each build; their medians,
and the least of them, which others' work on the machine disturbs least; the ratios to bare Bazel;
what of the processor time is this process's own; how fast events arrive and are read, and the peak
memory of reading.
"""

from __future__ import annotations

import functools
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import measure, simulated_release
from tensorflow_macos_build import bazel
from tensorflow_macos_build.bazel.build_events import BuildEvents
from tensorflow_macos_build.bazel.line_tail import LineTail
from tensorflow_macos_build.config import load
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.pipeline.stages.bazel_workspace import BazelWorkspace
from tensorflow_macos_build.pipeline.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LARGE = 200 * 10**6

ARCHITECTURE = "arm64"

_RECORDS = ("--build_event_json_file=", "--profile=", "--explain=")


@dataclass(frozen=True)
class Cost:
    """What one build took, in seconds of the clock and of processors.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of Bazel's client and server, all actions, and this process.
        own_seconds: of this process alone.
    """

    seconds: float
    cpu_seconds: float
    own_seconds: float


class WatchedProject:
    """The simulated release's project in the current folder, all of whose actions run each time."""

    def __init__(self) -> None:
        self._bazel_side = BazelWorkspace(Workspace(load(simulated_release.NAME)))
        self.log = self._bazel_side.log(ARCHITECTURE)

    def invocation(self) -> bazel.Invocation:
        """Return the build, as the product runs it."""
        return self._bazel_side.invocation(ARCHITECTURE)

    def cost_of(self, build: Callable[[bazel.Invocation], object]) -> Cost:
        """Return what the build costs when nothing is built yet and the server runs."""
        invocation = self.invocation()
        run_quietly(invocation, [*invocation.startup_argv(), "clean"])
        begun, cpu, own = time.perf_counter(), self._cpu_seconds(), time.process_time()
        build(invocation)
        seconds, own = time.perf_counter() - begun, time.process_time() - own
        return Cost(seconds, self._cpu_seconds() - cpu, own)

    def _cpu_seconds(self) -> float:
        """Return the processor time of this process, the server, and all that both have waited for.

        The fields are utime, stime, cutime and cstime of proc(5).
        """
        pid = (self.invocation().output_base / "server/server.pid.txt").read_text()
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        server = sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
        return sum(os.times()[:4]) + server


def run_quietly(invocation: bazel.Invocation, argv: Sequence[str]) -> None:
    """Run Bazel as a shell would in the invocation's environment."""
    kept = invocation.inherited
    inherited = {k: v for k, v in os.environ.items() if kept is None or k in kept}
    env = inherited | {name: value for name, value in invocation.env.items() if value}
    quiet = subprocess.DEVNULL
    subprocess.run(argv, cwd=invocation.workspace, env=env, stdout=quiet, stderr=quiet, check=True)


def watched(project: WatchedProject) -> Callable[[bazel.Invocation], object]:
    """Return the build as this package runs it."""
    return lambda invocation: bazel.build(invocation, ticker=silent, log=project.log)


def bare(invocation: bazel.Invocation) -> None:
    """Build as a shell would, without the flags for records."""
    run_quietly(invocation, [word for word in invocation.argv() if not word.startswith(_RECORDS)])


def compare(project: WatchedProject, rounds: int) -> None:
    """Build by both arms in turn and print what they took."""
    arms = {"bare": bare, "watched": watched(project)}
    for build in arms.values():  # the server starts, and compiles its own code
        project.cost_of(build)
    costs: dict[str, list[Cost]] = {name: [] for name in arms}
    for number in range(rounds):
        # In the other order each time, so that neither always finds what the other leaves.
        for name in [*arms][:: -1 if number % 2 else 1]:
            cost = project.cost_of(arms[name])
            costs[name].append(cost)
            print(f"  {name:8} {cost.seconds:7.2f} s  {cost.cpu_seconds:7.2f} s of processors")
            sys.stdout.flush()
    for field in ("seconds", "cpu_seconds"):
        report(field, [[getattr(cost, field) for cost in costs[name]] for name in arms])
    own = statistics.median(cost.own_seconds / cost.cpu_seconds for cost in costs["watched"])
    print(f"this process: {own:.4f} of the watched builds' processor time")


def report(field: str, values: Sequence[Sequence[float]]) -> None:
    """Print how the watched builds stand to the bare ones."""
    base, seen = values
    ratios = sorted(value / other for value, other in zip(seen, base, strict=True))
    median = statistics.median(seen) / statistics.median(base)
    print(
        f"{field}: watched to bare {median:.3f} by medians, {min(seen) / min(base):.3f} by the "
        f"least; in a round {ratios[0]:.3f} to {ratios[-1]:.3f}"
    )


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


def main() -> None:
    """Compare the arms, then measure the reader."""
    options = simulated_release.arguments(__doc__, {"--rounds": 5, "--seconds": 240})
    release = simulated_release.made(options)
    folder = release.project(release.folder / "project")
    folder.document("--arch", ARCHITECTURE)  # the work tree is there, and configured
    os.chdir(folder.folder)
    project = WatchedProject()
    try:
        compare(project, options.rounds)
    finally:
        bazel.shutdown(project.invocation())
    rate = arrival_rate(project.log.with_suffix(".events.json"))
    print(f"events arrive: {rate:.1f} a second")
    measure_reading(release.folder, rate)


if __name__ == "__main__":
    main()

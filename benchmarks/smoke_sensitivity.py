"""Plant faults in a device of the tests' own, and see which checks of the smoke test catch them.

    python -m benchmarks.smoke_sensitivity ENV/bin/python… --results FILE [--clean 20] [--only GLOB]
    python -m benchmarks.smoke_sensitivity --results FILE… --write docs/smoke_sensitivity.md

ENV is an environment with a `tensorflow-cpu` from 2.5 on. The device runs every kernel of the CPU
again (tests/fakedevice, form `every`; it needs g++). Each fault of `TRIALS` is planted alone, and
the checks run that should see it; a fault that never fired proves nothing, and is a failure here
as one that nobody caught. With `--clean`, the quick set runs so many times on the device without a
fault: whatever fails there is a false alarm. What was seen is added to the results, a line of JSON
each, of which the document is made. Ends with 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import fnmatch
import json
import os
import platform
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

from tensorflow_macos_build.smoke import selection
from tensorflow_macos_build.smoke.zygote import CheckBounds, CheckProcesses, program_argv
from tests import fakedevice

if TYPE_CHECKING:
    from collections.abc import Iterator

BOUNDS = CheckBounds(seconds=180, memory_mb=6000)
HANG_BOUNDS = CheckBounds(seconds=25, memory_mb=6000)

STEPS = ("training.batch_sizes",)
OPERATIONS = ("operations.float32",)


@dataclass(frozen=True)
class Trial:
    """A fault and the checks, as patterns of names, of which at least one has to catch it.

    Attributes:
        fault: as tests/fakedevice/faults.h describes it.
        checks: patterns of names; all that match are run.
    """

    fault: str
    checks: tuple[str, ...]

    @property
    def is_settled_at_loading(self) -> bool:
        """Whether the device has to be loaded with it: which kernels there are, and go first."""
        return ":missing" in self.fault or self.fault.startswith("Assign")


TRIALS = (
    Trial("Device:missing", ("device",)),
    Trial("MatMul:missing", ("placement", "training_on_device", "kernels")),
    Trial("Conv2D:missing", ("placement", "training_on_device")),
    Trial("Conv2DBackpropFilter:missing", ("placement", "training_on_device")),
    Trial("ReluGrad:missing", ("placement", "layers.activations")),
    Trial("Rsqrt:missing", ("operations.float32",)),
    Trial("Sigmoid:missing", ("recurrent.lstm", "operations.float32")),
    Trial("MatMul:wrong", ("compute", *OPERATIONS)),
    Trial("MatMul:wrong:batch>=20", ("layers.dense", *STEPS)),
    Trial("MatMul:wrong:type=2", ("operations.float64",)),
    Trial("MatMul:wrong:type=19", ("operations.float16",)),
    Trial("MatMul:wrong:type=14", ("operations.bfloat16",)),
    Trial("MatMul:wrong:call>=40", STEPS),
    Trial("BiasAdd:wrong:batch>=20", STEPS),
    Trial("BiasAddGrad:wrong", ("layers.dense", *STEPS)),
    Trial("ReluGrad:wrong", ("layers.activations", *STEPS)),
    Trial("Softmax:wrong", OPERATIONS),
    Trial("SparseSoftmaxCrossEntropyWithLogits:wrong", STEPS),
    Trial("Sum:wrong:batch>=20", STEPS),
    Trial("Mean:wrong", OPERATIONS),
    Trial("Conv2D:wrong", ("layers.convolutions",)),
    Trial("Conv2DBackpropInput:wrong", ("layers.convolutions", "layers.transposed")),
    Trial("Conv2DBackpropFilter:wrong", ("layers.convolutions",)),
    Trial("DepthwiseConv2dNative:wrong", ("layers.depthwise",)),
    Trial("MaxPoolGrad:wrong", ("layers.pooling",)),
    Trial("AvgPool:wrong", ("layers.pooling",)),
    Trial("Sigmoid:wrong", ("recurrent.lstm",)),
    Trial("Tanh:wrong:call>=10", ("recurrent.lstm", "recurrent.gru")),
    Trial("GatherV2:wrong", ("layers.embedding",)),
    Trial("TopKV2:wrong:dim=16", ("shapes.sort",)),
    Trial("TopKV2:wrong:dim>=1025", ("shapes.sort",)),
    Trial("Mul:wrong:dim>=65536", ("shapes.long",)),
    Trial("AssignSubVariableOp:wrong", ("optimizers.sgd", "optimizers.adam")),
    Trial("ResourceApplyAdam:wrong", ("optimizers.fused",)),
    Trial("ResourceApplyGradientDescent:wrong", ("optimizers.fused",)),
    Trial("MatMul:stale", ("layers.dense", *STEPS)),
    Trial("AddV2:stale", ("operations.float32", "layers.dense")),
    Trial("Sum:stale", STEPS),
    Trial("StatelessRandomUniformV2:stale", ("random.family", "random.stateless_parity")),
    Trial("RandomStandardNormal:stale", ("random.draws",)),
    Trial("CopyToHost:stale", ("compute", "operations.float32")),
    Trial("MatMul:nan:batch=1250", STEPS),
    Trial("MatMul:nan:call=20", ("layers.dense", *STEPS)),
    Trial("Rsqrt:nan", ("layers.batch_norm",)),
    Trial("Mul:nan:call=30", STEPS),
    Trial("MatMul:half", ("operations.float32", "layers.dense")),
    Trial("Conv2D:half", ("layers.convolutions",)),
    Trial("Conv2DBackpropFilter:half", ("layers.convolutions",)),
    Trial("MatMul:crash", ("placement", "compute")),
    Trial("Conv2DBackpropInput:crash", ("training_on_device", "layers.convolutions")),
    Trial("Sigmoid:crash:call>=5", ("recurrent.lstm",)),
    Trial("MatMul:hang", ("placement",)),
    Trial("Relu:hang:batch>=16", ("training_on_device",)),
    Trial("MatMul:leak", ("memory*",)),
    Trial("Relu:leak", ("memory*",)),
    Trial("MatMul:slow", ("latency",)),
    Trial("Relu:slow", ("latency",)),
    Trial("Conv2D:slow", ("latency",)),
)


FAILURES = ("failed", "crashed", "hung", "killed")


@dataclass
class Row:
    """What became of one trial: how often its fault fired, and each check's outcome."""

    fault: str
    fired: int = 0
    outcomes: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def caught_by(self) -> list[str]:
        """The checks that failed, in whichever way."""
        return [name for name, outcome in self.outcomes.items() if outcome in FAILURES]

    @property
    def is_good(self) -> bool:
        """Whether the fault fired, and a check that should has caught it."""
        return self.fired > 0 and bool(self.caught_by)


class Device:
    """An environment with the device in it, and the checks' processes."""

    def __init__(self, python: Path, folder: Path) -> None:
        self.python = python
        site = fakedevice.site_packages(python)
        cache = Path(tempfile.gettempdir()) / "fakedevice"
        self._library = fakedevice.library(site, cache, fakedevice.Form.EVERY_KERNEL)
        self._folder = folder
        self._count = 0

    @property
    def version(self) -> str:
        """TensorFlow's version, as its distribution's folder has it."""
        site = fakedevice.site_packages(self.python)
        return next(site.glob("tensorflow_cpu-*.dist-info")).name.split("-")[1].split(".dist")[0]

    @contextlib.contextmanager
    def loaded(self, *faults: str) -> Iterator[tuple[fakedevice.Plan, CheckProcesses]]:
        """Yield what plants faults, and processes that have loaded the device with these."""
        self._count += 1
        folder = self._folder / str(self._count)
        (folder / "runs").mkdir(parents=True)
        plan = fakedevice.Plan(folder, *faults)
        plugin = {"TF_PLUGGABLE_DEVICE_LIBRARY_PATH": str(self._library)}
        spec = {
            "module": "tensorflow",
            "device": "GPU:0",
            "reference": "CPU:0",
            "quick": True,
            "virtual": False,
            "options": {},
        }
        argv = program_argv((), self.python)
        environment = {**plan.environment, **plugin}
        with CheckProcesses(argv, spec, folder / "runs", BOUNDS, env=environment) as processes:
            started = processes.start()
            if not started.passed:
                raise SystemExit(f"{self.python}: {started.why}\n{started.log_tail}")
            yield plan, processes


def run(device: Device, trials: list[Trial], names: list[str]) -> list[Row]:
    """Run trials; those that need no other kernels share the processes' first import."""
    rows = []
    shared = [trial for trial in trials if not trial.is_settled_at_loading]
    with device.loaded() as (plan, processes):
        for trial in shared:
            plan.plant(trial.fault)
            rows.append(observe(trial, plan, processes, names))
    for trial in trials:
        if trial.is_settled_at_loading:
            with device.loaded(trial.fault) as (plan, processes):
                rows.append(observe(trial, plan, processes, names))
    return rows


def observe(
    trial: Trial, plan: fakedevice.Plan, processes: CheckProcesses, names: list[str]
) -> Row:
    """Run a trial's checks and print a line of it."""
    row, begun = Row(trial.fault), time.perf_counter()
    chosen = [n for n in names if any(fnmatch.fnmatchcase(n, c) for c in trial.checks)]
    for name in chosen:
        bounds = HANG_BOUNDS if ":hang" in trial.fault else BOUNDS
        row.outcomes[name] = processes.run(name, bounds=bounds).outcome.value
    row.fired, row.seconds = plan.fired[trial.fault], time.perf_counter() - begun
    verdict = "caught" if row.is_good else "NOT FIRED" if not row.fired else "UNSEEN"
    print(
        f"{verdict:9} {trial.fault:45} fired {row.fired:6}  {row.seconds:5.1f} s  "
        + ", ".join(f"{name} {outcome}" for name, outcome in row.outcomes.items()),
        flush=True,
    )
    return row


def clean(device: Device, runs: int, results: IO[str]) -> list[str]:
    """Run the quick set without a fault, some times over; return the false alarms."""
    names = [c.name for c in selection.select(selection.catalogue(), check_set=selection.QUICK)]
    alarms = []
    with device.loaded() as (_, processes):
        for number in range(1, runs + 1):
            begun, false = time.perf_counter(), []
            for name in names:
                seen = processes.run(name)
                if seen.outcome.value in FAILURES:
                    false.append(f"{name}: {seen.outcome.value}: {seen.why[:200]!r}")
                    print(f"FALSE ALARM {false[-1]}", flush=True)
            alarms += false
            seconds = time.perf_counter() - begun
            entry = {"version": device.version, "clean": 1, "alarms": false}
            print(json.dumps(entry), file=results, flush=True)
            print(f"clean run {number} of {len(names)} checks: {seconds:.0f} s", flush=True)
    return alarms


def read(path: Path) -> tuple[dict[str, list[Row]], dict[str, tuple[int, list[str]]]]:
    """Return the rows and the clean runs of a results file, by TensorFlow's version."""
    rows: dict[str, dict[str, Row]] = {}
    alarms: dict[str, tuple[int, list[str]]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        if "clean" in entry:
            runs, false = alarms.get(entry["version"], (0, []))
            alarms[entry["version"]] = (runs + entry["clean"], false + entry["alarms"])
        else:  # the last one of a fault counts
            rows.setdefault(entry["version"], {})[entry["row"]["fault"]] = Row(**entry["row"])
    order = [trial.fault for trial in TRIALS]
    return {
        version: [by_fault[fault] for fault in order if fault in by_fault]
        for version, by_fault in rows.items()
    }, alarms


def table(path: Path) -> str:
    """Return the document: faults by checks, for each release."""
    results, alarms = read(path)
    lines = [
        "# What the smoke test catches",
        "",
        "Made by `python -m benchmarks.smoke_sensitivity`: each fault is planted alone in a device"
        " of the tests' own (`tests/fakedevice`),",
        "which runs every kernel of the CPU again and counts how often the fault fired. ● caught,"
        " ○ ran and did not see it, blank: not run.",
        "",
    ]
    for version, (runs, false) in alarms.items():
        what = f"{runs} clean runs of the quick set, {len(false)} false alarms"
        lines += [f"- tensorflow-cpu {version}: {what}.", *(f"  - {alarm}" for alarm in false)]
    for version, rows in results.items():
        good = sum(row.is_good for row in rows)
        checks = list(dict.fromkeys(name for row in rows for name in row.outcomes))
        lines += [
            "",
            f"## tensorflow-cpu {version}: {good} of {len(rows)} faults fired and were caught",
            "",
            "Columns: " + ", ".join(f"{i} {name}" for i, name in enumerate(checks, 1)) + ".",
            "",
            "| fault | fired | " + " | ".join(map(str, range(1, len(checks) + 1))) + " |",
            "| --- | --- |" + " --- |" * len(checks),
        ]
        for row in rows:
            marks = [
                "" if name not in row.outcomes else "●" if name in row.caught_by else "○"
                for name in checks
            ]
            lines.append(f"| `{row.fault}` | {row.fired} | " + " | ".join(marks) + " |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the trials in each environment, and clean runs where they are asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("python", type=Path, nargs="*")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--clean", type=int, default=0)
    parser.add_argument("--only", default="*", help="faults; `none` for clean runs alone")
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    names = [check.name for check in selection.catalogue()]
    trials = [trial for trial in TRIALS if fnmatch.fnmatchcase(trial.fault, arguments.only)]
    is_good = True
    with tempfile.TemporaryDirectory() as name, arguments.results.open("a") as results:
        for number, python in enumerate(arguments.python):
            device = Device(python, Path(name) / str(number))
            about = f"Python {platform.python_version()}, {os.cpu_count()} processors"
            print(f"tensorflow-cpu {device.version}, {about}", flush=True)
            rows = run(device, trials, names) if trials else []
            for row in rows:
                entry = {"version": device.version, "row": dataclasses.asdict(row)}
                print(json.dumps(entry), file=results, flush=True)
            alarms = clean(device, arguments.clean, results)
            good = sum(row.is_good for row in rows)
            print(f"{good} of {len(rows)} faults fired and were caught")
            is_good = is_good and good == len(rows) and not alarms
    if arguments.write:
        arguments.write.write_text(table(arguments.results), encoding="utf-8")
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())

"""Run programs of Apple's fork on an installed TensorFlow with a queue's Python files laid over it.

    python -m benchmarks.mlcompute --python ENV/bin/python --queue patches/tf-2.21

ENV is an environment with `tensorflow-cpu` of the queue's release and `tf_keras` of the same one
(`pip install --no-deps tf_keras==2.21.*`, for its dependency is another build of TensorFlow). What
the queue adds below tensorflow/python/ is put into it, then the device of the tests, compiled
against the wheel's headers: one of type GPU in the host's memory. Both are taken away at the end.
Each program is started in a process of its own, with the device and without it; it passes when its
loss falls to less than half and the device's own count of runs is as the choice demands. The
queue's unit test of mlcompute runs both ways, too. Ends with 1 when anything is not as it must be.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.formats import apply, patch, series
from tensorflow_macos_build.patchqueue.formats.diff import ChangeKind
from tests import fakedevice

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
PACKAGE = "tensorflow/python/"
TIMEOUT_S = 1200

HEAVY = ("Conv2D", "Conv2DBackpropFilter", "MatMul", "MaxPool", "MaxPoolGrad", "Relu", "ReluGrad")
"""What the device must have run when a program was to train on it."""


@dataclass(frozen=True)
class Scenario:
    """One program and what has to become of it.

    Attributes:
        program: its name in `programs/`.
        choice: the argument of `set_mlc_device`.
        runs: whether the device must have run its ops; otherwise none.
        error: what the program must fail with; "": it must train.
        environment: what is set for it.
    """

    program: str
    choice: str
    runs: bool
    error: str = ""
    environment: tuple[tuple[str, str], ...] = ()


LEGACY = (("TF_USE_LEGACY_KERAS", "1"),)

WITH_DEVICE = (
    Scenario("keras_graph", "gpu", runs=True, environment=LEGACY),
    Scenario("keras_graph", "any", runs=True, environment=LEGACY),
    Scenario("keras_graph", "cpu", runs=False, environment=LEGACY),
    Scenario("keras_eager", "gpu", runs=True, environment=LEGACY),
    Scenario("keras_eager", "gpu", runs=False, environment=(*LEGACY, ("TF_DISABLE_MLC", "1"))),
    Scenario("keras_three", "gpu", runs=True),
    Scenario("session_graph", "gpu", runs=True),
    Scenario("session_graph", "cpu", runs=False),
)
WITHOUT_DEVICE = (
    Scenario("keras_graph", "any", runs=False, environment=LEGACY),
    Scenario("keras_graph", "gpu", runs=False, error="lists no GPU", environment=LEGACY),
    Scenario("session_graph", "any", runs=False),
    Scenario("session_graph", "gpu", runs=False, error="lists no GPU"),
)


@dataclass(frozen=True)
class Environment:
    """An installed TensorFlow.

    Attributes:
        python: its interpreter.
        site: its site-packages.
        version: what TensorFlow calls itself.
    """

    python: Path
    site: Path
    version: str

    @classmethod
    def of(cls, python: Path) -> Environment:
        """Ask an interpreter where its TensorFlow is."""
        query = (
            "import importlib.metadata as m, pathlib; d = m.distribution('tensorflow-cpu');"
            "print(d.locate_file(''), d.version)"
        )
        done = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True)
        site, version = done.stdout.split()
        return cls(python, Path(site), version)

    def run(self, arguments: list[str], scratch: Path, **variables: str) -> Outcome:
        """Run Python there; the device's counts are read from what it leaves."""
        plan = fakedevice.Plan(scratch)
        environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "1", **plan.environment}
        begun = time.perf_counter()
        done = subprocess.run(
            [self.python, *arguments],
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT_S,
        )
        seconds = time.perf_counter() - begun
        return Outcome(done.returncode, done.stdout, done.stderr, plan.runs, seconds)


@dataclass(frozen=True)
class Outcome:
    """What one process did: its status, what it printed, what the device ran, its time."""

    status: int
    stdout: str
    stderr: str
    counts: dict[str, int]
    seconds: float

    @property
    def losses(self) -> list[float]:
        """The losses that a program printed."""
        lines = [line.split() for line in self.stdout.splitlines() if line.startswith("losses ")]
        return [float(word) for word in lines[-1][1:]] if lines else []

    @property
    def last_words(self) -> str:
        """The last line of what went to standard error."""
        return (self.stderr.strip().splitlines() or [""])[-1]


def python_files(queue: Path) -> dict[str, bytes]:
    """Return the Python files that a queue adds to TensorFlow's package, by path in the wheel."""
    files = {}
    for entry in series.parse((queue / "series").read_bytes()).entries:
        parsed = patch.parse((queue / entry.name).read_bytes(), entry.name)
        for change in parsed.changes:
            path = change.new_path.decode()
            if change.kind is ChangeKind.ADD and path.startswith(PACKAGE) and path.endswith(".py"):
                files[path] = apply.content_after(change, b"")
    return files


@contextlib.contextmanager
def laid_over(site: Path, files: dict[str, bytes]) -> Iterator[None]:
    """Put files into an installation, which must not have them, and take them away again."""
    targets = [site / path for path in files]
    if there := [path for path in targets if path.exists()]:
        raise SystemExit(f"{there[0]} is there already: take a fresh environment")
    folders = [parent for path in targets for parent in [path.parent] if not parent.exists()]
    try:
        for path, content in zip(targets, files.values(), strict=True):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        yield
    finally:
        for path in targets:
            path.unlink(missing_ok=True)
        for folder in dict.fromkeys(folders):
            for cached in folder.glob("__pycache__/*"):
                cached.unlink()
            for left in (folder / "__pycache__", folder):
                if left.exists():
                    left.rmdir()


def fault(scenario: Scenario, outcome: Outcome) -> str:
    """Return what is not as it must be, or ""."""
    if scenario.error:
        is_told = outcome.status == 1 and scenario.error in outcome.last_words
        return "" if is_told else f"status {outcome.status}: {outcome.last_words}"
    losses = outcome.losses
    if outcome.status != 0 or not losses:
        return f"status {outcome.status}: {outcome.last_words}"
    if not losses[-1] < 0.5 * losses[0]:
        return f"the loss went from {losses[0]} to {losses[-1]}"
    if not scenario.runs:
        return f"the device ran {outcome.counts}" if outcome.counts else ""
    idle = [op for op in HEAVY if not outcome.counts.get(op)]
    traced = [line for line in outcome.stdout.splitlines() if line.startswith("traced ")]
    if traced and not any("GPU:0" in line and "Conv2D" in line for line in traced):
        return "the session's trace has no Conv2D on GPU:0"
    return f"the device ran no {', '.join(idle)}" if idle else ""


def run(environment: Environment, scenario: Scenario, scratch: Path) -> bool:
    """Run one scenario and print a line of it; return whether it was as it must be."""
    program = str(HERE / "programs" / f"{scenario.program}.py")
    variables = dict(scenario.environment)
    outcome = environment.run([program, scenario.choice], scratch, **variables)
    wrong = fault(scenario, outcome)
    losses, runs = outcome.losses, sum(outcome.counts.values())
    result = f"loss {losses[0]:.3f} to {losses[-1]:.3f}" if losses else outcome.last_words
    words = " ".join(f"{name}={value}" for name, value in scenario.environment)
    print(
        f"{'FAILED' if wrong else 'ok':6} {scenario.program:13} {scenario.choice:3} {words:40}"
        f" {outcome.seconds:5.1f} s  {runs:5} runs on the device  {wrong or result}",
        flush=True,
    )
    return not wrong


def unit_test(environment: Environment, scratch: Path) -> bool:
    """Run the queue's own test of mlcompute; return whether it passed."""
    module = "tensorflow.python.compiler.mlcompute.mlcompute_test"
    outcome = environment.run(["-m", module], scratch)
    print(f"{'FAILED' if outcome.status else 'ok':6} mlcompute_test: {outcome.last_words}")
    return outcome.status == 0


def main() -> int:
    """Run all scenarios, without the device and with it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--python", type=Path, required=True)
    parser.add_argument("--queue", type=Path, required=True)
    arguments = parser.parse_args()
    environment = Environment.of(arguments.python)
    machine = f"{platform.machine()}, {os.cpu_count()} processors"
    print(f"tensorflow-cpu {environment.version}, Python {sys.version.split()[0]}, {machine}")
    passed = []
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        plugin = {fakedevice.LIBRARY: fakedevice.library(environment.site, scratch).read_bytes()}
        with laid_over(environment.site, python_files(arguments.queue)):
            print("without a device:")
            passed += [run(environment, scenario, scratch) for scenario in WITHOUT_DEVICE]
            passed.append(unit_test(environment, scratch))
            with laid_over(environment.site, plugin):
                print("with a device of type GPU:")
                passed += [run(environment, scenario, scratch) for scenario in WITH_DEVICE]
                passed.append(unit_test(environment, scratch))
    print(f"{sum(passed)} of {len(passed)} as they must be")
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())

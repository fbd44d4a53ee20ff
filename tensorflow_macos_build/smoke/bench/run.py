"""Measures: starts the processes of a design one by one, and keeps what each of them saw."""

from __future__ import annotations

import json
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files, locks, process, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.bench import host
from tensorflow_macos_build.smoke.bench.installed import installed
from tensorflow_macos_build.smoke.bench.model import BenchResult, Measurement
from tensorflow_macos_build.smoke.bench.store import LARGEST, MeasurementStore
from tensorflow_macos_build.smoke.bench.verdicts import rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.smoke.bench.arms import Arm
    from tensorflow_macos_build.smoke.bench.design import BenchDesign, PlannedRun

_CHILD = Path(__file__).parents[1] / "inside" / "bench"

_TAIL_LINES = 5
_DAY = 86_400  # seconds

ENVIRONMENT: dict[str, str | None] = {
    "PYTHONPATH": None,
    "PYTHONHOME": None,
    "PYTHONSTARTUP": None,
    "KERAS_BACKEND": "tensorflow",
    # Both choose other code than an arm's own where a caller has them set.
    "TF_XLA_FLAGS": None,
    "XLA_FLAGS": None,
}
"""What all arms have in common of their environment."""


@dataclass(frozen=True)
class BenchOptions:
    """How a benchmark is run.

    Attributes:
        folder: where measurements are kept.
        pause_s: seconds of rest before each session but the first, at most a day.

    Raises:
        UsageError: the rest is none that a clock counts.
    """

    folder: Path
    pause_s: float = 0.0

    def __post_init__(self) -> None:
        """Refuse a rest that is less than nothing, or without end."""
        if not 0 <= self.pause_s <= _DAY:
            raise UsageError(f"`--pause` takes 0 to {_DAY} seconds")


def bench(
    design: BenchDesign,
    interpreters: Callable[[Arm], Path],
    options: BenchOptions,
    ticker: Ticker,
) -> BenchResult:
    """Measure what of a design is not measured yet; return all, and what follows from it.

    Args:
        design: what is measured.
        interpreters: returns the Python of an arm's environment.
        options: how it is run.
        ticker: learns how many processes have ended, what is measured, and the time that is left.

    Raises:
        UsageError: an arm cannot run here, the folder holds another benchmark's measurements, or
            what is installed for an arm is not what was measured before.
    """
    for arm in design.arms:
        check_arch(arm)
    store = MeasurementStore(options.folder)
    waiting = f"another benchmark in {options.folder} is at work: waiting for it"
    with locks.held(options.folder / "lock", lambda: ticker(0, None, waiting)):
        store.open(design)
        measurements = tuple(_measured(design, store, interpreters, options, ticker))
    return BenchResult(design, host.machine(), measurements, rows(design, measurements))


def _measured(
    design: BenchDesign,
    store: MeasurementStore,
    interpreters: Callable[[Arm], Path],
    options: BenchOptions,
    ticker: Ticker,
) -> Iterator[Measurement]:
    runs = list(design.runs())
    arms = {arm.name: arm for arm in design.participants}
    pythons: dict[Arm, Path] = {}
    durations: dict[str, list[float]] = {}
    session = 0
    for number, run in enumerate(runs):
        measurement = store.read(run)
        if measurement is None:
            left = time_left(durations, runs[number:])
            ticker(number, len(runs), describe(run, design.sessions, left))
            if session not in (0, run.session):
                time.sleep(options.pause_s)
                pythons.clear()  # an environment may be upgraded in the meantime
            session, arm = run.session, arms[run.arm]
            if arm not in pythons:
                pythons[arm] = interpreters(arm)
                store.require_same(arm, installed(pythons[arm]))
            measurement = measure(run, arm, pythons[arm], design)
            store.write(measurement)
        durations.setdefault(run.workload, []).append(measurement.seconds)
        yield measurement
    ticker(len(runs), len(runs), "")


def describe(run: PlannedRun, sessions: int, left: float | None) -> str:
    """Return what is measured now and how long all will take, for people."""
    rest = "" if left is None else f", about {max(1, round(left / 60))} min left"
    return f"session {run.session} of {sessions}: {run.workload} on {run.arm}{rest}"


def time_left(durations: Mapping[str, Sequence[float]], runs: Sequence[PlannedRun]) -> float | None:
    """Return the seconds that runs will take, by what earlier ones took; None: nothing is known."""
    known = [seconds for taken in durations.values() for seconds in taken]
    if not known:
        return None
    usual = statistics.fmean(known)
    means = {name: statistics.fmean(taken) for name, taken in durations.items()}
    return sum(means.get(run.workload, usual) for run in runs)


def check_arch(arm: Arm) -> None:
    """Refuse an arm whose processor this machine cannot be.

    Raises:
        UsageError: it is a Mac's, and this is none.
    """
    if arm.arch and sys.platform != "darwin":
        raise UsageError(
            f"the arm `{arm.name}` is for {arm.arch} of a Mac, and this is none",
            hint="leave `arch=` away",
        )


def argv(arm: Arm, python: Path, specification: Path) -> list[str | Path]:
    """Return the command line of a measuring process."""
    # Of a universal Python macOS starts the slice of the parent's kind unless arch(1) says.
    prefix = ["arch", f"-{arm.arch}"] if arm.arch else []
    return [*prefix, python, "-I", "-X", "faulthandler", _CHILD, specification]


def measure(run: PlannedRun, arm: Arm, python: Path, design: BenchDesign) -> Measurement:
    """Run one process to its end; a crash, a hang or an error is a measurement that says why."""
    began, facts = time.time(), host.conditions()
    with temporary.scratch("bench") as folder:
        specification, result = folder / "spec.json", folder / "result.json"
        specification.write_text(json.dumps(_spec(run, arm, design, result)))
        why = ""
        try:
            # Keras takes its settings from ~/.keras/keras.json, and writes it at its import.
            env = {**ENVIRONMENT, "HOME": str(folder)}
            # Absolute, since it starts elsewhere; not resolved: the link names the environment.
            command = argv(arm, python.absolute(), specification)
            process.run(command, cwd=folder, env=env, timeout=design.pace.timeout)
        except process.ProgramFailed as error:
            tail = error.detail.splitlines()[-_TAIL_LINES:]
            why = "\n".join([error.what, *tail, error.hint]).strip()
        seen, why = _read(result, why)
    return _measurement(run, seen, why, began, facts)


def _spec(run: PlannedRun, arm: Arm, design: BenchDesign, result: Path) -> documents.Json:
    pace = design.pace
    return {
        "module": design.module,
        "device": arm.device,
        "workload": run.workload,
        "size": design.size,
        "warmup": pace.warmup,
        "steps": pace.steps,
        "seconds": pace.seconds,
        "result": str(result),
    }


def _read(result: Path, why: str) -> tuple[documents.Json, str]:
    """Return what a process wrote, and why it measured nothing."""
    # The wheel's code shares the process, so the file is read as a stranger's.
    try:
        content = files.read_small(result, LARGEST) if result.is_file() else b""
        seen = documents.read(content, "bench-seen", 1) if content else {}
    except (documents.NotTheDocument, UsageError) as error:
        return {}, why or f"what it wrote is no result: {error}"
    return seen, why or seen.get("why", "it wrote no result")


def _measurement(
    run: PlannedRun, seen: documents.Json, why: str, began: float, facts: Mapping[str, Any]
) -> Measurement:
    seconds = time.time() - began
    if why:
        return Measurement(run, why, started=began, seconds=seconds, facts=facts)
    times = {"first_step_s", "steps_s", "losses", "why", "schema"}
    return Measurement(
        run,
        first_step_s=seen["first_step_s"],
        steps_s=tuple(seen["steps_s"]),
        losses=tuple(map(float, seen["losses"])),
        started=began,
        seconds=seconds,
        facts={**facts, **{key: value for key, value in seen.items() if key not in times}},
    )

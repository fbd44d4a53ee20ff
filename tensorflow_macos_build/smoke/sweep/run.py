"""A sweep from outside: an environment, its kernels listed, every case called in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files, process, temporary
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.smoke import environment
from tensorflow_macos_build.smoke.interpreters import interpreter
from tensorflow_macos_build.smoke.sweep.model import SweepReport, collect
from tensorflow_macos_build.smoke.sweep.planning import Listing, SweepPlan, plan
from tensorflow_macos_build.smoke.targets import (
    SmokeTarget,
    first_without_obstacle,
    targets,
    this_host,
)
from tensorflow_macos_build.smoke.zygote import ENVIRONMENT, INSIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.smoke.environment import EnvironmentRequest
    from tensorflow_macos_build.smoke.run import SmokeOptions

BATCH = 200
"""Cases that one worker calls; a new one takes 0.4 s, and what kernels leak goes with it."""

_LISTING_S = 300.0
_LONGEST_LISTING = 64 << 20
"""Bytes: TensorFlow 2.21's has 3 MB."""

_PROGRESS = re.compile(rb"^swept (\d+) of (\d+)$", re.MULTILINE)

_SILENCE_S = 180.0
"""Seconds beyond a case's own bound after which the program has stopped working altogether."""


@dataclass(frozen=True)
class SweepOptions:
    """Which calls are made, beyond what every smoke test is told.

    Attributes:
        ops: names of the only ops to call; empty: all.
        timeout_s: seconds that one case may take, on both devices.
        jobs: processes that call at the same time.

    Raises:
        UsageError: a number is none that can be worked with.
    """

    ops: tuple[str, ...] = ()
    timeout_s: float = 60.0
    jobs: int = max(1, min(8, os.cpu_count() or 1))

    def __post_init__(self) -> None:
        """Refuse times and numbers of processes that make no sense."""
        if not 0 < self.timeout_s <= 3600:
            raise UsageError("`--timeout` takes more than 0 and at most 3600 seconds for a sweep")
        if not 0 < self.jobs <= 256:
            raise UsageError("`--jobs` takes 1 to 256 processes")


def sweep(
    request: EnvironmentRequest, smoke_options: SmokeOptions, options: SweepOptions, ticker: Ticker
) -> SweepReport:
    """Call every kernel of a device beside the reference, in an environment made for it.

    The first of a wheel's processors that this machine can run is taken.

    Raises:
        UsageError: there is no such Python, wheel or op.
        WorkFailed: nothing of it runs here, the installation or the import fails, or there is no
            such device.
    """
    name = request.wheel.name if request.wheel else ""
    own = interpreter(smoke_options.python, name)
    machine = this_host(own)
    ways = targets(name, machine) if name else (SmokeTarget(machine.machine),)
    target = first_without_obstacle(ways, own, name)
    with temporary.scratch("sweep") as folder:
        ticker(0, None, "install")
        store = smoke_options.environments
        python = environment.provide(request, target, own, store, folder)
        ticker(0, None, "list kernels")
        run = _Sweep(folder, target, python, smoke_options, options, ticker)
        return run.report(request.subject or str(own))


@contextlib.contextmanager
def _reading(what: str) -> Iterator[None]:
    """Read what the program in the environment wrote, where the wheel's code could write, too.

    Raises:
        WorkFailed: it is not of that program's making.
    """
    try:
        yield
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise WorkFailed(f"{what} cannot be read: {type(error).__name__}: {error}") from None


def require_devices(listing: Listing, *devices: str) -> None:
    """Check that TensorFlow lists devices.

    Raises:
        WorkFailed: one is not there; no other is taken in its place.
    """
    for device in devices:
        if device not in listing.devices:
            seen = ", ".join(listing.devices) or "none"
            raise WorkFailed(f"there is no {device} to sweep: TensorFlow lists {seen}")


@dataclass(frozen=True)
class _Sweep:
    """One sweep in one environment, with a folder for what goes to and from its program."""

    folder: Path
    target: SmokeTarget
    python: Path
    smoke: SmokeOptions
    options: SweepOptions
    ticker: Ticker

    def report(self, subject: str) -> SweepReport:
        listing = self._listing()
        chosen = frozenset(self.options.ops) or None
        planned = plan(listing, self.smoke.device, self.smoke.reference, chosen)
        self._refuse_unknown(listing, chosen or frozenset())
        started = time.monotonic()
        ended = self._run(planned)
        with _reading("what the sweep's program wrote"):
            results, excluded = collect(planned, self._rows())
        return SweepReport(
            subject=subject,
            target=self.target.name,
            tensorflow=listing.tensorflow,
            device=self.smoke.device,
            reference=self.smoke.reference,
            results=results,
            excluded=excluded,
            faults=planned.faults,
            seconds=time.monotonic() - started,
            ended=ended,
        )

    def _listing(self) -> Listing:
        path = self.folder / "listing.json"
        process.run(self._argv("list", path), env=self._env, timeout=_LISTING_S)
        content = files.read_small(path, _LONGEST_LISTING)
        with _reading("the list of kernels"):
            listing = Listing.of(json.loads(content))
        require_devices(listing, self.smoke.device, self.smoke.reference)
        return listing

    def _refuse_unknown(self, listing: Listing, ops: frozenset[str]) -> None:
        unknown = sorted(ops - set(listing.ops))
        if unknown:
            raise UsageError(f"there is no op `{unknown[0]}` in TensorFlow {listing.tensorflow}")

    def _run(self, planned: SweepPlan) -> str:
        """Call the cases; return why the program ended before its end, empty if it did not."""
        path = self.folder / "spec.json"
        path.write_text(json.dumps(self._specification(planned)), encoding="utf-8")
        try:
            idle = self.options.timeout_s + _SILENCE_S
            process.watch(self._argv("run", path), self._progress, env=self._env, idle=idle)
        except process.ProgramFailed as error:
            return error.detail.splitlines()[-1] if error.detail else error.what
        return ""

    def _specification(self, planned: SweepPlan) -> dict[str, Any]:
        return {
            "device": self.smoke.device,
            "reference": self.smoke.reference,
            "cases": [
                {"number": number, "op": c.op, "types": dict(c.types), "reference": c.reference}
                for number, c in enumerate(planned.cases)
            ],
            "batch": BATCH,
            "jobs": self.options.jobs,
            "timeout": self.options.timeout_s,
            # Metal does not survive a fork, nor do most of macOS's own libraries.
            "fork": sys.platform != "darwin",
            "out": str(self._out),
        }

    def _rows(self) -> list[dict[str, Any]]:
        """Return the rows that the program has written, but none that a kill cut short."""
        if not self._out.exists():
            return []
        lines = self._out.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines]

    def _progress(self, piece: bytes) -> None:
        for done, total in _PROGRESS.findall(piece):
            self.ticker(int(done), int(total), f"{self.target.name} {self.smoke.device}")

    def _argv(self, command: str, path: Path) -> Sequence[str | Path]:
        program = (INSIDE / "sweep", command, path)
        return [*self.target.prefix, self.python, "-I", "-X", "faulthandler", *program]

    @property
    def _env(self) -> dict[str, str | None]:
        return {**ENVIRONMENT, "HOME": str(self.folder)}

    @property
    def _out(self) -> Path:
        return self.folder / "outcomes.jsonl"

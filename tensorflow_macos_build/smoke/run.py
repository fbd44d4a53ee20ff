"""A smoke test: an environment for each processor, and a process in it for each check."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files, process, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke import backends, environment, limits, selection
from tensorflow_macos_build.smoke.interpreters import interpreter
from tensorflow_macos_build.smoke.model import CheckOutcome, SmokeCheck, SmokeReport
from tensorflow_macos_build.smoke.observation import Observation
from tensorflow_macos_build.smoke.targets import (
    SmokeHost,
    SmokeTarget,
    obstacle,
    targets,
    this_host,
)
from tensorflow_macos_build.smoke.zygote import (
    CheckBounds,
    CheckProcesses,
    program_argv,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.smoke.environment import EnvironmentRequest
    from tensorflow_macos_build.smoke.limits import KnownLimit
    from tensorflow_macos_build.smoke.selection import CheckDescription

_DAY = 86_400  # seconds; `timeout_s` of a config has the same bound

_DEVICE = re.compile(r"([A-Z][A-Z_]*)(:\d+)?")

_DEVICE_CHECK = "device"
"""What comes before all other checks, each of which needs it."""


@dataclass(frozen=True)
class SmokeOptions:
    """What is tried, and how.

    Attributes:
        module: the module to import.
        device: the device that is tried: `GPU:0`; `GPU` is its first.
        reference: the device that it is compared with.
        timeout_s: seconds that one check may take, at most a day, as in a config.
        memory_mb: memory that the process of a check may hold, in MiB.
        python: the interpreter that the environment is made of, its path or version; empty: the
            wheel's tags decide.
        checks: names of checks or groups; empty: those of `check_set`.
        check_set: `quick`, `full` or `soak`.
        virtual: whether the device is a virtual GPU: float32 only, no timings.
        known_limits: checks that are declared to fail.
        environments: a folder in which environments are kept; None: each is deleted.
        settings: further values for the checks (`Context.options`).

    Raises:
        UsageError: a time, a size or a device is none.
    """

    module: str = "tensorflow"
    device: str = "GPU:0"
    reference: str = "CPU:0"
    timeout_s: float = 300.0
    memory_mb: int = 8192
    python: str = ""
    checks: tuple[str, ...] = ()
    check_set: str = selection.FULL
    virtual: bool = False
    known_limits: tuple[KnownLimit, ...] = ()
    environments: Path | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse what no process can be held to, and complete the devices' names."""
        if not 0 < self.timeout_s <= _DAY:
            raise UsageError(f"`--timeout` takes more than 0 and at most {_DAY} seconds")
        if not 0 < self.memory_mb < 1 << 24:
            raise UsageError("`--memory` takes more than 0 and less than 16777216 MiB")
        for name in ("device", "reference"):
            matched = _DEVICE.fullmatch(getattr(self, name))
            if matched is None:
                raise UsageError(f"`--{name}` takes a device such as GPU:0 or CPU:0")
            object.__setattr__(self, name, matched[1] + (matched[2] or ":0"))

    @property
    def set_name(self) -> str:
        """Which checks run, as a report calls them."""
        return ",".join(self.checks) or self.check_set


def smoke(
    request: EnvironmentRequest,
    options: SmokeOptions,
    ticker: Ticker,
    *,
    host: SmokeHost | None = None,
) -> SmokeReport:
    """Try a wheel or a requirement in fresh environments, once for each of its processors.

    A request for neither tries the environment of `options.python` as it is. What this machine
    cannot run is `not_run` with the reason.

    Raises:
        UsageError: there is no such check, Python or wheel.
    """
    chosen = selection.select(
        selection.catalogue(), named=options.checks, check_set=options.check_set
    )
    name = request.wheel.name if request.wheel else ""
    python = interpreter(options.python, name)
    machine = host or this_host(python)
    # A virtual GPU computes float32 as a real one does; its other types and its times do not.
    is_virtual = options.virtual or (machine.virtual and options.device.startswith("GPU"))
    options = dataclasses.replace(options, virtual=is_virtual)
    ways = targets(name, machine) if name else (SmokeTarget(machine.machine),)
    checks: list[SmokeCheck] = []
    for target in ways:
        run = _TargetRun(request, options, target, python, chosen, ticker)
        seen = list(run.checks())
        verdict = backends.verdict_check(seen, options.device)
        checks += [*seen, verdict] if verdict else seen
    return SmokeReport(
        subject=request.subject or str(python),
        device=options.device,
        reference=options.reference,
        check_set=options.set_name,
        virtual=options.virtual,
        checks=tuple(limits.apply(c, options.known_limits, options.device) for c in checks),
        sha256=files.sha256(request.wheel) if request.wheel else "",
    )


@dataclass(frozen=True)
class _TargetRun:
    """One processor's turn: an environment, then the checks in it."""

    request: EnvironmentRequest
    options: SmokeOptions
    target: SmokeTarget
    python: Path
    chosen: Sequence[CheckDescription]
    ticker: Ticker

    def checks(self) -> Iterator[SmokeCheck]:
        """Yield what was tried, in order."""
        self._tell(0, selection.INSTALL)
        if skip_reason := obstacle(self.target, self.python):
            yield self._check(selection.INSTALL, Observation(CheckOutcome.NOT_RUN, skip_reason))
            yield self._check(selection.IMPORT, Observation(CheckOutcome.NOT_RUN, skip_reason))
            yield from self._not_run(skip_reason, self.chosen)
            return
        with temporary.scratch("smoke") as folder:
            try:
                python = environment.provide(
                    self.request, self.target, self.python, self.options.environments, folder
                )
            except process.ProgramFailed as error:
                yield self._check(
                    selection.INSTALL, Observation(CheckOutcome.FAILED, _words(error))
                )
                why = "the installation failed"
                yield self._check(selection.IMPORT, Observation(CheckOutcome.NOT_RUN, why))
                yield from self._not_run(why, self.chosen)
                return
            evidence = {"from": self.request.subject or str(python)}
            yield self._check(
                selection.INSTALL, Observation(CheckOutcome.PASSED, evidence=evidence)
            )
            yield from self._in_environment(python, folder)

    def _in_environment(self, python: Path, folder: Path) -> Iterator[SmokeCheck]:
        self._tell(1, selection.IMPORT)
        runs = folder / "runs"
        runs.mkdir()
        bounds = CheckBounds(self.options.timeout_s, self.options.memory_mb)
        argv = program_argv(self.target.prefix, python)
        with CheckProcesses(argv, self._specification(), runs, bounds) as processes:
            imported = processes.start()
            yield self._check(selection.IMPORT, imported)
            if not imported.passed:
                yield from self._not_run("the import failed", self.chosen)
                return
            if not self.chosen:
                return
            # Always first: without the device the others would say the same many times over.
            device = processes.run(_DEVICE_CHECK)
            yield self._check(_DEVICE_CHECK, device)
            if not device.passed:
                yield from self._not_run(f"the check {_DEVICE_CHECK} did not pass", self._others)
                return
            for number, check in enumerate(self._others):
                self._tell(number + 2, check.name)
                yield self._check(check.name, processes.run(check.name), check)

    def _specification(self) -> dict[str, Any]:
        return {
            "module": self.options.module,
            "device": self.options.device,
            "reference": self.options.reference,
            "quick": self.options.check_set == selection.QUICK,
            "virtual": self.options.virtual,
            "options": self.options.settings,
        }

    def _check(
        self, name: str, seen: Observation, check: CheckDescription | None = None
    ) -> SmokeCheck:
        return SmokeCheck(
            target=self.target.name,
            name=name,
            outcome=seen.outcome,
            why=seen.why,
            evidence=seen.evidence,
            group=check.group if check else name,
            issue=check.issue if check else "",
            seconds=None if self.options.virtual else seen.seconds,
            max_rss_mb=seen.max_rss_mb,
            log_tail=seen.log_tail,
        )

    def _not_run(self, why: str, checks: Sequence[CheckDescription]) -> Iterator[SmokeCheck]:
        for check in checks:
            yield self._check(check.name, Observation(CheckOutcome.NOT_RUN, why), check)

    @property
    def _others(self) -> list[CheckDescription]:
        return [check for check in self.chosen if check.name != _DEVICE_CHECK]

    def _tell(self, done: int, name: str) -> None:
        self.ticker(done, len(self.chosen) + 2, f"{self.target.name} {name}")


def _words(error: process.ProgramFailed) -> str:
    return error.detail or error.what

"""The smoke test of one wheel: a fresh environment, an installation, a child that computes."""

from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files, process, temporary
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.smoke.targets import SmokeHost, SmokeTarget, targets, this_host

if TYPE_CHECKING:
    from tensorflow_macos_build.console import Ticker

CHECKS = ("install", "import", "devices", "compute", "train")
"""What is tried, in order; each needs those before it."""

_CHILD = Path(__file__).with_name("child.py")

# -I keeps the child from the caller's PYTHON…, but not the programs that the child starts.
_ENVIRONMENT: dict[str, str | None] = {
    "PYTHONPATH": None,
    "PYTHONHOME": None,
    "PYTHONSTARTUP": None,
    # TensorFlow's log is what is left of a crash: a caller's wish for silence must not hide it.
    "TF_CPP_MIN_LOG_LEVEL": "0",
}

_TAIL_LINES = 20
_DAY = 86_400  # seconds; `timeout_s` of a config has the same bound

_LONGEST_RESULT = 16 << 20
"""Bytes of what the checks may have seen; a training's evidence has some 10 KB."""


class CheckOutcome(Enum):
    """How a check came out."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_RUN = "not_run"
    """It was not tried; never a pass."""


@dataclass(frozen=True)
class SmokeCheck:
    """One thing that was tried, or could not be.

    Attributes:
        target: the processor that the wheel was tried as.
        name: one of `CHECKS`.
        outcome: how it came out.
        why: why it failed or was not run.
        evidence: what was seen: versions, devices, which op ran where, losses.
    """

    target: str
    name: str
    outcome: CheckOutcome
    why: str = ""
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SmokeReport:
    """What a smoke test saw of a wheel."""

    wheel: Path
    checks: tuple[SmokeCheck, ...]

    @property
    def failed(self) -> tuple[SmokeCheck, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if check.outcome is CheckOutcome.FAILED)

    @property
    def ran(self) -> bool:
        """Whether anything was tried at all."""
        return any(check.outcome is not CheckOutcome.NOT_RUN for check in self.checks)


@dataclass(frozen=True)
class SmokeOptions:
    """What is tried.

    Attributes:
        module: the module to import.
        timeout_s: seconds that the child may take, at most a day, as in a config.
        python: the interpreter that the environment is made of.

    Raises:
        UsageError: the time is none that a child can be given.
    """

    module: str = "tensorflow"
    timeout_s: float = 600.0
    python: Path = Path(sys.executable)

    def __post_init__(self) -> None:
        """Refuse a time that no clock counts."""
        if not 0 < self.timeout_s <= _DAY:
            raise UsageError(f"`--timeout` takes more than 0 and at most {_DAY} seconds")


def smoke(
    wheel: Path, options: SmokeOptions, ticker: Ticker, *, host: SmokeHost | None = None
) -> SmokeReport:
    """Install a wheel into an environment of its own and try it, once for each of its processors.

    What this machine cannot run is `not_run` with the reason.

    Raises:
        UsageError: there is no such wheel.
    """
    if not wheel.is_file():
        raise UsageError("there is no such wheel", where=str(wheel))
    checks: list[SmokeCheck] = []
    for target in targets(wheel.name, host or this_host(options.python)):
        ticker(len(checks), None, target.name)
        if target.skip_reason:
            checks += _not_run(target, target.skip_reason)
        else:
            checks += _try(wheel, target, options)
    return SmokeReport(wheel, tuple(checks))


def child_argv(target: SmokeTarget, python: Path, module: str, result: Path) -> list[str | Path]:
    """Return the command line of the child: isolated from the caller's environment and site."""
    # faulthandler: where native code crashes, the log says which Python line called it.
    return [*target.prefix, python, "-I", "-X", "faulthandler", _CHILD, module, result]


def _try(wheel: Path, target: SmokeTarget, options: SmokeOptions) -> list[SmokeCheck]:
    with temporary.scratch("smoke") as folder:
        python = folder / "env" / "bin" / "python"
        try:
            # 0.4 s instead of 6 s with a pip in it; our own installs into it (`_pip`).
            process.run([options.python, "-m", "venv", "--without-pip", python.parents[1]])
            flags = ("--no-index", "--no-deps", "--no-compile", "--disable-pip-version-check")
            process.run([*_pip(), "--python", python, "install", "--quiet", *flags, wheel])
        except process.ProgramFailed as error:
            why, failed = error.detail or error.what, CheckOutcome.FAILED
            install = SmokeCheck(target.name, "install", failed, why)
            return [install, *_not_run(target, "the installation failed", CHECKS[1:])]
        evidence = {"wheel": wheel.name}
        installed = SmokeCheck(target.name, "install", CheckOutcome.PASSED, evidence=evidence)
        return [installed, *_observe(target, python, options, folder)]


def _observe(
    target: SmokeTarget, python: Path, options: SmokeOptions, folder: Path
) -> list[SmokeCheck]:
    """Run the child and read what it saw; whatever it did not come to has failed or not run."""
    result = folder / "result.json"
    argv = child_argv(target, python, options.module, result)
    why = ""
    try:
        # Keras takes its settings from ~/.keras/keras.json, and writes that file at its import.
        env = {**_ENVIRONMENT, "HOME": str(folder)}
        # cwd: what the wheel's code leaves where it stands goes with the folder.
        process.run(argv, cwd=folder, env=env, timeout=options.timeout_s)
    except process.ProgramFailed as error:
        why = "\n".join([error.what, *error.detail.splitlines()[-_TAIL_LINES:], error.hint]).strip()
    # The wheel's code shares the process with the checks, so the file is read as a stranger's.
    try:
        seen = _read(result, target) if result.is_file() else []
    except (ValueError, TypeError, KeyError, RecursionError, UsageError):
        seen, why = [], why or "the wheel's own code wrote over what the checks saw"
    left = CHECKS[1 + len(seen) :]
    if why and left:
        return [
            *seen,
            SmokeCheck(target.name, left[0], CheckOutcome.FAILED, why),
            *_not_run(target, f"`{left[0]}` failed", left[1:]),
        ]
    return [*seen, *_not_run(target, "the import failed", left)]


def _read(result: Path, target: SmokeTarget) -> list[SmokeCheck]:
    """Return what a child's checks saw.

    Raises:
        ValueError, TypeError, KeyError, RecursionError, UsageError: the child did not write it.
    """
    return [
        SmokeCheck(
            target.name,
            str(row["name"]),
            CheckOutcome(row["outcome"]),
            str(row["why"]),
            dict(row["evidence"]),
        )
        for row in json.loads(files.read_small(result, _LONGEST_RESULT))
    ]


def _not_run(target: SmokeTarget, why: str, names: tuple[str, ...] = CHECKS) -> list[SmokeCheck]:
    return [SmokeCheck(target.name, name, CheckOutcome.NOT_RUN, why) for name in names]


def _pip() -> list[str]:
    """Return the pip that installs into other environments (`--python`, pip 22.3)."""
    # An environment that uv made has no pip; that of the interpreter below it does the same.
    own = importlib.util.find_spec("pip") is not None
    base = getattr(sys, "_base_executable", sys.executable)
    return [sys.executable if own else base, "-m", "pip"]

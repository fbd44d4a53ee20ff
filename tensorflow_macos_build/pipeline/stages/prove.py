"""smoke: the wheels are installed and tried, as far as this machine can run them."""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import checkout, dependency_groups, process
from tensorflow_macos_build.config import Smoke
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import CheckRecord, FileRecord, Record, SmokeResult
from tensorflow_macos_build.pipeline.stage import Configured, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import build
from tensorflow_macos_build.pipeline.stages.verify import VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.smoke import SmokeCheck, SmokeOptions, SmokeReport, SmokeTarget


class SmokeInputs(Record):
    """The wheels to try, that part of the config, and the machine that tries them."""

    wheels: tuple[FileRecord, ...]
    smoke: dict[str, Any]
    machine: dict[str, str]
    python: str


def _inputs(workspace: Workspace, results: Results) -> SmokeInputs:
    host = (results[build.FOR_HOST].wheel,) if workspace.release.host_build else ()
    return SmokeInputs(
        # The host's first: elsewhere than on a Mac it is the only one that can run.
        wheels=(*host, results[VERIFY].wheel),
        smoke=workspace.release.smoke.model_dump(mode="json"),
        # What passes here may fail on another machine, and on Apple silicon more can be tried.
        machine=fingerprints.machine(),
        python=fingerprints.program_identity(fingerprints.python_of(workspace.release)),
    )


@dataclass(frozen=True)
class SmokeInstructions(Configured[Smoke]):
    """That part of the config, and the Python to try the wheels with where it is here.

    Attributes:
        version: the version of that Python.
        python: its path.
        with_host: whether the host's own wheel is tried, too.
        root: the checkout.
    """

    version: str
    python: Path | None
    with_host: bool
    root: Path

    def commands(self) -> dict[str, CommandLine]:
        """Return the programs of each processor that the wheels can be tried on here."""
        from tensorflow_macos_build.smoke import planned

        python = fingerprints.shown(self.python, f"python{self.version}")
        uv = fingerprints.shown(_uv(), "uv")
        return {
            purpose: line
            for label, target in self._targets().items()
            if not target.skip_reason
            for purpose, line in planned.commands(target, label, python, uv, self.root).items()
        }

    def settings(self) -> dict[str, Any]:
        """Return the section's values, which Python, and what cannot be tried here."""
        python = fingerprints.shown(self.python, f"python{self.version}")
        targets = self._targets().items()
        skipped = {label: each.skip_reason for label, each in targets if each.skip_reason}
        more = {"not_run": skipped} if skipped else {}
        return {**super().settings(), "python": python, **more}

    def _targets(self) -> dict[str, SmokeTarget]:
        """Return what each wheel is tried on: the host's own, and each half of the fused one."""
        from tensorflow_macos_build.smoke import targets

        own = Path(sys.executable)
        try:
            host = targets.this_host(self.python or own)
        except process.ProgramFailed:  # a shim of pyenv's that leads nowhere; the work says so
            host = targets.this_host(own)
        # By names: whatever the wheels' own will be, these are for the same processors.
        tag = f"macosx_11_0_{host.machine}" if host.system == "darwin" else "any"
        names = {"host": f"x-1-py3-none-{tag}.whl"} if self.with_host else {}
        labelled = [
            (label, each) for label, name in names.items() for each in targets.targets(name, host)
        ]
        fused = targets.targets("x-1-py3-none-macosx_11_0_universal2.whl", host)
        return dict([*labelled, *((each.name, each) for each in fused)])


def _uv() -> Path | None:
    try:
        return Path(dependency_groups.uv())
    except UsageError:
        return None


def _instructions(workspace: Workspace) -> SmokeInstructions:
    release = workspace.release
    version, python = fingerprints.python_version(release), fingerprints.located_python(release)
    root = workspace.root
    return SmokeInstructions(release.smoke, version, python, release.host_build, root)


def _work(job: StageJob[SmokeInputs, SmokeInstructions]) -> SmokeResult:
    from tensorflow_macos_build.smoke import EnvironmentRequest, smoke

    # The second raises, and says what to install; a plan must not.
    python = job.instructions.python or fingerprints.python_of(job.workspace.release)
    options = dataclasses.replace(options_of(job.instructions.section), python=str(python))
    checks = [
        record
        for wheel in job.inputs.wheels
        for record in _records(smoke(EnvironmentRequest(job.path(wheel)), options, job.ticker))
    ]
    _refuse_failures(job, checks)
    return SmokeResult(checks=tuple(checks))


def options_of(settings: Smoke) -> SmokeOptions:
    """Return what a config asks of the smoke test."""
    from tensorflow_macos_build.smoke import KnownLimit, SmokeOptions

    return SmokeOptions(
        module=settings.module,
        device=settings.device,
        reference=settings.reference,
        timeout_s=settings.timeout_s,
        memory_mb=settings.memory_mb,
        check_set=settings.check_set.value,
        virtual=settings.virtual,
        known_limits=tuple(
            KnownLimit(limit.check, limit.reason, limit.device) for limit in settings.known_limits
        ),
    )


def _records(report: SmokeReport) -> Iterator[CheckRecord]:
    for check in report.checks:
        yield CheckRecord(
            wheel=report.subject,
            leg=check.target,
            name=check.name,
            outcome=check.outcome.value,
            why=_why(check),
            evidence=check.evidence,
        )


def _why(check: SmokeCheck) -> str:
    """Return why a check came out so, with what the config declares of it."""
    if not check.limit:
        return check.why
    if check.outcome.value == "passed":
        return f"it passes, and is declared to fail: {check.limit}"
    return f"{check.why} (declared: {check.limit})"


def _refuse_failures(job: StageJob[SmokeInputs], checks: Sequence[CheckRecord]) -> None:
    """Raise WorkFailed for checks that failed; the hint is about the first one's wheel."""
    from tensorflow_macos_build.smoke import CheckOutcome

    # What this machine could not try is no failure; the summary and the report name it.
    failed = [check for check in checks if CheckOutcome(check.outcome).is_failure]
    if failed:
        wheel = next(wheel for wheel in job.inputs.wheels if wheel.name == failed[0].wheel)
        raise WorkFailed(
            f"the smoke test failed: {', '.join(f'{check.leg} {check.name}' for check in failed)}",
            where=wheel.name,
            detail="\n".join(f"{check.leg} {check.name}: {check.why}" for check in failed),
            hint=checkout.command(
                "smoke", checkout.shown(job.path(wheel)), "--config", job.workspace.release.name
            ),
        )


def _smoked_in_short(smoked: SmokeResult) -> str:
    counts = Counter(check.outcome for check in smoked.checks)
    text = f"{counts['passed']} passed"
    if counts["not_run"]:
        reasons = sorted({check.why for check in smoked.checks if check.outcome == "not_run"})
        text += f", {counts['not_run']} not run: {'; '.join(reasons)}"
    return text


def _stage(name: str, *, with_host: bool) -> Stage[SmokeInputs, SmokeResult, SmokeInstructions]:
    needs = (build.FOR_HOST, VERIFY) if with_host else (VERIFY,)
    return Stage(
        name=name,
        needs=needs,
        inputs=_inputs,
        work=_work,
        result=SmokeResult,
        summary=_smoked_in_short,
        instructions=_instructions,
    )


# Of one name, so that what comes after finds the one that the build has (`Results`).
SMOKE = _stage("smoke", with_host=False)
SMOKE_WITH_HOST = _stage("smoke", with_host=True)

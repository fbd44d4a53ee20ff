"""verify: the wheel is looked at as installers, dyld and the kernel will, plugins beside it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.pipeline.records import (
    FileRecord,
    FindingRecord,
    Record,
    VerifyResult,
)
from tensorflow_macos_build.pipeline.stage import Configured, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import plugins
from tensorflow_macos_build.pipeline.stages.describe import SBOM

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Verify
    from tensorflow_macos_build.pipeline.workspace import Workspace


class VerifyInputs(Record):
    """The wheel, that part of the config, and the plugins that must load beside the wheel."""

    wheel: FileRecord
    verify: dict[str, Any]
    plugins: tuple[FileRecord, ...]


def _verify_inputs(workspace: Workspace, results: Results) -> VerifyInputs:
    return VerifyInputs(
        wheel=results[SBOM].wheel,
        verify=workspace.release.verify.model_dump(mode="json"),
        plugins=results[plugins.FETCH].wheels if plugins.FETCH in results else (),
    )


def _verify(job: StageJob[VerifyInputs, Configured[Verify]]) -> VerifyResult:
    from tensorflow_macos_build.wheels.verify import VerifyOptions, verify

    settings = job.instructions.section
    beside = tuple(map(job.path, job.inputs.plugins))
    options = VerifyOptions(settings.must_export, settings.allow, beside)
    verification = verify(job.path(job.inputs.wheel), options, job.ticker)
    # As values of this room: a stamp must be readable whatever becomes of verify's own classes.
    findings = tuple(
        FindingRecord(
            code=finding.code.slug,
            severity=finding.severity.value,
            file=finding.file,
            slice=finding.slice,
            message=finding.message,
        )
        for finding in verification.findings
    )
    if not verification.ok:
        errors = [finding for finding in findings if finding.severity == "error"]
        lines = [f"{error.code} {error.file} {error.slice} {error.message}" for error in errors]
        raise WorkFailed(
            f"the wheel does not verify: {len(errors)} errors",
            where=job.inputs.wheel.path,
            detail="\n".join(lines),
            hint=checkout.command(
                "verify",
                checkout.shown(job.path(job.inputs.wheel)),
                *(word for path in beside for word in ("--with", checkout.shown(path))),
            ),
        )
    # Handed on, so that the stages behind can only get a wheel that verifies.
    return VerifyResult(wheel=job.inputs.wheel, findings=findings)


def _verified_in_short(verified: VerifyResult) -> str:
    counts = Counter(finding.severity for finding in verified.findings)
    return ", ".join(f"{counts[name]} {name}s" for name in ("error", "warning", "note"))


def _verify_stage(
    *needs: Stage[Any, Any],
) -> Stage[VerifyInputs, VerifyResult, Configured[Verify]]:
    return Stage(
        name="verify",
        needs=needs,
        inputs=_verify_inputs,
        work=_verify,
        result=VerifyResult,
        summary=_verified_in_short,
        instructions=lambda workspace: Configured(workspace.release.verify),
    )


# Of one name, so that what comes after finds the one that the build has (`Results`).
VERIFY = _verify_stage(SBOM)
VERIFY_WITH_PLUGINS = _verify_stage(SBOM, plugins.FETCH)

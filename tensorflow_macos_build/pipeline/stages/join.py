"""fuse, relocate: two thin wheels become one that needs nothing but the system."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import (
    FileRecord,
    FuseResult,
    Record,
    RelocateResult,
)
from tensorflow_macos_build.pipeline.stage import (
    Configured,
    Instructions,
    Results,
    Stage,
    StageJob,
)
from tensorflow_macos_build.pipeline.stages import build

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Fuse
    from tensorflow_macos_build.pipeline.workspace import Workspace


class FuseInputs(Record):
    """The two wheels, and that part of the config."""

    arm64: FileRecord
    x86_64: FileRecord
    fuse: dict[str, Any]


def _fuse_inputs(workspace: Workspace, results: Results) -> FuseInputs:
    return FuseInputs(
        arm64=results[build.ARM64].wheel,
        x86_64=results[build.X86_64].wheel,
        fuse=workspace.release.fuse.model_dump(mode="json"),
    )


def _fuse(job: StageJob[FuseInputs, Configured[Fuse]]) -> FuseResult:
    # Imported here, as by the work of every stage: most builds find most stages up to date.
    from tensorflow_macos_build.wheels.fuse.engine import FuseOptions, fuse
    from tensorflow_macos_build.wheels.fuse.rules import rule

    settings = job.instructions.section
    options = FuseOptions(
        build=settings.build_tag,
        universal2_tag=settings.universal2_tag,
        rules=tuple(rule(stated.path, stated.verdict.value) for stated in settings.rules),
    )
    arm64, x86_64 = job.path(job.inputs.arm64), job.path(job.inputs.x86_64)
    fused = fuse(arm64, x86_64, job.folder, options, job.ticker)
    return FuseResult(
        wheel=job.file(fused.wheel),
        verdicts={verdict.value: len(paths) for verdict, paths in fused.files.items()},
        notes=fused.notes,
    )


def _fused_in_short(fused: FuseResult) -> str:
    counts = ", ".join(f"{count} {name}" for name, count in fused.verdicts.items() if count)
    return f"{fused.wheel.name}: {counts}"


FUSE = Stage(
    name="fuse",
    needs=(build.ARM64, build.X86_64),
    inputs=_fuse_inputs,
    work=_fuse,
    result=FuseResult,
    summary=_fused_in_short,
    instructions=lambda workspace: Configured(workspace.release.fuse),
)


class RelocateInputs(Record):
    """The fused wheel, and the tool that can move libraries into it on this machine."""

    wheel: FileRecord
    tool: str


def _relocater() -> str:
    """Return the package that brings libraries into a wheel on this machine."""
    # delocate calls Apple's tools, so only a Mac can run it; repairwheel does the work elsewhere.
    return "delocate" if sys.platform == "darwin" else "repairwheel"


class RelocateInstructions(Instructions):
    """The package that will bring libraries into the wheel."""

    def settings(self) -> dict[str, Any]:
        """Return the package's name."""
        return {"by": _relocater()}


def _relocate_inputs(_workspace: Workspace, results: Results) -> RelocateInputs:
    name = _relocater()
    # Another release of it may give the libraries other names, and the wheel other bytes.
    tool = f"{name} {fingerprints.package_version(name)}"
    return RelocateInputs(wheel=results[FUSE].wheel, tool=tool)


def _relocate(job: StageJob[RelocateInputs, RelocateInstructions]) -> RelocateResult:
    from tensorflow_macos_build.wheels.relocate.engine import relocate

    relocated = relocate(job.path(job.inputs.wheel), job.folder, ticker=job.ticker)
    return RelocateResult(
        wheel=job.file(relocated.wheel),
        copied=tuple(library.library for library in relocated.copied),
    )


RELOCATE = Stage(
    name="relocate",
    needs=(FUSE,),
    inputs=_relocate_inputs,
    work=_relocate,
    result=RelocateResult,
    summary=lambda moved: f"{len(moved.copied)} libraries brought in",
    instructions=lambda _workspace: RelocateInstructions(),
)

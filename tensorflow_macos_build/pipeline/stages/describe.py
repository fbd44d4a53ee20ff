"""sbom: the wheel gets the list of what it was made of, before it is verified and tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tensorflow_macos_build import __version__
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import (
    ExternalsRecord,
    FileRecord,
    PatchOutcome,
    Record,
    SbomResult,
)
from tensorflow_macos_build.pipeline.stage import Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import build
from tensorflow_macos_build.pipeline.stages.join import RELOCATE
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.pipeline.stages.source import SOURCE

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.release.linkage import BuiltOf
    from tensorflow_macos_build.release.sbom import AppliedPatch, AppliedPick, Materials

_NOT_APPLIED = ("upstream-identical", "empty", "left-out")
"""The statuses of patches of which the tree holds nothing that the release has not."""


class SbomInputs(Record):
    """The wheel, and what it was made of."""

    wheel: FileRecord
    tool: str
    url: str
    ref: str
    commit: str
    patches: tuple[PatchOutcome, ...]
    queue_files: dict[str, str]
    externals: dict[str, ExternalsRecord | None]


def _inputs(workspace: Workspace, results: Results) -> SbomInputs:
    source = results[SOURCE]
    return SbomInputs(
        wheel=results[RELOCATE].wheel,
        tool=__version__,
        url=source.url,
        ref=source.ref,
        commit=source.commit,
        patches=results[PATCH].patches,
        queue_files=fingerprints.file_digests(workspace.queue) if workspace.queue else {},
        externals={
            built.architecture: built.externals
            for built in (results[build.ARM64], results[build.X86_64])
        },
    )


def _work(job: StageJob[SbomInputs]) -> SbomResult:
    from tensorflow_macos_build.release import sbom
    from tensorflow_macos_build.wheels.sbom import with_bill

    content = sbom.content(_materials(job))
    bill = job.folder / sbom.NAME
    bill.write_bytes(content)
    described = with_bill(job.path(job.inputs.wheel), job.folder, sbom.NAME, content)
    return SbomResult(wheel=job.file(described.wheel), bill=job.file(bill))


def _materials(job: StageJob[SbomInputs]) -> Materials:
    from tensorflow_macos_build.patchqueue.queue import storage
    from tensorflow_macos_build.release import linkage
    from tensorflow_macos_build.release.sbom import Materials
    from tensorflow_macos_build.wheels.open_wheel import open_wheel

    inputs = job.inputs
    with open_wheel(job.path(inputs.wheel), any_platform=True) as opened:
        libraries = linkage.libraries(opened.archive.members)
    built = {name: _built_of(part) if part else None for name, part in inputs.externals.items()}
    project, version, *_ = parse_wheel_filename(inputs.wheel.name)
    queue = storage.load(job.workspace.queue) if job.workspace.queue else None
    applied = {patch.name for patch in inputs.patches if patch.status not in _NOT_APPLIED}
    return Materials(
        project=project,
        version=str(version),
        upstream=inputs.url,
        ref=inputs.ref,
        commit=inputs.commit,
        patches=tuple(_patches(queue, applied, inputs.queue_files)) if queue else (),
        picks=tuple(_picks(queue, applied)) if queue else (),
        archives=linkage.archives(libraries, filter(None, built.values())),
        tool=inputs.tool,
        unknown=linkage.unknown(libraries, built),
    )


def _built_of(externals: ExternalsRecord) -> BuiltOf:
    from tensorflow_macos_build.release.linkage import BuiltOf
    from tensorflow_macos_build.release.sbom import ExternalArchive

    archives = [ExternalArchive(row.name, row.urls, row.sha256) for row in externals.archives]
    return BuiltOf(archives, externals.links, externals.partly_seen)


def _patches(
    queue: Queue, applied: Collection[str], digests: Mapping[str, str]
) -> Iterator[AppliedPatch]:
    from tensorflow_macos_build.patchqueue.formats import trailers
    from tensorflow_macos_build.release.sbom import AppliedPatch, PatchKind

    for patch in queue.patches:
        if patch.name in applied:
            reason = trailers.value(trailers.parse(patch.header.message), "Reason")
            kind = PatchKind.BACKPORT if reason == "backport" else PatchKind.UNOFFICIAL
            yield AppliedPatch(f"patches/{queue.name}/{patch.name}", kind, digests[patch.name])


def _picks(queue: Queue, applied: Collection[str]) -> Iterator[AppliedPick]:
    from tensorflow_macos_build.release.sbom import AppliedPick

    for pick in queue.picks:
        if pick.name in applied:
            yield AppliedPick(pick.name, pick.commit, pick.url)


SBOM = Stage(
    name="sbom",
    needs=(SOURCE, PATCH, build.ARM64, build.X86_64, RELOCATE),
    inputs=_inputs,
    work=_work,
    result=SbomResult,
    summary=lambda described: f"{described.wheel.name}: sboms/{described.bill.name}",
)

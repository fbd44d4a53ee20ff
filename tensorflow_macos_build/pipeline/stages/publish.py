"""dist: the wheel, its checksums, where it comes from, and the report, put in place as one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import __version__, documents, files, locks
from tensorflow_macos_build.pipeline import builder, fingerprints
from tensorflow_macos_build.pipeline.records import (
    DistResult,
    FileRecord,
    FuseResult,
    PatchResult,
    PluginWheelsResult,
    Record,
    RelocateResult,
    SbomResult,
    SmokeResult,
    SourceResult,
    VerifyResult,
    WheelResult,
)
from tensorflow_macos_build.pipeline.stage import FinishedStage, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import build, join
from tensorflow_macos_build.pipeline.stages.describe import SBOM
from tensorflow_macos_build.pipeline.stages.patch import PATCH
from tensorflow_macos_build.pipeline.stages.prove import SMOKE
from tensorflow_macos_build.pipeline.stages.source import SOURCE
from tensorflow_macos_build.pipeline.stages.verify import VERIFY

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.pipeline.workspace import Workspace

SUMS = "SHA256SUMS"
PROVENANCE = "provenance.json"
REPORT = "report.json"
PAGE = "report.html"


class PublishInputs(Record):
    """All that was made, and the config that it was made by."""

    release: dict[str, Any]
    tool: str
    machine: dict[str, str]
    queue_files: dict[str, str]
    source: SourceResult
    patched: PatchResult
    wheels: tuple[WheelResult, ...]
    fused: FuseResult
    relocated: RelocateResult
    described: SbomResult
    verified: VerifyResult
    smoked: SmokeResult
    plugins: tuple[FileRecord, ...]


def _inputs(workspace: Workspace, results: Results) -> PublishInputs:
    thin = [build.ARM64, build.X86_64, *([build.FOR_HOST] if workspace.release.host_build else [])]
    return PublishInputs(
        release=fingerprints.published(workspace.release),
        tool=__version__,
        machine=fingerprints.machine(),
        queue_files=fingerprints.file_digests(workspace.queue) if workspace.queue else {},
        source=results[SOURCE],
        patched=results[PATCH],
        wheels=tuple(results[stage] for stage in thin),
        fused=results[join.FUSE],
        relocated=results[join.RELOCATE],
        described=results[SBOM],
        verified=results[VERIFY],
        # By their type: the code that builds them decides nothing of releases without plugins.
        plugins=tuple(
            wheel
            for finished in results.finished
            if isinstance(finished.value, PluginWheelsResult)
            for wheel in finished.value.wheels
        ),
        smoked=results[SMOKE],  # or SMOKE_WITH_HOST's: results are found by the stage's name
    )


def _work(job: StageJob[PublishInputs]) -> DistResult:
    """Fill the new dist/<release> beside the old one, then let the two change places."""
    workspace = job.workspace
    # Not into the stage's own folder, which gets the stamp alone: dist/ is what people look at.
    with locks.held(workspace.dist_lock), files.atomic_folder(workspace.dist) as folder:
        _fill(job, folder)
    wheel = job.inputs.verified.wheel.name
    # By where they are now, so that nobody believes the stamp when a file of dist/ has changed.
    published = tuple(job.file(path) for path in sorted(workspace.dist.iterdir()))
    return DistResult(
        folder=str(workspace.dist.relative_to(workspace.root)),
        wheel=next(file for file in published if file.name == wheel),
        files=published,
    )


def _fill(job: StageJob[PublishInputs], folder: Path) -> None:
    from tensorflow_macos_build.report import page

    inputs = job.inputs
    wheel = inputs.verified.wheel
    # A link, where there can be one: a wheel of TensorFlow has hundreds of megabytes.
    shipped = (wheel, inputs.described.bill, *inputs.plugins)
    for file in shipped:
        files.link_or_copy(job.path(file), folder / file.name)
    # Asked now: what these tools are is in the keys of the stages that ran them.
    tools = _tools(job)
    report = _report(inputs, job.history, tools, _folders(folder / wheel.name))
    commit = builder.tool_commit(job.workspace.root)
    provenance = documents.dumps(_provenance(inputs, tools, commit))
    (folder / PROVENANCE).write_text(provenance, encoding="utf-8")
    (folder / REPORT).write_text(documents.dumps(report), encoding="utf-8")
    (folder / PAGE).write_text(page.render(report), encoding="utf-8")
    names = sorted((*(file.name for file in shipped), PROVENANCE))
    summed = ((files.sha256(folder / name), name) for name in names)
    # What sha256sum(1) writes and `--check` reads: the digest, two spaces, the name.
    sums = "".join(f"{digest}  {name}\n" for digest, name in summed)
    (folder / SUMS).write_text(sums, encoding="utf-8")


def _tools(job: StageJob[PublishInputs]) -> dict[str, str]:
    # Bazel's own word, where it has one: Bazelisk may have chosen it by what the tree says.
    own = sorted({built.bazel for built in job.inputs.wheels} - {""})
    identity = builder.identity(job.workspace.release)
    return {**identity, "bazel": ", ".join(own) or identity.get("bazel", "unknown")}


def _upstream(inputs: PublishInputs) -> documents.Json:
    source = inputs.source
    return {"url": source.url, "ref": source.ref, "commit": source.commit}


def _described(file: FileRecord) -> documents.Json:
    return {"name": file.name, "size": file.size, "sha256": file.sha256}


def _provenance(inputs: PublishInputs, tools: dict[str, str], commit: str) -> documents.Json:
    """Return what the wheel was made of, and nothing of how long it took."""
    # So two builds of the same inputs publish the same bytes; times are the report's, which is not
    # in SHA256SUMS.
    body = {
        "wheel": _described(inputs.verified.wheel),
        "plugins": [_described(plugin) for plugin in inputs.plugins],
        "release": inputs.release,
        "upstream": _upstream(inputs),
        "queue_files": inputs.queue_files,
        "tree": inputs.patched.tree,
        "thin_wheels": [_described(built.wheel) for built in inputs.wheels],
        "builder": tools,
        "tool_commit": commit,
    }
    return documents.document("provenance", 1, body)


def _stage_row(finished: FinishedStage) -> documents.Json:
    return {
        "name": finished.stage.name,
        "key": finished.key,
        "summary": finished.stage.summary(finished.value),
        "seconds": finished.seconds,
        "up_to_date": finished.up_to_date,
    }


def _thin_wheel_row(built: WheelResult) -> documents.Json:
    return {
        "architecture": built.architecture,
        **_described(built.wheel),
        "actions": built.effort.actions,
        "cache_hits": built.effort.cache_hits,
        "caches": list(built.effort.caches),
        **({"time": built.effort.time.model_dump(mode="json")} if built.effort.time else {}),
    }


def _folders(wheel: Path) -> list[documents.Json]:
    from tensorflow_macos_build.wheels import contents

    weighed: list[documents.Json] = contents.as_document(contents.read(wheel))["folders"]
    return weighed


def _report(
    inputs: PublishInputs,
    history: tuple[FinishedStage, ...],
    tools: dict[str, str],
    folders: list[documents.Json],
) -> documents.Json:
    body = {
        "release": inputs.release["name"],
        # Upstream's own, and not that of the build: the same inputs give the same bytes.
        "date": inputs.source.date,
        "wheel": _described(inputs.verified.wheel),
        "folders": folders,
        "plugins": [_described(plugin) for plugin in inputs.plugins],
        "upstream": _upstream(inputs),
        "queue": inputs.release["queue"],
        "tree": inputs.patched.tree,
        "patches": [patch.model_dump(mode="json") for patch in inputs.patched.patches],
        "stages": [_stage_row(finished) for finished in history],
        "thin_wheels": [_thin_wheel_row(built) for built in inputs.wheels],
        "fuse": {"verdicts": inputs.fused.verdicts, "notes": list(inputs.fused.notes)},
        "relocate": {"copied": list(inputs.relocated.copied)},
        "verify": [finding.model_dump(mode="json") for finding in inputs.verified.findings],
        "smoke": [check.model_dump(mode="json") for check in inputs.smoked.checks],
        "config": inputs.release,
        "builder": tools,
    }
    return documents.document("report", 1, body)


def stage(
    smoke: Stage[Any, SmokeResult], *others: Stage[Any, Any]
) -> Stage[PublishInputs, DistResult]:
    """Return the stage of a build whose smoke test is `smoke` and that has these stages besides."""
    return Stage(
        name="dist",
        needs=(
            SOURCE,
            PATCH,
            build.ARM64,
            build.X86_64,
            join.FUSE,
            join.RELOCATE,
            SBOM,
            VERIFY,
            smoke,
            *others,
        ),
        inputs=_inputs,
        work=_work,
        result=DistResult,
        summary=lambda published: f"{published.folder}/{published.wheel.name}",
    )

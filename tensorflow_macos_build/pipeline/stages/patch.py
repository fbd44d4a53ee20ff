"""patch: the queue's patches are on the upstream's tree, in the object store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import checkout
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import CommitLink, PatchOutcome, PatchResult, Record
from tensorflow_macos_build.pipeline.stage import Instructions, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages.source import SOURCE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.verdict.status import Evidence
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.upstream.mirror import Mirror


class PatchInputs(Record):
    """What decides the patched tree: the commit, and every file of the queue."""

    url: str
    commit: str
    git_dir: str
    release: str
    queue: str | None
    files: dict[str, str]


@dataclass(frozen=True)
class PatchInstructions(Instructions):
    """Which queue is replayed, by its name in patches/."""

    queue: str | None

    def settings(self) -> dict[str, Any]:
        """Return the queue's name, where the config names one."""
        return {"queue": self.queue} if self.queue else {}


def _inputs(workspace: Workspace, results: Results) -> PatchInputs:
    source = results[SOURCE]
    queue = workspace.queue
    if queue is not None and not queue.is_dir():
        known = sorted(path.name for path in (workspace.root / "patches").glob("*/"))
        raise UsageError(
            f"there is no queue `{queue.name}`",
            where=str(workspace.loaded.provenance["queue"]),
            hint=f"patches/ has: {', '.join(known) or 'none'}",
        )
    return PatchInputs(
        url=source.url,
        commit=source.commit,
        git_dir=source.git_dir,
        release=workspace.release.name,
        queue=workspace.release.queue,
        # All of them, resolutions too: the rebase uses those.
        files=fingerprints.file_digests(queue) if queue else {},
    )


def _work(job: StageJob[PatchInputs]) -> PatchResult:
    from tensorflow_macos_build.git import trees

    git = _upstream(job)
    inputs = job.inputs
    tree, lines = trees.of_commits(git, [inputs.commit])[0], tuple[PatchOutcome, ...]()
    if job.workspace.queue is not None:
        tree, lines = _replay(job, git)
    _fetch_files(git, tree, job.ticker)
    # Without a reference the tree would be garbage to git (gc). The reference's file is part of the
    # result, so that a result whose tree is no longer held counts as changed.
    holder = f"refs/macos-build/{inputs.release}/patched"
    git.run("update-ref", "--no-deref", holder, tree)
    return PatchResult(
        commit=inputs.commit,
        tree=tree,
        git_dir=inputs.git_dir,
        patches=lines,
        holder=job.file(git.git_dir / holder),
    )


def _upstream(job: StageJob[PatchInputs]) -> Mirror:
    """Open the config's upstream, with what the queue's replay on the commit reads."""
    from tensorflow_macos_build.patchqueue.queue import opening
    from tensorflow_macos_build.upstream import mirror

    url, mirrors, queue = job.inputs.url, job.workspace.mirrors, job.workspace.queue
    if queue is None:
        return mirror.open(url, mirrors, job.ticker)
    opened = opening.open(queue, mirrors, job.ticker, upstream=url)
    # Before the replay, in one request: what is found missing on the way comes object by object.
    opened.prepare([job.inputs.commit], job.ticker)
    return opened.mirror


def _fetch_files(git: Mirror, tree: str, ticker: Ticker) -> None:
    """Make all contents of the tree present, in one request: the stages after this check it out."""
    from tensorflow_macos_build.git import trees

    if git.url is not None:  # a mirror of a folder of this machine has everything
        entries = trees.files(git, tree).values()
        git.fetch_blobs((entry.oid for entry in entries if not entry.is_submodule), ticker)


def _replay(job: StageJob[PatchInputs], git: Mirror) -> tuple[str, tuple[PatchOutcome, ...]]:
    from tensorflow_macos_build.patchqueue.queue import storage
    from tensorflow_macos_build.patchqueue.rebase.engine import rebase
    from tensorflow_macos_build.patchqueue.verdict import wording

    assert job.workspace.queue is not None
    queue = storage.load(job.workspace.queue)
    rebased = rebase(queue, git, job.inputs.commit, ticker=job.ticker)
    patches = tuple(
        PatchOutcome(
            name=patch.name,
            status=patch.status.value,
            evidence=wording.summary(patch.evidence),
            subject=patch.subject,
            commits=tuple(_links(patch.evidence)),
        )
        for patch in rebased.patches
    )
    if not rebased.ok:
        names = {patch.name for patch in rebased.patches if patch.status.is_blocking}
        blocking = [patch for patch in patches if patch.name in names]
        lines = [f"{patch.name}: {patch.status}; {patch.evidence}" for patch in blocking]
        ref = job.workspace.release.upstream.ref
        raise WorkFailed(
            f"{len(names)} of {len(patches)} patches do not apply to {job.inputs.commit[:12]}",
            where=f"patches/{queue.name}",
            detail="\n".join(lines),
            hint=checkout.command("rebase", "--queue", queue.name, "--onto", ref),
        )
    return rebased.tree, patches


def _links(evidence: Evidence) -> Iterator[CommitLink]:
    named = (*evidence.upstream, *evidence.changed_by)
    for commit in dict.fromkeys(named):
        yield CommitLink(commit=commit.oid, link=commit.link)


PATCH = Stage(
    name="patch",
    needs=(SOURCE,),
    inputs=_inputs,
    work=_work,
    result=PatchResult,
    summary=lambda patched: f"{len(patched.patches)} patches, tree {patched.tree[:12]}",
    instructions=lambda workspace: PatchInstructions(workspace.release.queue),
)

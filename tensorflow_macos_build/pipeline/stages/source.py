"""source: the upstream commit that the config's ref names is in the mirror."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import closure
from tensorflow_macos_build.config import Upstream
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import Record, SourceResult
from tensorflow_macos_build.pipeline.stage import Configured, Results, Stage, StageJob

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.pipeline.workspace import Workspace


class SourceInputs(Record):
    """What decides the commit.

    Attributes:
        url: the upstream's address.
        ref: the tag, branch or commit to build.
        local_refs: a digest of the upstream's references where it is a folder of this machine. A
            remote branch is asked once; `--force source` asks again.
    """

    url: str
    ref: str
    local_refs: str


@dataclass(frozen=True)
class SourceInstructions(Configured[Upstream]):
    """Where the source comes from, and where mirrors are.

    Attributes:
        mirrors: their folder.
        root: the checkout.
    """

    mirrors: Path
    root: Path

    def commands(self) -> dict[str, CommandLine]:
        """Return the programs that ask the server, where there is one."""
        from tensorflow_macos_build.upstream import mirror

        try:
            return mirror.planned(self.section.url, self.mirrors, self.root)
        except UsageError:  # no repository, which the work says
            return {}


def _inputs(workspace: Workspace, _results: Results) -> SourceInputs:
    upstream = workspace.release.upstream
    return SourceInputs(
        url=upstream.url, ref=upstream.ref, local_refs=_local_refs(workspace.root, upstream)
    )


def _local_refs(root: Path, upstream: Upstream) -> str:
    # The miniature's repository is made by code, so that is what its references depend on.
    if upstream.is_embedded:
        return closure.digest("tensorflow_macos_build.upstream.embedded")
    # An absolute path takes the root's place (pathlib); an address of a server leads nowhere.
    folder = root / upstream.url.removeprefix("file://")
    git_dir = folder / ".git" if (folder / ".git").is_dir() else folder
    if not (git_dir / "HEAD").is_file():
        return ""
    digest = hashlib.sha256((git_dir / "HEAD").read_bytes())
    # A reference is a file of its own or a line of packed-refs, where it has been packed (gc).
    packed = git_dir / "packed-refs"
    digest.update(packed.read_bytes() if packed.is_file() else b"")
    digest.update(repr(sorted(fingerprints.file_digests(git_dir / "refs").items())).encode())
    return digest.hexdigest()


def _work(job: StageJob[SourceInputs, SourceInstructions]) -> SourceResult:
    from tensorflow_macos_build.upstream import mirror

    opened = mirror.open(job.inputs.url, job.workspace.mirrors, job.ticker)
    commit = opened.resolve(job.inputs.ref, job.ticker)
    return SourceResult(
        url=job.inputs.url,
        ref=job.inputs.ref,
        commit=commit,
        date=_date(opened, commit),
        git_dir=str(opened.git_dir.relative_to(job.workspace.root)),
        # A file of the result, so that one whose mirror was deleted does not count as there.
        head=job.file(opened.git_dir / "HEAD"),
    )


def _date(git: Git, commit: str) -> str:
    shown = git.run("show", "--no-patch", "--no-show-signature", "--format=%cI", commit)
    return shown.stdout.decode("ascii").strip()


SOURCE = Stage(
    name="source",
    needs=(),
    inputs=_inputs,
    work=_work,
    result=SourceResult,
    summary=lambda source: f"{source.ref} is {source.commit[:12]}",
    instructions=lambda workspace: SourceInstructions(
        workspace.release.upstream, workspace.mirrors, workspace.root
    ),
)

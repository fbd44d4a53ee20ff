"""release.prepare: all that is published of a release, in one folder, the same bytes anywhere.

What goes in is dist/<release>, the checkout's own history and the config; no clock and no path of
the machine is among it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from tensorflow_macos_build import __version__, documents, files
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import repository
from tensorflow_macos_build.pipeline import builder
from tensorflow_macos_build.pipeline.releasing import built, patch_changes, wheel_facts
from tensorflow_macos_build.release import checksums, gates, model, notes, provenance, targets
from tensorflow_macos_build.release.model import FileKind, Gate, GateOutcome, Manifest, ReleaseFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.pipeline.releasing.built import BuiltRelease
    from tensorflow_macos_build.pipeline.workspace import Workspace
    from tensorflow_macos_build.wheels.verify import Verification

EVIDENCE = "evidence.json"


@dataclass(frozen=True)
class PrepareRequest:
    """What is to be prepared.

    Attributes:
        workspace: the release, built.
        out: the folder for releases; this one gets a folder there that is named after its tag.
        tag: the tag to be; "" is `v` and the wheel's version.
        since: the queue before, as `patches.report` takes it; "" for a first release.
        smoke: documents of smoke tests of this very wheel that were made elsewhere.
        attached: further files to publish, such as a benchmark's report.
        waived: gates that may fail, each with the reason.
    """

    workspace: Workspace
    out: Path
    tag: str = ""
    since: str = ""
    smoke: tuple[Path, ...] = ()
    attached: tuple[Path, ...] = ()
    waived: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preparation:
    """What a release will consist of, before anything is written.

    Attributes:
        folder: where it will be.
        manifest: what release.json will say.
        contents: the files that are made, by name.
        copied: the files that are copied.
        failed: the gates that failed; then nothing is written.
    """

    folder: Path
    manifest: Manifest
    contents: Mapping[str, bytes]
    copied: tuple[Path, ...]
    failed: tuple[Gate, ...]


@dataclass(frozen=True)
class _Evidence:
    """What was seen of a built release.

    Attributes:
        release: what lies in dist/.
        tag: the tag to be.
        version: the wheel's version.
        verification: what verify says of the wheel.
        smoke: the checks of smoke tests of it.
        tool: the version and the commit of this project.
    """

    release: BuiltRelease
    tag: str
    version: str
    verification: Verification
    smoke: list[Json]
    tool: Mapping[str, str]


def plan(request: PrepareRequest, ticker: Ticker = silent) -> Preparation:
    """Return what the release will consist of; it judges all gates and writes nothing.

    Raises:
        UsageError: the release is not built, or a flag is wrong.
    """
    evidence = _look(request, ticker)
    checked = _gates(request, evidence)
    contents = _contents(request, evidence, checked)
    copied = (*evidence.release.shipped(), *request.attached)
    manifest = Manifest(
        release=request.workspace.release.name,
        tag=evidence.tag,
        project=parse_wheel_filename(evidence.release.wheel.name)[0],
        version=evidence.version,
        upstream=evidence.release.provenance["upstream"],
        tool=evidence.tool,
        gates=checked,
        files=_files(evidence.release, contents, copied),
    )
    failed = tuple(gate for gate in checked if gate.outcome is GateOutcome.FAILED)
    return Preparation(request.out / evidence.tag, manifest, contents, copied, failed)


def _look(request: PrepareRequest, ticker: Ticker) -> _Evidence:
    release = built.load(request.workspace)
    version = str(parse_wheel_filename(release.wheel.name)[1])
    tag = model.check_tag(request.tag or f"v{version}")
    smoke = built.smoke_rows(release, request.smoke)
    ticker(0, None, "verifying the wheel")
    verification = wheel_facts.verified(request.workspace, release)
    tool = {"version": __version__, "commit": builder.tool_commit(request.workspace.root)}
    return _Evidence(release, tag, version, verification, smoke, tool)


def write(prepared: Preparation) -> Preparation:
    """Write a release's folder, whole or not at all; return what was written.

    Raises:
        WorkFailed: a gate failed; nothing is written.
    """
    if prepared.failed:
        raise WorkFailed(
            f"{len(prepared.failed)} gates speak against this release",
            where=prepared.manifest.tag,
            detail="\n".join(f"{gate.name}: {gate.why}; {gate.remedy}" for gate in prepared.failed),
            hint="`--waive GATE=REASON` goes on in spite of one, and publishes the reason",
        )
    manifest = documents.dumps(model.as_document(prepared.manifest)).encode()
    with files.atomic_folder(prepared.folder) as folder:
        for path in prepared.copied:
            files.link_or_copy(path, folder / path.name)
        for name, content in {**prepared.contents, model.MANIFEST: manifest}.items():
            (folder / name).write_bytes(content)
        sums = {path.name: files.sha256(path) for path in sorted(folder.iterdir())}
        # Read back: what was copied may have changed since its gates.
        for file in prepared.manifest.files:
            if sums[file.name] != file.sha256:
                raise WorkFailed("the file changed meanwhile", where=file.name, hint="run it again")
        (folder / model.SUMS).write_text(checksums.format_sums(sums), encoding="utf-8")
    return prepared


def _gates(request: PrepareRequest, evidence: _Evidence) -> tuple[Gate, ...]:
    changed, tags = _history(request.workspace.root)
    seen = gates.Seen(
        changed=changed,
        tags=tags,
        tag=evidence.tag,
        versions=wheel_facts.versions(request.workspace, evidence.release),
        altered=tuple(evidence.release.altered()),
        errors=wheel_facts.errors(evidence.verification),
        plugins=wheel_facts.plugin_faults(evidence.verification),
        smoke=built.count(evidence.smoke),
    )
    return gates.judge(seen, request.waived)


def _history(root: Path) -> tuple[tuple[str, ...] | None, frozenset[str]]:
    """Return what differs from the checkout's commit, and its tags; None: it has no commits."""
    git = repository.discover(root)
    if git is None:
        return None, frozenset()
    tree = repository.Git(git.git_dir, work_tree=root)
    status = tree.out("status", "--porcelain", "-z", "--untracked-files=all", "--", ".")
    changed = tuple(os.fsdecode(entry[3:]) for entry in status.split(b"\0") if entry)
    tags = os.fsdecode(git.out("for-each-ref", "--format=%(refname:lstrip=2)", "refs/tags"))
    return changed, frozenset(tags.split("\n"))


def _contents(
    request: PrepareRequest, evidence: _Evidence, checked: tuple[Gate, ...]
) -> dict[str, bytes]:
    release = evidence.release
    subjects = _described(release, (release.wheel, *release.plugins))
    statement = provenance.statement(subjects, wheel_facts.origin(release))
    upstream = release.provenance["upstream"]
    facts = notes.NoteFacts(
        title=f"{subjects[0].name.partition('-')[0]} {evidence.tag}",
        upstream=(upstream["url"], upstream["ref"], upstream["commit"]),
        since=request.since,
        changes=patch_changes.since(request.workspace, release, request.since),
        wheels=tuple(map(targets.target, subjects)),
        gates=checked,
        smoke=tuple(wheel_facts.smoke_lines(evidence.smoke)),
    )
    return {
        EVIDENCE: documents.dumps(_evidence_document(evidence)).encode(),
        model.PROVENANCE: documents.dumps(statement).encode(),
        model.NOTES: notes.markdown(facts).encode(),
    }


def _evidence_document(evidence: _Evidence) -> Json:
    body = {
        "wheel": {"name": evidence.release.wheel.name, "sha256": evidence.release.digest},
        "findings": wheel_facts.finding_rows(evidence.verification),
        "smoke": evidence.smoke,
    }
    return documents.document("release-evidence", 1, body)


def _described(release: BuiltRelease, paths: tuple[Path, ...]) -> list[ReleaseFile]:
    kinds = dict.fromkeys(release.plugins, FileKind.PLUGIN)
    return [_file(path, kinds.get(path, FileKind.WHEEL)) for path in paths]


def _files(
    release: BuiltRelease, contents: Mapping[str, bytes], copied: tuple[Path, ...]
) -> tuple[ReleaseFile, ...]:
    kinds = {
        release.wheel: FileKind.WHEEL,
        **dict.fromkeys(release.plugins, FileKind.PLUGIN),
        release.bill: FileKind.SBOM,
    }
    made_kinds = {model.PROVENANCE: FileKind.PROVENANCE, model.NOTES: FileKind.NOTES}
    made = [
        ReleaseFile(
            name, len(content), wheel_facts.sha256(content), made_kinds.get(name, FileKind.EVIDENCE)
        )
        for name, content in contents.items()
    ]
    files_ = [*made, *(_file(path, kinds.get(path, FileKind.REPORT)) for path in copied)]
    names = [file.name for file in files_] + [model.MANIFEST, model.SUMS]
    if wrong := [name for name in names if not model.is_name(name) or names.count(name) > 1]:
        raise UsageError(
            f"two files would be called `{wrong[0]}`, or it is no name for one", hint="rename it"
        )
    return tuple(sorted(files_, key=lambda file: file.name))


def _file(path: Path, kind: FileKind) -> ReleaseFile:
    if not path.is_file():
        raise UsageError("there is no such file", where=str(path))
    return ReleaseFile(path.name, path.stat().st_size, files.sha256(path), kind)

"""Building a published release again from what its provenance records, and comparing the bytes."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import yaml

from tensorflow_macos_build import checkout, files
from tensorflow_macos_build.config import load
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import builder, fingerprints, run
from tensorflow_macos_build.pipeline.plan import BuildRequest
from tensorflow_macos_build.pipeline.releasing.check import CheckState, ReleaseCheck
from tensorflow_macos_build.pipeline.stages.describe import SBOM
from tensorflow_macos_build.pipeline.workspace import Workspace
from tensorflow_macos_build.release import provenance
from tensorflow_macos_build.release.model import MOST, PROVENANCE, FileKind
from tensorflow_macos_build.wheels.open_wheel import open_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tensorflow_macos_build.pipeline.run import BuildObserver
    from tensorflow_macos_build.release.model import Manifest

_SHOWN = 50
_CODE = (".so", ".dylib", ".a", ".o")


def rebuild(folder: Path, manifest: Manifest, observer: BuildObserver) -> Iterator[ReleaseCheck]:
    """Build the wheel of a release again, and yield how it differs from the one that is there.

    It is built in build/rebuild of this checkout, from the recorded config and the checkout's
    queue, which has to be the recorded one.

    Raises:
        UsageError: the checkout has another queue.
        MacosBuildError: the build fails.
    """
    statement = provenance.parse(files.read_small(folder / PROVENANCE, MOST))
    workspace = _workspace(manifest, statement)
    finished = run.build(workspace, BuildRequest(until=SBOM.name), observer)
    made = workspace.root / finished[-1].value.model_dump()["wheel"]["path"]
    for file in manifest.of_kind(FileKind.WHEEL):
        if made.name != file.name:
            words = f"the build gives {made.name}"
            yield ReleaseCheck("rebuild", CheckState.BROKEN, file.name, words)
        elif files.sha256(made) == files.sha256(folder / file.name):
            yield ReleaseCheck("rebuild", CheckState.HOLDS, file.name, "the same bytes come out")
        else:
            tools = _tools(statement, builder.identity(workspace.release))
            yield from differences(folder / file.name, made, tools)


def _workspace(manifest: Manifest, statement: provenance.Statement) -> Workspace:
    root = checkout.root() / "build" / "rebuild" / manifest.tag
    parameters = statement.predicate.definition.parameters
    name = f"{_recorded_name(parameters, 'name')}.yaml"
    queue = _recorded_name(parameters, "queue") if parameters.get("queue") else ""
    with files.atomic_folder(root / "build_configs") as configs:
        (configs / name).write_text(yaml.safe_dump(_stated(parameters)), encoding="utf-8")
    if queue:
        _copy_queue(queue, statement, root)
    return Workspace(load(str(root / "build_configs" / name), root=root))


def _recorded_name(parameters: Mapping[str, object], key: str) -> str:
    """Return a name that is recorded, as a file may be called: somebody else has written it.

    Raises:
        UsageError: it is none.
    """
    name = str(parameters.get(key, ""))
    if not name or not name.replace("-", "").replace(".", "").replace("_", "").isalnum():
        raise UsageError(f"the provenance's `{key}` is no name", where=PROVENANCE)
    return name


def _stated(value: object) -> object:
    """Return a config without what was left empty, which the schema takes as not written."""
    if isinstance(value, dict):
        return {key: _stated(inner) for key, inner in value.items() if inner is not None}
    return [_stated(inner) for inner in value] if isinstance(value, list) else value


def _copy_queue(queue: str, statement: provenance.Statement, root: Path) -> None:
    """Copy the checkout's queue, if it is the one that was built.

    Raises:
        UsageError: it is another.
    """
    prefix, own = f"patches/{queue}/", checkout.root() / "patches" / queue
    dependencies = statement.predicate.definition.dependencies
    recorded = {
        row.name.removeprefix(prefix): row.digest.get("sha256", "")
        for row in dependencies
        if row.name.startswith(prefix)
    }
    there = fingerprints.file_digests(own) if own.is_dir() else {}
    if there != recorded:
        odd = sorted(name for name in {*there, *recorded} if there.get(name) != recorded.get(name))
        commits = [row.digest.get("gitCommit", "") for row in dependencies if row.name]
        raise UsageError(
            f"the checkout's queue is not the one that was built: {', '.join(odd[:5])}",
            where=str(checkout.shown(own)),
            hint=f"git checkout {commits[0]}" if any(commits) else "get the queue of that release",
        )
    with files.atomic_folder(root / "patches" / queue) as copy:
        shutil.copytree(own, copy, dirs_exist_ok=True)


def _tools(statement: provenance.Statement, now: Mapping[str, str]) -> str:
    """Return in words which tools are others than those of the release."""
    recorded = statement.predicate.run.builder.get("version")
    before = recorded if isinstance(recorded, dict) else {}
    others = [
        f"{name} was {before.get(name, 'not there')}, is {now.get(name, 'not there')}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    return "; ".join(others) or "no tool is known to be another"


def differences(released: Path, made: Path, tools: str) -> Iterator[ReleaseCheck]:
    """Yield how two wheels that are not the same bytes differ, and why, as far as is known.

    `tools` says in words which tools are others.
    """
    before, after = _contents(released), _contents(made)
    odd = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    for name in odd[:_SHOWN]:
        yield ReleaseCheck("rebuild", CheckState.BROKEN, name, _why(name, before, after, tools))
    if not odd:
        words = "all members are the same; the zip file around them is not"
        yield ReleaseCheck("rebuild", CheckState.BROKEN, released.name, words)
    if len(odd) > _SHOWN:
        words = f"and {len(odd) - _SHOWN} more members differ"
        yield ReleaseCheck("rebuild", CheckState.BROKEN, released.name, words)


def _contents(wheel: Path) -> dict[str, str]:
    with open_wheel(wheel, any_platform=True) as opened:
        archive = opened.archive
        return {name: archive.sha256(member).hex() for name, member in archive.members.items()}


def _why(name: str, before: Mapping[str, str], after: Mapping[str, str], tools: str) -> str:
    if name not in after:
        return "the build does not give it"
    if name not in before:
        return "the release has not got it"
    if name.endswith(".dist-info/RECORD"):
        return "it differs as the other members do"
    if "/sboms/" in name:
        return f"it names what the wheel was made of, or with: {tools}"
    kind = "machine code differs" if name.endswith(_CODE) else "the text differs"
    return f"{kind}: {tools}"

"""plugins: wheels of plugins that must load beside the wheel, fetched to be verified with it."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files, process
from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import FileRecord, PluginsResult, Record
from tensorflow_macos_build.pipeline.stage import Instructions, Results, Stage, StageJob

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.config import PluginPin, Release
    from tensorflow_macos_build.pipeline.workspace import Workspace

_NEWEST = "macosx_26_0"
"""What pip is told to be: it takes what is for an older macOS, too, and the link is dry."""


def pins(release: Release, *, source: bool) -> tuple[PluginPin, ...]:
    """Return the plugins of a release that are published as source alone, or the others."""
    return tuple(pin for pin in release.plugins if pin.source is source)


def requirement(pin: PluginPin) -> str:
    """Return a line of a requirements file; pip takes a file that has one of the hashes."""
    return " ".join([pin.requirement, *(f"--hash=sha256:{digest}" for digest in pin.sha256)])


class PluginsInputs(Record):
    """The plugins' pins, and the Python that their wheels are for."""

    pins: tuple[dict[str, Any], ...]
    python: str


@dataclass(frozen=True)
class PluginsInstructions(Instructions):
    """What will be fetched.

    Attributes:
        lists: the requirements files to write, each with its lines.
        downloads: pip's runs, by architecture, each into its own folder.
    """

    lists: dict[Path, tuple[str, ...]]
    downloads: dict[str, CommandLine]

    def commands(self) -> dict[str, CommandLine]:
        """Return pip's runs."""
        return {f"download {arch}": line for arch, line in self.downloads.items()}

    def settings(self) -> dict[str, Any]:
        """Return what the requirements files say."""
        return {path.name: list(lines) for path, lines in self.lists.items()}


def _folder(workspace: Workspace) -> Path:
    return workspace.folder / "plugins-work"


def _fetch_inputs(workspace: Workspace, _results: Results) -> PluginsInputs:
    return PluginsInputs(
        pins=tuple(pin.model_dump(mode="json") for pin in pins(workspace.release, source=False)),
        python=fingerprints.python_version(workspace.release),
    )


def _fetch_instructions(workspace: Workspace) -> PluginsInstructions:
    folder, release = _folder(workspace), workspace.release
    lists: dict[Path, tuple[str, ...]] = {}
    downloads: dict[str, CommandLine] = {}
    for arch in ("arm64", "x86_64"):
        lines = [requirement(pin) for pin in pins(release, source=False) if pin.is_for(arch)]
        if lines:
            listed = folder / f"plugins-{arch}.txt"
            lists[listed] = tuple(lines)
            downloads[arch] = _download(release, arch, listed, folder)
    return PluginsInstructions(lists, downloads)


def _download(release: Release, arch: str, listed: Path, folder: Path) -> CommandLine:
    argv = (
        *(sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"),
        *("--require-hashes", f"--platform={_NEWEST}_{arch}"),
        *(f"--python-version={fingerprints.python_version(release)}", f"--dest={folder / arch}"),
        f"--requirement={listed}",
    )
    return CommandLine(argv, folder, {})


def _fetch(job: StageJob[PluginsInputs, PluginsInstructions]) -> PluginsResult:
    folder, instructions = _folder(job.workspace), job.instructions
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, lines in instructions.lists.items():
        files.write_text(path, "".join(f"{line}\n" for line in lines))
    for number, line in enumerate(instructions.downloads.values()):
        job.ticker(number, len(instructions.downloads), "fetching plugins")
        run(line)
    # A universal2 wheel comes for both architectures, and is the same for both.
    wheels = {path.name: path for path in sorted(folder.glob("*/*.whl"))}
    return PluginsResult(wheels=tuple(_taken(job, path) for path in wheels.values()))


def _taken(job: StageJob[Any, Any], path: Path) -> FileRecord:
    files.link_or_copy(path, job.folder / path.name)
    return job.file(job.folder / path.name)


def run(line: CommandLine) -> None:
    """Run a program as a plan shows it."""
    process.run(line.argv, cwd=line.cwd, env=line.changes)


FETCH = Stage(
    name="plugins",
    needs=(),
    inputs=_fetch_inputs,
    work=_fetch,
    result=PluginsResult,
    summary=lambda fetched: ", ".join(wheel.name for wheel in fetched.wheels),
    instructions=_fetch_instructions,
)

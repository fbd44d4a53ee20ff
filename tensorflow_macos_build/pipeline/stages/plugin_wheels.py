"""plugin-wheels: plugins that are published as source alone, built against the verified wheel.

Each is built on a Mac, in an environment that has the wheel; what comes out names the wheel's own
version and the macOS that its code needs, is verified, and shipped beside the wheel.
"""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files
from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.pipeline import fingerprints
from tensorflow_macos_build.pipeline.records import FileRecord, PluginWheelsResult, Record
from tensorflow_macos_build.pipeline.stage import Instructions, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import plugins
from tensorflow_macos_build.pipeline.stages.verify import VERIFY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.config import PluginPin
    from tensorflow_macos_build.pipeline.workspace import Workspace

_VERIFIED = "<the verified wheel>"
"""What stands in a plan for the wheel, which has no name before it is built."""


class PluginWheelsInputs(Record):
    """The wheel, the pins of the plugins' sources, and the machine that builds them."""

    wheel: FileRecord
    pins: tuple[dict[str, Any], ...]
    machine: dict[str, str]
    python: str


@dataclass(frozen=True)
class PluginBuild:
    """How one plugin is built: the environment, what is put into it, and the build itself."""

    requirement: str
    architectures: tuple[str, ...]
    listed: Path
    line: str
    environment: CommandLine
    install: CommandLine
    build: CommandLine

    @property
    def not_run(self) -> str:
        """Why this machine does not build it; empty when it does."""
        here = sys.platform == "darwin" and platform.machine() in self.architectures
        return "" if here else f"it is built on {self.macs} alone"

    @property
    def macs(self) -> str:
        """The Macs that build it."""
        return f"a Mac with {' or '.join(self.architectures)}"


@dataclass(frozen=True)
class PluginWheelsInstructions(Instructions):
    """What will be built."""

    builds: tuple[PluginBuild, ...]

    def commands(self) -> dict[str, CommandLine]:
        """Return the programs in their order, each with the plugin that it is for."""
        return {
            f"{purpose} {build.requirement}": line
            for build in self.builds
            for purpose, line in (
                ("environment", build.environment),
                ("install", build.install),
                ("build", build.build),
            )
        }

    def settings(self) -> dict[str, Any]:
        """Return what the requirements files say, and which Macs build it."""
        return {build.listed.name: [build.line, f"on {build.macs}"] for build in self.builds}


def _build_inputs(workspace: Workspace, results: Results) -> PluginWheelsInputs:
    return PluginWheelsInputs(
        wheel=results[VERIFY].wheel,
        pins=tuple(
            pin.model_dump(mode="json") for pin in plugins.pins(workspace.release, source=True)
        ),
        # Elsewhere than on a Mac nothing is made, and there it must not be found up to date.
        machine=fingerprints.machine(),
        python=fingerprints.program_identity(fingerprints.located_python(workspace.release)),
    )


def _build_instructions(workspace: Workspace) -> PluginWheelsInstructions:
    return PluginWheelsInstructions(
        tuple(_plugin_build(workspace, pin) for pin in plugins.pins(workspace.release, source=True))
    )


def _plugin_build(workspace: Workspace, pin: PluginPin) -> PluginBuild:
    release = workspace.release
    located = fingerprints.located_python(release)
    python = fingerprints.shown(located, f"python{fingerprints.python_version(release)}")
    folder = workspace.folder / "plugin-wheels-work" / pin.requirement.partition("==")[0]
    listed, own = folder / f"{folder.name}.txt", folder / "environment/bin/python"
    pip = (str(own), "-m", "pip")
    build = (
        # pip brings the source and holds it to its hash. Without isolation, for the environment is
        # the one that has the wheel which the plugin is compiled against.
        *(*pip, "wheel", "--no-deps", "--no-binary=:all:", "--no-build-isolation"),
        *("--require-hashes", f"--wheel-dir={folder / 'built'}", f"--requirement={listed}"),
    )
    install = (*pip, "install", "--only-binary=:all:", *pin.build_requires, _VERIFIED)
    return PluginBuild(
        requirement=pin.requirement,
        architectures=tuple(arch.value for arch in pin.architectures),
        listed=listed,
        line=plugins.requirement(pin),
        environment=CommandLine(
            (python, "-m", "venv", "--clear", str(folder / "environment")), folder, {}
        ),
        install=CommandLine(install, folder, {}),
        build=CommandLine(build, folder, {}),
    )


def _build(job: StageJob[PluginWheelsInputs, PluginWheelsInstructions]) -> PluginWheelsResult:
    wheels, not_run = [], {}
    for number, build in enumerate(job.instructions.builds):
        job.ticker(number, len(job.instructions.builds), build.requirement)
        if build.not_run:
            not_run[build.requirement] = build.not_run
        else:
            wheels.append(_built(job, build))
    return PluginWheelsResult(wheels=tuple(wheels), not_run=not_run)


def _built(
    job: StageJob[PluginWheelsInputs, PluginWheelsInstructions], build: PluginBuild
) -> FileRecord:
    """Build a plugin, tie it to the wheel, and hold it to what a plugin must be."""
    from tensorflow_macos_build.wheels.dist_info import tags
    from tensorflow_macos_build.wheels.tie import tie

    wheel = job.path(job.inputs.wheel)
    shutil.rmtree(build.listed.parent, ignore_errors=True)
    build.listed.parent.mkdir(parents=True)
    files.write_text(build.listed, f"{build.line}\n")
    plugins.run(build.environment)
    plugins.run(_with(build.install, wheel))
    plugins.run(build.build)
    made = sorted((build.listed.parent / "built").glob("*.whl"))
    if len(made) != 1:
        raise WorkFailed(f"its build made {len(made)} wheels, not one", where=build.requirement)
    tied = tie(made[0], tags.parse_name(wheel.name), job.folder)
    _check(wheel, tied.wheel)
    return job.file(tied.wheel)


def _with(line: CommandLine, wheel: Path) -> CommandLine:
    return replace(
        line, argv=tuple(str(wheel) if word == _VERIFIED else word for word in line.argv)
    )


def _check(wheel: Path, plugin: Path) -> None:
    """Raise WorkFailed where the plugin is no sound wheel, or would not load beside the other."""
    from tensorflow_macos_build.wheels.verify import Severity, VerifyOptions, verify

    alone, beside = verify(plugin), verify(wheel, VerifyOptions(plugins=(plugin,)))
    of_plugin = (each for each in beside.findings if each.file.startswith(plugin.name))
    errors = [
        f"{finding.code.slug} {finding.file} {finding.slice} {finding.message}"
        for finding in (*alone.findings, *of_plugin)
        if finding.severity is Severity.ERROR
    ]
    if errors:
        message = f"the plugin does not verify: {len(errors)} errors"
        raise WorkFailed(message, where=plugin.name, detail="\n".join(errors))


def _built_in_short(built: PluginWheelsResult) -> str:
    return "; ".join(_parts(built)) or "none"


def _parts(built: PluginWheelsResult) -> Iterator[str]:
    yield from (wheel.name for wheel in built.wheels)
    yield from (f"{plugin} not run: {why}" for plugin, why in built.not_run.items())


BUILD = Stage(
    name="plugin-wheels",
    needs=(VERIFY,),
    inputs=_build_inputs,
    work=_build,
    result=PluginWheelsResult,
    summary=_built_in_short,
    instructions=_build_instructions,
)

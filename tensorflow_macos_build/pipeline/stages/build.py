"""build:arm64, build:x86_64, build:host: Bazel makes one wheel each from the patched tree.

All three work in one place, which is kept from run to run (bazel_workspace.py). The wheel that
comes out is the result.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from tensorflow_macos_build import bazel, dependency_groups, files, interrupts, process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import cross, fingerprints, mac, tools
from tensorflow_macos_build.pipeline.records import (
    ArchiveRecord,
    Effort,
    ExternalsRecord,
    Record,
    TimedAction,
    TimedKind,
    TimeSpent,
    WheelResult,
)
from tensorflow_macos_build.pipeline.stage import Instructions, Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import worktree
from tensorflow_macos_build.pipeline.stages.bazel_workspace import HOST, BazelWorkspace, flags_for
from tensorflow_macos_build.pipeline.stages.patch import PATCH

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from tensorflow_macos_build.command_line import CommandLine
    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.workspace import Workspace

_KINDS = 10
"""How many kinds of actions are kept with a wheel, of those that took most time."""

_GOING_ON = "the build goes on without cache and farm, and keeps what it has"

_MAX_PAST = 1 << 16
"""How large the file on past builds may be, in bytes; five of them take 3 kB."""


class BuildInputs(Record):
    """What decides a wheel.

    Attributes:
        tree: the patched tree.
        git_dir: the repository that has it.
        architecture: `arm64`, `x86_64` or `host`.
        bazel: that part of the config, without what only decides speed.
        wheel_name: the wheel's project name, if the config names one.
        flags: the `--config`s and flags for this architecture.
        machine: the building machine's system, processor and Python.
        workers: the properties of the farm's machines that run actions, if there is a farm.
        tools: programs that take part, told apart without starting them.
        cross: the SDK and the toolchain that the user supplies to build on Linux.
        version: the version that the wheel must have, if the config names one.
    """

    tree: str
    git_dir: str
    architecture: str
    bazel: dict[str, Any]
    wheel_name: str | None
    flags: tuple[str, ...]
    machine: dict[str, str]
    workers: dict[str, str]
    tools: dict[str, str]
    cross: dict[str, str]
    version: str | None


@dataclass(frozen=True)
class BuildInstructions(Instructions):
    """What will be run for one architecture.

    Attributes:
        configure: upstream's `configure`, with its answers.
        invocation: the build.
        package: where the target is a program that writes the wheel: that program's run. Bazel
            tells its path when it has built it.
        folder: where that program writes.
        missing: the programs that this machine lacks for it.
    """

    configure: CommandLine
    invocation: bazel.Invocation
    package: CommandLine | None
    folder: Path
    missing: tuple[process.ProgramMissing, ...]

    def commands(self) -> dict[str, CommandLine]:
        """Return the programs in their order."""
        package = {"package": self.package} if self.package else {}
        return {"configure": self.configure, "build": self.invocation.command(), **package}


def _instructions(workspace: Workspace, architecture: str) -> BuildInstructions:
    bazel_side = BazelWorkspace(workspace)
    invocation = bazel_side.invocation(architecture)
    return BuildInstructions(
        configure=bazel_side.configure(),
        invocation=invocation,
        package=bazel_side.package(architecture, invocation),
        folder=bazel_side.packaged,
        missing=tuple(_missing(workspace.release)),
    )


def _missing(release: Release) -> Iterator[process.ProgramMissing]:
    if tools.locate("bazel") is None:
        hint = tools.install_hint(["bazel"])
        yield process.ProgramMissing("Bazel is not on this machine", hint=hint)
    try:
        fingerprints.python_of(release)
    except process.ProgramMissing as error:
        yield error


def _inputs(workspace: Workspace, results: Results, architecture: str) -> BuildInputs:
    patched = results[PATCH]
    return BuildInputs(
        tree=patched.tree,
        git_dir=patched.git_dir,
        architecture=architecture,
        # `jobs` decides only speed; the other two are among `flags`, in the order of Bazel's line.
        bazel=workspace.release.bazel.model_dump(mode="json", exclude={"jobs", "configs", "flags"}),
        wheel_name=workspace.release.wheel_name,
        flags=flags_for(workspace.release, architecture),
        machine=fingerprints.machine(),
        # A worker's compilers are in its container image, which is among them.
        workers=workspace.release.remote.platform if workspace.release.remote.address else {},
        tools=_tools(workspace.release),
        cross=cross.identity(workspace),
        version=workspace.release.version,
    )


def _tools(release: Release) -> dict[str, str]:
    programs = {
        "bazel": fingerprints.program_identity(tools.locate("bazel")),
        "python": fingerprints.program_identity(fingerprints.located_python(release)),
        "ziglang": dependency_groups.version("ziglang", "demo"),  # it compiles the miniature
    }
    if release.bazel.xcode and (selected := mac.developer_dir()):
        # The whole folder is replaced by an update, and so has another time.
        programs["xcode"] = fingerprints.program_identity(selected)
    return programs


def _work(job: StageJob[BuildInputs, BuildInstructions]) -> WheelResult:
    workspace, instructions = job.workspace, job.instructions
    for missing in instructions.missing:
        raise missing
    bazel_side = BazelWorkspace(workspace)
    bazel_side.acquire()
    job.ticker(0, None, "checking the tree out")
    worktree.check_out(workspace.root / job.inputs.git_dir, job.inputs.tree, bazel_side.source)
    cross.link_sdk(workspace, bazel_side.source)
    job.ticker(0, None, "configure")
    _configure(instructions.configure)
    log = bazel_side.log(job.inputs.architecture)
    past = _PastBuilds(job.final.parent / "past-builds.json")
    watch = bazel.ServerWatch(workspace.release.cache, workspace.release.remote)
    _tell(job, watch.before())
    result = bazel.build(
        instructions.invocation,
        ticker=job.ticker,
        log=log,
        on_failure=lambda failure: job.note(str(failure)),
        on_loss=lambda error: job.note(f"warning: {error.what}; {_GOING_ON}"),
        past=past.read(),
        is_over=job.is_over,
    )
    _tell(job, watch.after(result))
    past.add(result.course)
    wheel = _take(job, result)
    return WheelResult(
        architecture=job.inputs.architecture,
        wheel=job.file(wheel),
        effort=_effort(result),
        bazel=result.version,
        externals=_externals(job, result),
    )


def _externals(
    job: StageJob[BuildInputs, BuildInstructions], result: bazel.BuildResult
) -> ExternalsRecord | None:
    """Return what the wheel has from elsewhere; None, and a note, where Bazel does not say it."""
    job.ticker(0, None, "asking Bazel what is linked into what")
    try:
        externals = bazel.externals_of(job.instructions.invocation, result.options)
    except WorkFailed as error:  # the wheel is as good without
        job.note(f"warning: the bill of materials will lack what Bazel fetched: {error.what}")
        return None
    return ExternalsRecord(
        archives=tuple(
            ArchiveRecord(name=each.name, urls=each.urls, sha256=each.sha256)
            for each in externals.repositories
        ),
        links=dict(externals.links),
        partly_seen=externals.partly_seen,
    )


def _tell(job: StageJob[BuildInputs, BuildInstructions], sentences: Iterable[str]) -> None:
    for sentence in sentences:
        job.note(sentence)


@dataclass(frozen=True)
class _PastBuilds:
    """The file beside a stage's results that tells how long its builds took, for people only."""

    path: Path

    def read(self) -> tuple[bazel.PastBuild, ...]:
        """Return the builds, the oldest first."""
        try:
            return bazel.history.load(files.read_small(self.path, _MAX_PAST))
        except (OSError, UsageError):  # none yet, or something else lies there
            return ()

    def add(self, course: bazel.PastBuild | None) -> None:
        """Add a build."""
        if course is not None:
            files.write_bytes(self.path, bazel.history.dump((*self.read(), course)))


def _effort(result: bazel.BuildResult) -> Effort:
    return Effort(
        actions=result.actions,
        cache_hits=result.cache_hits,
        needed=result.needed,
        runners=result.runners,
        reasons=dict(result.reasons),
        time=_time_spent(result.times) if result.times else None,
        caches=bazel.cache_origins(result.options),
    )


def _time_spent(times: bazel.ActionTimes) -> TimeSpent:
    longest = times.critical_seconds
    steps = [step for step in times.critical_path if step.seconds * 100 >= longest]
    return TimeSpent(
        kinds=tuple(
            TimedKind(kind=kind.kind, actions=kind.actions, seconds=round(kind.seconds, 3))
            for kind in times.kinds[:_KINDS]
        ),
        slowest=_timed(times.slowest),
        critical_seconds=round(longest, 3),
        critical_path=_timed(steps),
    )


def _timed(actions: Sequence[bazel.ActionTime]) -> tuple[TimedAction, ...]:
    return tuple(
        TimedAction(description=action.description, seconds=round(action.seconds, 3))
        for action in actions
    )


@interrupts.undisturbed
def close(workspace: Workspace) -> None:
    """End Bazel's server, if this process has started one."""
    bazel_side = BazelWorkspace(workspace)
    if bazel_side.owned():
        try:
            bazel.shutdown(bazel_side.invocation(HOST))  # the server is one for all architectures
        finally:
            bazel_side.release()


def _configure(configure: CommandLine) -> None:
    """Answer upstream's `configure` beforehand; it writes .tf_configure.bazelrc."""
    # It asks a person about what no variable answers, and takes the default at the end of its
    # input, which is empty here.
    if not (configure.cwd / "configure").is_file():
        raise WorkFailed("the patched tree has no `configure`", where=str(configure.cwd))
    _execute(configure, configure.argv[0])


def _execute(line: CommandLine, program: str) -> None:
    argv = (program, *line.argv[1:])
    process.run(argv, cwd=line.cwd, env=line.env, inherited=line.inherited)


def _take(job: StageJob[BuildInputs, BuildInstructions], result: bazel.BuildResult) -> Path:
    """Put the one wheel that the target gives into the stage's folder."""
    instructions = job.instructions
    outputs = [path for paths in result.outputs.values() for path in paths]
    if instructions.package is None:
        wheels = [path for path in outputs if path.suffix == ".whl"]
    else:
        wheels = _package(outputs, instructions.package, instructions.folder)
    if len(wheels) != 1:
        raise UsageError(
            f"the target gives {len(wheels)} wheels, not one",
            where=" ".join(instructions.invocation.targets),
            detail="\n".join(str(path) for path in wheels or outputs),
            hint="see `bazel.target` and `bazel.packaging` in the config",
        )
    _check_version(job, wheels[0])
    copy = job.folder / wheels[0].name
    # Not linked: Bazel makes its outputs read-only, and deletes or overwrites them in later builds.
    shutil.copyfile(wheels[0], copy)
    shutil.rmtree(instructions.folder, ignore_errors=True)
    return copy


def _check_version(job: StageJob[BuildInputs, BuildInstructions], wheel: Path) -> None:
    _, version, *_ = parse_wheel_filename(wheel.name)
    configured = job.inputs.version
    # As versions: a file name may spell one in another form than the config (PEP 440).
    if configured is not None and version != Version(configured):
        raise UsageError(
            f"the wheel is of version {version}, and the config says {configured}",
            where=str(job.workspace.loaded.provenance["version"]),
            hint="change `version`, or the patch that sets the version",
        )


def _package(outputs: list[Path], package: CommandLine, folder: Path) -> list[Path]:
    """Let the program that Bazel built (TensorFlow up to 2.16) write the wheel."""
    # A py_binary or sh_binary has its main source (`.py`, `.sh`) among its outputs, too.
    programs = [path for path in outputs if path.stat().st_mode & 0o111 and not path.suffix]
    if len(programs) != 1:
        raise UsageError("the target gives no program", where=package.argv[0])
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    _execute(package, str(programs[0]))
    return sorted(folder.glob("*.whl"))


def _stage(architecture: str) -> Stage[BuildInputs, WheelResult, BuildInstructions]:
    return Stage(
        name=f"build:{architecture}",
        needs=(PATCH,),
        inputs=lambda workspace, results: _inputs(workspace, results, architecture),
        work=_work,
        result=WheelResult,
        summary=lambda built: built.wheel.name,
        instructions=lambda workspace: _instructions(workspace, architecture),
    )


ARM64 = _stage("arm64")
X86_64 = _stage("x86_64")
FOR_HOST = _stage(HOST)

STAGES = (ARM64, X86_64, FOR_HOST)
"""The stages that run Bazel."""

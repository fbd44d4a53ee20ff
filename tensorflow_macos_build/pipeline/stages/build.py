"""build:arm64, build:x86_64, build:host: Bazel makes one wheel each from the patched tree.

All three use one work tree and one output base, so that host tools are built once and a changed
patch costs only the actions that it touches. Both are kept from run to run, under the release's
lock; neither is a result. The wheel that comes out is.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import parse_wheel_filename
from packaging.version import Version

from tensorflow_macos_build import bazel, files, process
from tensorflow_macos_build.config import Packaging
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.pipeline import fingerprints, tools
from tensorflow_macos_build.pipeline.records import Effort, Record, WheelResult
from tensorflow_macos_build.pipeline.stage import Results, Stage, StageJob
from tensorflow_macos_build.pipeline.stages import worktree
from tensorflow_macos_build.pipeline.stages.patch import PATCH

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.pipeline.workspace import Workspace

HOST = "host"


class BuildInputs(Record):
    """What decides a wheel.

    Attributes:
        tree: the patched tree.
        git_dir: the repository that has it.
        architecture: `arm64`, `x86_64` or `host`.
        bazel: that part of the config, without what only decides speed.
        flags: the `--config`s and flags for this architecture.
        machine: the building machine's system, processor and Python.
        tools: programs that take part, told apart without starting them.
        version: the version that the wheel must have, if the config names one.
    """

    tree: str
    git_dir: str
    architecture: str
    bazel: dict[str, Any]
    flags: tuple[str, ...]
    machine: dict[str, str]
    tools: dict[str, str]
    version: str | None


def _flags(workspace: Workspace, architecture: str) -> tuple[str, ...]:
    """Return the flags that select an architecture and its oldest macOS.

    TensorFlow reads the deployment target in three places: Bazel's own flag, the environment of
    actions, and (since 2.17, for the wheel's tag) that of repository rules.
    """
    release = workspace.release
    if architecture == HOST:
        part, targets = release.host, tuple[str, ...]()
    else:
        part = getattr(release.architectures, architecture)
        target = f"MACOSX_DEPLOYMENT_TARGET={part.deployment_target}"
        targets = (
            f"--macos_minimum_os={part.deployment_target}",
            f"--action_env={target}",
            f"--repo_env={target}",
        )
    # The architecture's own come last: where a flag takes one value, the last one counts.
    names = [*release.bazel.configs, *([part.bazel_config] if part.bazel_config else [])]
    return (*(f"--config={name}" for name in names), *release.bazel.flags, *targets, *part.flags)


def _inputs(workspace: Workspace, results: Results, architecture: str) -> BuildInputs:
    patched = results[PATCH]
    return BuildInputs(
        tree=patched.tree,
        git_dir=patched.git_dir,
        architecture=architecture,
        # `jobs` decides only speed; the other two are among `flags`, in the order of Bazel's line.
        bazel=workspace.release.bazel.model_dump(mode="json", exclude={"jobs", "configs", "flags"}),
        flags=_flags(workspace, architecture),
        machine=fingerprints.machine(),
        tools={
            "bazel": fingerprints.program_identity(tools.locate("bazel")),
            "python": fingerprints.program_identity(fingerprints.python_of(workspace.release)),
            "ziglang": fingerprints.package_version("ziglang"),  # it compiles the miniature
        },
        version=workspace.release.version,
    )


def _work(job: StageJob[BuildInputs]) -> WheelResult:
    workspace = job.workspace
    bazel_side = _BazelWorkspace(workspace)
    bazel_side.acquire()
    job.ticker(0, None, "checking the tree out")
    worktree.check_out(workspace.root / job.inputs.git_dir, job.inputs.tree, bazel_side.source)
    job.ticker(0, None, "configure")
    _configure(workspace, bazel_side.source)
    invocation = bazel_side.invocation(job.inputs.flags)
    log = bazel_side.log(job.inputs.architecture)
    result = bazel.build(invocation, ticker=job.ticker, log=log)
    wheel = _take(job, invocation, result)
    return WheelResult(
        architecture=job.inputs.architecture,
        wheel=job.file(wheel),
        effort=Effort(actions=result.actions, cache_hits=result.cache_hits),
    )


def close(workspace: Workspace) -> None:
    """End Bazel's server, if this process has started one."""
    bazel_side = _BazelWorkspace(workspace)
    if bazel_side.owned():
        bazel.shutdown(bazel_side.invocation(()))
        bazel_side.release()


@dataclass(frozen=True)
class _BazelWorkspace:
    """Where Bazel works for a release: its work tree, its output base, and who has it at work.

    The release's lock is held. It does not reach Bazel's server, which lives on when a build is
    killed, so a mark names the process that started it.
    """

    workspace: Workspace

    @property
    def source(self) -> Path:
        """The work tree."""
        return self.workspace.bazel / "source"

    @property
    def _mark(self) -> Path:
        """The process that has Bazel at work; a killed build leaves its own behind."""
        return self.workspace.bazel / "at-work"

    @property
    def _temporary(self) -> Path:
        """The folder for temporary files of compilers, which a kill makes them leave behind."""
        return self.workspace.bazel / "tmp"

    def log(self, architecture: str) -> Path:
        """Return the file for what Bazel prints."""
        return self.workspace.folder / f"bazel-{architecture}.log"

    def owned(self) -> bool:
        """Whether this process has Bazel at work."""
        return self._mark.is_file() and self._mark.read_text() == str(os.getpid())

    def acquire(self) -> None:
        """Make the folder ready; end what a killed build has left at work in it."""
        self.workspace.bazel.mkdir(parents=True, exist_ok=True)
        if self._mark.is_file() and not self.owned():
            bazel.end_server(self.workspace.bazel / "output")
        shutil.rmtree(self._temporary, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        files.write_text(self._mark, str(os.getpid()))

    def release(self) -> None:
        """Take the mark away: Bazel is not at work any more."""
        self._mark.unlink()

    def invocation(self, flags: tuple[str, ...]) -> bazel.Invocation:
        """Return the run of Bazel that makes the config's target with these flags."""
        program = tools.locate("bazel")
        if program is None:
            hint = tools.install_hint(["bazel"])
            raise process.ProgramMissing("Bazel is not on this machine", hint=hint)
        settings = self.workspace.release.bazel
        jobs = (f"--jobs={settings.jobs}",) if settings.jobs else ()
        return bazel.Invocation(
            workspace=self.source,
            output_base=self.workspace.bazel / "output",
            targets=(settings.target,),
            flags=(*flags, *jobs),
            startup=settings.startup,
            # Bazel hands the client's TMPDIR on to local actions (PosixLocalEnvProvider.java).
            env={**bazel.environment(program), "TMPDIR": str(self._temporary)},
            program=str(program),
        )


def _configure(workspace: Workspace, source: Path) -> None:
    """Answer upstream's `configure` beforehand; it writes .tf_configure.bazelrc.

    It asks a person about what no variable answers, and takes the default at the end of its input.
    """
    if not (source / "configure").is_file():
        raise WorkFailed("the patched tree has no `configure`", where=str(source))
    python = str(fingerprints.python_of(workspace.release))
    answers = {"PYTHON_BIN_PATH": python, **workspace.release.bazel.configure_env}
    program = tools.locate("bazel")
    kind = bazel.environment(program) if program else {}  # it starts Bazel to learn its version
    process.run([source / "configure"], cwd=source, env={**kind, **answers})


def _take(
    job: StageJob[BuildInputs], invocation: bazel.Invocation, result: bazel.BuildResult
) -> Path:
    """Put the one wheel that the target gives into the stage's folder."""
    outputs = [path for paths in result.outputs.values() for path in paths]
    match job.workspace.release.bazel.packaging:
        case Packaging.WHEEL:
            wheels = [path for path in outputs if path.suffix == ".whl"]
        case Packaging.SCRIPT:
            wheels = _run_script(outputs, invocation, job.folder / "script-output")
    if len(wheels) != 1:
        raise UsageError(
            f"the target gives {len(wheels)} wheels, not one",
            where=" ".join(invocation.targets),
            detail="\n".join(str(path) for path in wheels or outputs),
            hint="see `bazel.target` and `bazel.packaging` in the config",
        )
    _check_version(job, wheels[0])
    copy = job.folder / wheels[0].name
    # Not linked: Bazel makes its outputs read-only, and deletes or overwrites them in later builds.
    shutil.copyfile(wheels[0], copy)
    shutil.rmtree(job.folder / "script-output", ignore_errors=True)
    return copy


def _check_version(job: StageJob[BuildInputs], wheel: Path) -> None:
    _, version, *_ = parse_wheel_filename(wheel.name)
    configured = job.inputs.version
    # As versions: a file name may spell one in another form than the config (PEP 440).
    if configured is not None and version != Version(configured):
        raise UsageError(
            f"the wheel is of version {version}, and the config says {configured}",
            where=str(job.workspace.loaded.provenance["version"]),
            hint="change `version`, or the patch that sets the version",
        )


def _run_script(outputs: list[Path], invocation: bazel.Invocation, folder: Path) -> list[Path]:
    """Let the program that Bazel built (TensorFlow up to 2.16) write the wheel."""
    # A py_binary or sh_binary has its main source (`.py`, `.sh`) among its outputs, too.
    programs = [path for path in outputs if path.stat().st_mode & 0o111 and not path.suffix]
    if len(programs) != 1:
        raise UsageError("the target gives no program", where=" ".join(invocation.targets))
    folder.mkdir()
    process.run([programs[0], folder], cwd=invocation.workspace, env=invocation.env)
    return sorted(folder.glob("*.whl"))


def _stage(architecture: str) -> Stage[BuildInputs, WheelResult]:
    return Stage(
        name=f"build:{architecture}",
        needs=(PATCH,),
        inputs=lambda workspace, results: _inputs(workspace, results, architecture),
        work=_work,
        result=WheelResult,
        summary=lambda built: built.wheel.name,
    )


ARM64 = _stage("arm64")
X86_64 = _stage("x86_64")
FOR_HOST = _stage(HOST)

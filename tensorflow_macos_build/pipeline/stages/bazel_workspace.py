"""Where Bazel works for a release, who has it at work, and the command lines that it gets.

One work tree and one output base are for all architectures, so that host tools are built once and a
changed patch costs only the actions that it touches. Both are kept from run to run, under the
release's lock; neither is a result.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import bazel, files
from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.config import Architecture, Host, Packaging, PythonBy, Release
from tensorflow_macos_build.pipeline import cross, fingerprints, mac, toolchain, tools

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.pipeline.workspace import Workspace

HOST = "host"


@dataclass(frozen=True)
class BazelWorkspace:
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

    @property
    def _private(self) -> Path:
        """The folder for what holds credentials while Bazel works."""
        return self.workspace.bazel / "private"

    @property
    def packaged(self) -> Path:
        """The folder for what a program that writes the wheel writes."""
        return self.workspace.bazel / "packaged"

    def log(self, architecture: str) -> Path:
        """Return the file for what Bazel prints."""
        return self.workspace.folder / f"bazel-{architecture}.log"

    def owned(self) -> bool:
        """Whether this process has Bazel at work."""
        return self._mark.is_file() and self._mark.read_text() == str(os.getpid())

    def acquire(self) -> None:
        """Make the folder ready; end what a killed build has left at work in it."""
        self.workspace.bazel.mkdir(parents=True, exist_ok=True)
        # Bazel's own files have the caller's variables and headers in them while it works.
        self.workspace.bazel.chmod(0o700)
        if self._mark.is_file() and not self.owned():
            bazel.end_server(self.workspace.bazel / "output")
        for folder in (self._temporary, self._private):
            shutil.rmtree(folder, ignore_errors=True)
        self._temporary.mkdir(exist_ok=True)
        files.write_text(self._mark, str(os.getpid()))

    def forget_actions(self) -> None:
        """Make Bazel look each action up in its caches, though the output base has what it made.

        So what comes into a disk cache does not depend on what was built here without it. No server
        is at work.
        """
        shutil.rmtree(self.workspace.bazel / "output" / "action_cache", ignore_errors=True)

    def release(self) -> None:
        """Take the mark away: Bazel is not at work any more."""
        self._mark.unlink()

    def invocation(self, architecture: str) -> bazel.Invocation:
        """Return the run of Bazel that makes the config's target for an architecture."""
        release = self.workspace.release
        settings, caches = release.bazel, self._caches()
        count = (release.remote.jobs if release.remote.address else None) or settings.jobs
        jobs = (f"--jobs={count}",) if count else ()
        return bazel.Invocation(
            workspace=self.source,
            output_base=self.workspace.bazel / "output",
            files=bazel.BuildFiles.at(self.workspace.bazel / architecture),
            targets=(settings.target,),
            flags=(
                *flags_for(release, architecture),
                *cross.flags(self.workspace),
                *jobs,
                *caches.local(),
            ),
            remote=caches.argv(),
            headers=caches.headers(self._private / "headers.bazelrc"),
            startup=settings.startup,
            env=self._environment(),
            inherited=self._inherited(),
            program=fingerprints.shown(tools.locate("bazel"), "bazel"),
        )

    def _caches(self) -> bazel.CacheFlags:
        """Return the flags of caches and farm, which decide only speed and are in no key."""
        release = self.workspace.release
        used = release.cache.address or self.workspace.disk_cache
        return bazel.CacheFlags(
            cache=release.cache,
            remote=release.remote,
            version=release.bazel.version,
            root=self.workspace.root,
            disk=self.workspace.disk_cache,
            # Compilers are asked for it, so only where it counts.
            toolchain=toolchain.digest(release) if used else "",
        )

    def configure(self) -> CommandLine:
        """Return the run of upstream's `configure`, with its answers; it starts Bazel, too."""
        release = self.workspace.release
        python = fingerprints.located_python(release)
        name = f"python{fingerprints.python_version(release)}"
        answers = {
            "PYTHON_BIN_PATH": fingerprints.shown(python, name),
            **release.bazel.configure_env,
        }
        argv = (str(self.source / "configure"),)
        env = {**self._environment(), **answers}
        return CommandLine(argv, self.source, env, self._inherited())

    def package(self, architecture: str, invocation: bazel.Invocation) -> CommandLine | None:
        """Return the run of the program that writes the wheel, where the target is one."""
        release = self.workspace.release
        if release.bazel.packaging is Packaging.WHEEL:
            return None
        name = ("--project_name", release.wheel_name) if release.wheel_name else ()
        argv = (f"<what {release.bazel.target} gives>", str(self.packaged), *name)
        env = {**invocation.env, **_platform(_part(release, architecture), architecture)}
        return CommandLine(argv, self.source, env, invocation.inherited)

    def _inherited(self) -> tuple[str, ...]:
        return bazel.inherited(self.workspace.release.bazel.inherit)

    def _environment(self) -> dict[str, str | None]:
        """Return the variables by which programs find the right Bazel, compilers, and folder."""
        settings = self.workspace.release.bazel
        program = tools.locate("bazel")
        # Bazel hands the client's TMPDIR on to local actions (PosixLocalEnvProvider.java).
        env: dict[str, str | None] = {"TMPDIR": str(self._temporary)}
        env.update(bazel.environment(program) if program else {})
        if settings.version:  # Bazelisk's, and so Debian's and Homebrew's wrappers'
            env["USE_BAZEL_VERSION"] = settings.version
        if settings.xcode:
            env["DEVELOPER_DIR"] = fingerprints.shown(mac.developer_dir(), "the selected Xcode")
        return env


def flags_for(release: Release, architecture: str) -> tuple[str, ...]:
    """Return the flags that select an architecture, its oldest macOS, and the Python."""
    part = _part(release, architecture)
    targets = tuple[str, ...]()
    if isinstance(part, Architecture):
        target = f"MACOSX_DEPLOYMENT_TARGET={part.deployment_target}"
        # TensorFlow reads it in three places: Bazel's own flag, the environment of actions, and
        # (since 2.17, for the wheel's tag) that of repository rules.
        targets = (
            f"--macos_minimum_os={part.deployment_target}",
            f"--action_env={target}",
            f"--repo_env={target}",
        )
    # The architecture's own come last: where a flag takes one value, the last one counts.
    names = [*release.bazel.configs, *([part.bazel_config] if part.bazel_config else [])]
    configs = (f"--config={name}" for name in names)
    return (*configs, *_wheel_flags(release), *release.bazel.flags, *targets, *part.flags)


def _part(release: Release, architecture: str) -> Architecture | Host:
    parts = {"arm64": release.architectures.arm64, "x86_64": release.architectures.x86_64}
    return parts.get(architecture, release.host)


def _wheel_flags(release: Release) -> Iterator[str]:
    """Yield the flags by which repository rules learn which Python and which name a wheel has."""
    if release.python_by is PythonBy.HERMETIC:
        # TensorFlow 2.14.0 knows the second name only, 2.19-dev the first and, where it is not set,
        # the second (their python_repo.bzl); which release began with the first is not known.
        version = fingerprints.python_version(release)
        yield f"--repo_env=HERMETIC_PYTHON_VERSION={version}"
        yield f"--repo_env=TF_PYTHON_VERSION={version}"
    if release.wheel_name and release.bazel.packaging is Packaging.WHEEL:
        yield f"--repo_env=WHEEL_NAME={release.wheel_name}"


def _platform(part: Architecture | Host, architecture: str) -> dict[str, str]:
    """Return the variables from which setuptools makes the wheel's platform tag."""
    if not isinstance(part, Architecture):
        return {}
    target = part.deployment_target
    # Without them the tag is the running Python's, which may be universal2 and of another macOS
    # (tensorflow/tensorflow#49911); the second is what `sysconfig.get_platform` then returns.
    return {
        "MACOSX_DEPLOYMENT_TARGET": target,
        "_PYTHON_HOST_PLATFORM": f"macosx-{target}-{architecture}",
    }

"""Wheels of the embedded upstream, built by the commands that a person would type.

One source folder, one output base and one Bazel server serve a whole test session, and the workers
of pytest-xdist share them: each wheel is built once, and host tools are too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files, locks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git

CONFIGS: dict[str, tuple[str, ...]] = {
    "arm64": ("--config=release_macos_arm64",),
    "x86_64": ("--config=release_macos_x86",),
    "host": (),
}
"""What `bazel build` gets for each architecture."""

SCRIPT_ONLY = frozenset({"v2.16.0"})
"""Releases whose wheel is written by a program that Bazel builds."""

_ANSWERS = {
    "CC_OPT_FLAGS": "-w",
    "TF_CONFIGURE_IOS": "0",
    "TF_DOWNLOAD_CLANG": "0",
    "TF_NEED_CUDA": "0",
    "TF_NEED_ROCM": "0",
    "TF_SET_ANDROID_WORKSPACE": "0",
    "USE_DEFAULT_PYTHON_LIB_PATH": "1",
}

# Debian's Bazel is not the version that .bazelversion names, and says so unless it is told.
_BAZEL_VERSION = {"USE_BAZEL_VERSION": "latest"} if sys.platform == "linux" else {}


@dataclass(frozen=True)
class Miniature:
    """The miniature's repository, and a folder in which its wheels are built.

    Attributes:
        git: the repository that has the revisions to build.
        bazel: Bazel, or Bazelisk.
        folder: for the sources, what Bazel builds, and the wheels.
        env: further variables of the environment, for builds that must not depend on them.
        umask: the file mode creation mask of configure and of Bazel.
    """

    git: Git
    bazel: Path
    folder: Path
    env: Mapping[str, str] | None = None
    umask: int = 0o022

    @property
    def source(self) -> Path:
        """The checked-out tree."""
        return self.folder / "source"

    @property
    def output_base(self) -> Path:
        """Where Bazel keeps what it builds."""
        return self.folder / "output"

    def wheel(self, revision: str, architecture: str) -> Path:
        """Return the wheel of a revision for `arm64`, `x86_64` or `host`; built when it is new."""
        done = self.folder / "wheels" / revision / architecture
        with locks.held(self.folder / "lock"):
            if not done.is_dir():
                self.check_out(revision)
                with files.atomic_folder(done) as unfinished:
                    self._build(revision, CONFIGS[architecture], unfinished)
        (wheel,) = done.glob("*.whl")
        return wheel

    def check_out(self, revision: str) -> None:
        """Put the files of a revision in place, and configure."""
        self.source.mkdir(parents=True, exist_ok=True)
        index = {"GIT_INDEX_FILE": str(self.folder / "index")}
        tree = ["git", "--git-dir", str(self.git.git_dir), "--work-tree", str(self.source)]
        self._run([*tree, "read-tree", f"{revision}^{{tree}}"], index)
        self._run([*tree, "checkout-index", "--all", "--force"], index)
        self._run([*tree, "clean", "--quiet", "--force", "-d", "-e", "bazel-*"], index)
        self._run(["./configure"], {"PYTHON_BIN_PATH": sys.executable, **_ANSWERS})

    def shut_down(self) -> None:
        """End the server."""
        with locks.held(self.folder / "lock"):
            if self.output_base.is_dir():
                self._bazel("shutdown")

    def by_script(self, revision: str, architecture: str, into: Path) -> Path:
        """Build the program that writes a wheel, and let it write into a folder."""
        with locks.held(self.folder / "lock"):
            self.check_out(revision)
            self._by_script(CONFIGS[architecture], into)
        (wheel,) = into.glob("*.whl")
        return wheel

    def _build(self, revision: str, configs: Sequence[str], into: Path) -> None:
        if revision in SCRIPT_ONLY:
            self._by_script(configs, into)
        else:
            made = self._target("wheel", configs)
            (wheel,) = made.glob("wheel_house/*.whl")
            shutil.copy(wheel, into)

    def _by_script(self, configs: Sequence[str], into: Path) -> None:
        made = self._target("build_pip_package", configs)
        self._run([made / "build_pip_package", into])

    def _target(self, name: str, configs: Sequence[str]) -> Path:
        package = "tensorflow/tools/pip_package"
        self._bazel("build", "--nosandbox_debug", *configs, f"//{package}:{name}")
        return self.source / "bazel-bin" / package

    def _bazel(self, *args: str) -> None:
        base = f"--output_base={self.output_base}"
        # A session that is killed leaves its server behind, but not for long.
        self._run([self.bazel, "--nohome_rc", base, "--max_idle_secs=120", *args])

    def _run(self, argv: Sequence[str | Path], env: Mapping[str, str] | None = None) -> None:
        subprocess.run(
            argv,
            cwd=self.source,
            env={**os.environ, **_BAZEL_VERSION, **(self.env or {}), **(env or {})},
            stdin=subprocess.DEVNULL,
            umask=self.umask,
            check=True,
        )

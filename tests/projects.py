"""Throw-away projects in which `build` runs as a user runs it: its own process, its own folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tensorflow_macos_build import locks
from tests import command_line

ROOT = Path(__file__).resolve().parents[1]

STAGES = (
    "source",
    "patch",
    "build:arm64",
    "build:x86_64",
    "build:host",
    "fuse",
    "relocate",
    "sbom",
    "verify",
    "smoke",
    "dist",
)
"""The stages of the demo, in order."""


QUICK_SERVERS = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}
"""Variables by which Bazel's servers, that live for seconds here, start at half the cost.

What a virtual machine compiles a second time, and collects by several threads, pays after minutes.
"""


class Project:
    """A folder with this checkout's configs and patches, and nothing built."""

    def __init__(
        self, folder: Path, disk_cache: Path | None = None, *, fresh: bool = True, **env: str
    ) -> None:
        self.folder = folder
        self.cache = disk_cache
        if fresh:
            self._write_files()
        self._changed = env
        self._env = {**os.environ, "PYTHONPATH": str(ROOT), **env}
        cache = f"--disk_cache={disk_cache}"
        self._flags = ["--set", f"bazel.flags=[{cache}]"] if disk_cache else []

    def _write_files(self) -> None:
        for part in ("build_configs", "patches"):
            shutil.copytree(ROOT / part, self.folder / part)
        with (self.folder / "build_configs/demo.yaml").open("a", encoding="utf-8") as config:
            config.write(f"bazel:\n  inherit: {list(QUICK_SERVERS)}\n")

    @property
    def dist(self) -> Path:
        return self.folder / "dist" / "demo"

    def copy(self, folder: Path) -> Project:
        """Return the same project, as far built, in another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return Project(folder, self.cache, fresh=False)

    def argv(self, *args: str) -> list[str]:
        program = [sys.executable, "-m", "tensorflow_macos_build"]
        return [*program, "build", *self._flags, *args]

    def start(self, *args: str) -> subprocess.Popen[str]:
        """Start a build; its stderr is for the test to read."""
        return subprocess.Popen(
            self.argv(*args),
            cwd=self.folder,
            env=self._env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=1,
        )

    def run(self, *args: str, **options: Any) -> subprocess.CompletedProcess[str]:
        """Run a build to its end; in a Python of its own where something is to be different."""
        if not self._changed and not options:
            return command_line.run("build", *self._flags, *args, cwd=self.folder, env=self._env)
        return subprocess.run(
            self.argv(*args),
            cwd=self.folder,
            env=self._env,
            text=True,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            **options,
        )

    def build(self, *args: str) -> dict[str, Any]:
        """Run a build that has to succeed; return its document."""
        ended = self.run("--json", *args)
        assert ended.returncode == 0, ended.stderr
        document: dict[str, Any] = json.loads(ended.stdout)
        return document

    def wheel(self) -> Path:
        """Return the one wheel in dist/."""
        (wheel,) = self.dist.glob("*.whl")
        return wheel


def check_sums(folder: Path) -> None:
    """Let the system's own tool check SHA256SUMS (macOS has shasum in place of sha256sum)."""
    tool = ["sha256sum"] if shutil.which("sha256sum") else ["shasum", "-a", "256"]
    subprocess.run([*tool, "--check", "SHA256SUMS"], cwd=folder, check=True, capture_output=True)


def built(folder: Path) -> Project:
    """Return the project in `folder`, built by whichever test process comes first."""
    with locks.held(folder.with_suffix(".lock")):
        there = (folder / "one" / "dist").is_dir()
        project = Project(folder / "one", disk_cache=folder / "cache", fresh=not there)
        if not there:
            project.build()
    return project


def wait_for_line(child: subprocess.Popen[str], start: str) -> str:
    """Read a child's stderr up to a line that begins with `start`."""
    assert child.stderr is not None
    lines = []
    for line in child.stderr:
        lines.append(line)
        if line.startswith(start):
            return line
    raise AssertionError(f"no line {start!r} in: {''.join(lines)}")


def wait_until(condition: Any, seconds: float = 180.0) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)

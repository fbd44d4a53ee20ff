"""The machine and the tools that a wheel was built with, for who reads where it comes from."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tensorflow_macos_build import __version__
from tensorflow_macos_build.git import repository
from tensorflow_macos_build.pipeline import fingerprints, mac, toolchain, tools, versions

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.config import Release


def identity(release: Release) -> dict[str, str]:
    """Return what this machine builds a release with; what it has not is left out.

    No path and no time is among it, as in `toolchain.identity`.
    """
    named = {
        "tensorflow_macos_build": __version__,
        **fingerprints.machine(),
        "bazel": _bazel(release),
        "xcode": (mac.xcode_version() or "") if sys.platform == "darwin" else "",
        **{f"toolchain.{name}": value for name, value in toolchain.identity(release).items()},
    }
    return {name: value for name, value in named.items() if value}


def tool_commit(root: Path) -> str:
    """Return the commit of this project's checkout; "" where it has none."""
    git = repository.discover(root)
    if git is None:
        return ""
    done = git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", expected=())
    return os.fsdecode(done.stdout).strip()


def _bazel(release: Release) -> str:
    """Return Bazel's version: what the config pins, for Bazelisk has none of its own."""
    program = tools.locate("bazel")
    stated = release.bazel.version or ""
    return stated or (versions.shown(versions.version_of(program)) if program else "")

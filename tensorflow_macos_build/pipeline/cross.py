"""Building for Macs on Linux: the SDK and the toolchain that the user supplies.

Upstream cross-compiles to x86_64 by itself, with an SDK that it may not hand out, and to arm64 not
at all. Neither is fetched: the SDK is Apple's, and its terms are between Apple and its user.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.pipeline import fingerprints

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.workspace import Workspace

SETTINGS = "SDKSettings.json"
"""The file in which an SDK says what it is, since macOS 10.14's."""

_MARKS = ("WORKSPACE", "WORKSPACE.bazel", "MODULE.bazel", "REPO.bazel")
"""The files of which a Bazel repository has one at its top."""

_MAX_SETTINGS = 1 << 20  # Apple's have 10 kB


def sdk_folder(release: Release, root: Path) -> Path | None:
    """Return the folder of the SDK, if the config names one."""
    return root / release.cross.sdk if release.cross and release.cross.sdk else None


def toolchain_folder(release: Release, root: Path) -> Path | None:
    """Return the folder of the toolchain's repository, if the config names one."""
    return root / release.cross.toolchain if release.cross and release.cross.toolchain else None


def uses_toolchain(release: Release) -> bool:
    """Whether labels in the config lead to the repository that the user supplies."""
    halves = release.architectures
    flags = (*release.bazel.flags, *halves.arm64.flags, *halves.x86_64.flags)
    return release.cross is not None and any(
        f"@{release.cross.repository}//" in flag for flag in flags
    )


def flags(workspace: Workspace) -> tuple[str, ...]:
    """Return the flag by which Bazel finds the toolchain; its labels are in the config's flags."""
    release = workspace.release
    if release.cross is None or not uses_toolchain(release):
        return ()
    folder = fingerprints.shown(toolchain_folder(release, workspace.root), "cross.toolchain")
    # A repository need not be in upstream's WORKSPACE to be overridden (4.2.3).
    return (f"--override_repository={release.cross.repository}={folder}",)


def link_sdk(workspace: Workspace, source: Path) -> None:
    """Put a link to the SDK where upstream's toolchain looks for it.

    Raises:
        UsageError: the config names none, or none is there.
    """
    cross = workspace.release.cross
    if cross is None or cross.sdk_link is None:
        return
    sdk = sdk_folder(workspace.release, workspace.root)
    if sdk is None or not sdk.is_dir():
        hint = "--set cross.sdk=/path/of/MacOSX.sdk"
        raise UsageError("there is no SDK to build with", where=str(sdk or "cross.sdk"), hint=hint)
    link = source / cross.sdk_link
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(sdk)


def is_repository(folder: Path) -> bool:
    """Whether a folder is a Bazel repository."""
    return any((folder / name).is_file() for name in _MARKS)


def sdk_version(sdk: Path) -> str:
    """Return what an SDK says it is, such as `macosx15.2`; "" where it says nothing."""
    try:
        settings = json.loads(files.read_small(sdk / SETTINGS, _MAX_SETTINGS))
        name = settings["CanonicalName"]
    except (OSError, UsageError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) else ""


def identity(workspace: Workspace) -> dict[str, str]:
    """Return what tells the SDK and the toolchain from others."""
    release, root = workspace.release, workspace.root
    parts = {"sdk": sdk_folder(release, root), "toolchain": toolchain_folder(release, root)}
    return {name: _identity(folder) for name, folder in parts.items() if folder is not None}


def _identity(folder: Path) -> str:
    if not folder.is_dir():
        return "missing"
    if (folder / SETTINGS).is_file():
        # An SDK has tens of thousands of files, and this one says its version and build.
        return files.sha256(folder / SETTINGS)
    digest = hashlib.sha256()
    # As `fingerprints.program_identity` does: a toolchain's gigabytes are not read for it.
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        status = path.stat()
        line = f"{path.relative_to(folder)} {status.st_size} {status.st_mtime_ns}\n"
        digest.update(line.encode())
    return digest.hexdigest()

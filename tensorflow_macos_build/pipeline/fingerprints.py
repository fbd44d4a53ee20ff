"""What of the machine and its files decides a result: the parts of a stage's key."""

from __future__ import annotations

import importlib.metadata
import platform
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files, process

if TYPE_CHECKING:
    from tensorflow_macos_build.config import Release

_SKIPPED = {"__pycache__"}  # made by whoever imports from there, and different by Python


def file_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file below `folder`, by its path there."""
    below = (path for path in folder.rglob("*") if path.is_file())
    counted = (path for path in below if not _SKIPPED & set(path.parts))
    return {path.relative_to(folder).as_posix(): files.sha256(path) for path in sorted(counted)}


def program_identity(path: Path | None) -> str:
    """Return what tells an installed program from another: its path, size and time of change."""
    if path is None:
        return "missing"
    # A name on PATH may lead to another program after an update, without a change of its own.
    real = path.resolve()
    # Not by its version, for a plan starts no program; nor by its content, for a compiler of 100 MB
    # is not read to learn that it is the same.
    status = real.stat()
    return f"{real} {status.st_size} {status.st_mtime_ns}"


def shown(path: Path | None, what: str) -> str:
    """Return a path of this machine, or words in its place that name what this machine lacks."""
    return f"<path of {what}>" if path is None else str(path)


def package_version(name: str) -> str:
    """Return the version of an installed Python package, or `missing`."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def located_python(release: Release) -> Path | None:
    """Return the interpreter that the wheel is for, or None when this machine has no such one."""
    if release.python == "host":
        return Path(sys.executable)
    path = shutil.which(f"python{release.python}")
    return Path(path) if path else None


def python_of(release: Release) -> Path:
    """Return the interpreter that the wheel is for.

    Raises:
        process.ProgramMissing: this machine has no such Python.
    """
    python = located_python(release)
    if python is None:
        hint = f"install Python {release.python}, or set `python: host`"
        raise process.ProgramMissing(f"there is no python{release.python} on PATH", hint=hint)
    return python


def python_version(release: Release) -> str:
    """Return the version of the Python that the wheel is for, such as `3.12`."""
    if release.python == "host":
        # Without the third number: wheels and Bazel's Pythons are for a minor version.
        return ".".join(map(str, sys.version_info[:2]))
    return release.python


def published(release: Release) -> dict[str, Any]:
    """Return what of a config decides what is published."""
    left_out: dict[str, Any] = {
        # These decide only speed; what a farm's workers are is in the key of the stage.
        "bazel": {"jobs"},
        "cache": True,
        "time_box": True,
        "remote": True,
        # The rest is for people and for checks beforehand: that a hazard is found out later is no
        # reason to publish the same wheel anew.
        "limits": {"hours"},
        "hazards": True,
        "unverified": True,
        # No stage of a build reads it: it is what `wheelhouse` resolves beside the wheel.
        "wheelhouse": True,
    }
    return release.model_dump(mode="json", exclude=left_out)


def machine() -> dict[str, str]:
    """Return what of this machine decides a wheel that is made for it."""
    return {
        "system": sys.platform,
        "machine": platform.machine(),
        "python": f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))}",
    }

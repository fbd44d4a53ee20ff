"""What of the machine and its files decides a result: the parts of a stage's key."""

from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

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
    """Return what tells an installed program from another without starting it.

    It is its path, size and time of change: a plan starts no program, and a compiler of 100 MB is
    not read to learn that it is the same.
    """
    if path is None:
        return "missing"
    real = path.resolve()
    status = real.stat()
    return f"{real} {status.st_size} {status.st_mtime_ns}"


def package_version(name: str) -> str:
    """Return the version of an installed Python package, or `missing`."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def python_of(release: Release) -> Path:
    """Return the interpreter that the wheel is for.

    Raises:
        process.ProgramMissing: this machine has no such Python.
    """
    if release.python == "host":
        return Path(sys.executable)
    name = f"python{release.python}"
    return Path(process.find(name, hint=f"install Python {release.python}, or set `python: host`"))


def machine() -> dict[str, str]:
    """Return what of this machine decides a wheel that is made for it."""
    return {
        "system": sys.platform,
        "machine": platform.machine(),
        "python": f"{sys.implementation.name} {'.'.join(map(str, sys.version_info[:3]))}",
    }

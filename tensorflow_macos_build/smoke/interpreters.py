"""The Python that an environment is made of, found by its version or by a wheel's tags."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from tensorflow_macos_build import dependency_groups, process
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = re.compile(r"3\.\d+")


def interpreter(named: str, wheel_name: str = "") -> Path:
    """Return the Python that is named by its path or its version (`3.11`).

    Where none is named, it is the one that a wheel's tags ask for (`cp38`), or this one.

    Raises:
        UsageError: this machine has no such Python.
    """
    if named and not _VERSION.fullmatch(named):
        path = shutil.which(named)
        if path is None or not _runs(path):
            raise UsageError("that is no Python", where=named, hint="give its path, or a version")
        return Path(path).absolute()
    version = named or _version_of(wheel_name)
    if version in ("", ".".join(map(str, sys.version_info[:2]))):
        return Path(sys.executable)
    located = next(filter(_runs, _candidates(version)), None)
    if located is None:
        raise UsageError(
            f"this machine has no Python {version}",
            where=wheel_name,
            hint=f"install it (pyenv install {version}; uv python install {version}; "
            f"brew install python@{version}), or give its path: --python /path/to/python",
        )
    return Path(located)


def _version_of(wheel_name: str) -> str:
    """Return the one version of CPython that a wheel is for; empty when any will do."""
    try:
        *_, tags = parse_wheel_filename(wheel_name)
    except InvalidWheelFilename:
        return ""
    names = {tag.interpreter for tag in tags if tag.abi.startswith("cp")}
    (name,) = names if len(names) == 1 else ("",)
    matched = re.fullmatch(r"cp3(\d+)", name)
    return f"3.{matched[1]}" if matched else ""


def _candidates(version: str) -> Iterator[str]:
    """Yield where a Python of that version may be: PATH, pyenv's versions, uv's."""
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield on_path  # may be a shim of pyenv's that leads nowhere
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path("~/.pyenv").expanduser()) / "versions"
    yield from map(str, sorted(pyenv.glob(f"{version}.*/bin/python{version}"), reverse=True))
    flags = ("--managed-python", "--no-python-downloads", "--no-project")
    located = process.run([dependency_groups.uv(), "python", "find", *flags, version], expected=())
    if located.status == 0:
        yield located.stdout.decode().strip()


def _runs(path: str) -> bool:
    try:
        ended = process.run([path, "-I", "-c", ""], expected=(), timeout=60)
    except (OSError, process.ProgramFailed):
        return False
    return ended.status == 0

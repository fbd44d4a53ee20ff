"""A package index of one's own as the destination: uv or twine uploads the wheels."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tensorflow_macos_build import process
from tensorflow_macos_build.command_line import CommandLine
from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.release.prepared import PublishedFile

UPLOADERS = ("uv", "twine")
_TIMEOUT = 4 * 3600.0
_SHOWN = 2000
"""Letters of an uploader's last words that its error shows."""


@dataclass(frozen=True)
class IndexAddress:
    """An index.

    Attributes:
        upload: the address that takes uploads.
        simple: the address of its pages, by which is seen what it has.
        uploader: `uv` or `twine`.
    """

    upload: str
    simple: str
    uploader: str = "uv"

    def __post_init__(self) -> None:
        """Check the parts.

        Raises:
            UsageError: one is none, or has a password in it.
        """
        for address in (self.upload, self.simple):
            parts = urlsplit(address)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise UsageError("it is no address of an index", where=address.partition("@")[2])
            if parts.username or parts.password:
                hint = "set UV_PUBLISH_TOKEN, or TWINE_USERNAME and TWINE_PASSWORD"
                raise UsageError("a password stands in the index's address", hint=hint)
        if self.uploader not in UPLOADERS:
            raise UsageError(f"`{self.uploader}` uploads nothing", hint=" or ".join(UPLOADERS))


def command(index: IndexAddress, wheels: Sequence[PublishedFile]) -> CommandLine:
    """Return the run that uploads wheels; credentials are in the uploader's environment."""
    paths = [str(wheel.path) for wheel in wheels]
    if index.uploader == "twine":
        # Not --skip-existing, which twine has for few indexes: it gets what is missing.
        flags = ["--non-interactive", "--disable-progress-bar"]
        argv = ("twine", "upload", *flags, "--repository-url", index.upload, *paths)
    else:
        check = ("--publish-url", index.upload, "--check-url", index.simple)
        argv = (_uv(), "publish", "--no-progress", *check, *paths)
    return CommandLine(argv, Path(), {"UV_NO_CONFIG": "1"})


def upload(index: IndexAddress, wheels: Sequence[PublishedFile]) -> None:
    """Upload wheels that the index has not got.

    Raises:
        ProgramMissing: there is no such uploader.
        WorkFailed: the index does not take them, or has others under these names.
    """
    line = command(index, wheels)
    hint = "pip install twine" if index.uploader == "twine" else ""
    done = process.run(line.argv, env=line.env, timeout=_TIMEOUT, hint=hint, expected=())
    if done.status != 0:
        words = (done.stdout + done.stderr).decode("utf-8", "replace")[-_SHOWN:]
        raise WorkFailed("the index does not take the wheels", where=index.upload, detail=words)


def _uv() -> str:
    """Return the environment's uv, which the lock brings, or any."""
    beside = Path(sys.executable).parent / "uv"
    return str(beside) if os.access(beside, os.X_OK) else shutil.which("uv") or "uv"

"""Temporary folders, which go with what made them, or are swept by a later run.

Every temporary folder of this package is locked by the process that made it for as long as that
lives, whatever ends it. So a later run can tell what a kill left behind from what a live process
uses, and sweeps it: no age, no process id and no clock decides.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import locks
from tensorflow_macos_build.errors import naming

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = ".tmp-macos-build-"
"""How the names of unfinished files and folders begin, beside what they become."""

SCRATCH_PREFIX = "tensorflow-macos-build-"
"""How the names of scratch folders begin, in the folder for temporary files (TMPDIR)."""

_SYSTEM_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - nothing is made there by name

# O_NOFOLLOW: whoever may write into the parent could put a link to a folder of ours there.
_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextlib.contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """Yield an empty folder of the body's own in TMPDIR; it is deleted when the body ends.

    What a kill leaves of it is deleted by the next `sweep_scratch`. `kind` is a word in its name,
    for whoever looks into TMPDIR.
    """
    sweep_scratch()
    parent = _system_folder()
    with (
        naming(parent, instead_of=PREFIX),
        folder_in(parent, f"{SCRATCH_PREFIX}{kind}-") as folder,
    ):
        yield folder


@contextlib.contextmanager
def folder_in(parent: Path, prefix: str = PREFIX) -> Iterator[Path]:
    """Yield a new folder in `parent`, locked while the body runs and deleted at its end."""
    folder, descriptor = _make_locked(parent, prefix)
    try:
        yield folder
    finally:
        # Deleted before it is unlocked: a sweeper that came between would meet it half-way.
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def sweep(folder: Path, prefix: str = PREFIX) -> list[Path]:
    """Delete what killed runs left unfinished directly in `folder`; return what was deleted.

    What a live process uses is locked and stays, and so does what belongs to somebody else.
    """
    try:
        with os.scandir(folder) as entries:
            paths = sorted(entry.path for entry in entries if entry.name.startswith(prefix))
    except OSError:  # no folder, or one that others may write to and not read
        return []
    return [Path(path) for path in paths if _swept(Path(path))]


def sweep_scratch() -> None:
    """Delete what killed runs left in TMPDIR."""
    with contextlib.suppress(OSError):  # no folder is fit for temporary files
        sweep(_system_folder(), SCRATCH_PREFIX)


def _system_folder() -> Path:
    """Return the folder for temporary files that `tempfile` would choose, and set it there.

    `tempfile` tries a folder by writing a file into it, which a kill leaves there under some name.
    """
    if tempfile.tempdir is None:
        # The order is tempfile's (`_candidate_tempdir_list`), for other code asks that.
        named = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
        for folder in filter(None, [*named, *_SYSTEM_TEMPORARY]):
            if os.access(folder, os.W_OK | os.X_OK) and Path(folder).is_dir():
                tempfile.tempdir = str(Path(folder).absolute())
                break
    return Path(tempfile.gettempdir())


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder and lock it before anything is in it.

    A sweeper may come between the two steps. Then it holds the lock, or the folder is gone, and
    another folder is made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, _FOLDER_FLAGS)
            # None: a file system without locks. Its folders are used unlocked, and never swept.
            if locks.claim(folder, descriptor) is not False:
                return folder, descriptor
            os.close(descriptor)


def _swept(path: Path) -> bool:
    """Delete a temporary folder whose maker is dead; return whether it was."""
    try:
        descriptor = os.open(path, _FOLDER_FLAGS)
    except OSError:  # gone, no folder, or not for us
        return False
    try:
        dead = os.fstat(descriptor).st_uid == os.geteuid() and locks.claim(path, descriptor)
        if dead:
            # Its lock is held meanwhile, so that no maker takes it for its own.
            shutil.rmtree(path, ignore_errors=True)
        return bool(dead)
    finally:
        os.close(descriptor)

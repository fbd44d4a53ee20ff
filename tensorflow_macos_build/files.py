"""Writing files and folders so that they are either whole or not there, whatever is killed when.

A result is written beside its place under a temporary name, flushed to the disk, and put in place
by one rename (POSIX rename(2) is atomic). Temporary names begin with `TEMPORARY_PREFIX`, so what a
kill left behind can be told from results and swept.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPORARY_PREFIX = ".tmp-"
"""How the names of unfinished files and folders begin."""

_BLOCK = 1 << 20


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; a body that ends well puts its file there as `target`.

    The file that the body writes is flushed to the disk and renamed over `target`; when the body
    raises, it is deleted and `target` stays as it was. The mode is 0o666 less the umask.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
    try:
        unfinished = folder / target.name
        yield unfinished
        _flush(unfinished)
        unfinished.replace(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def write_bytes(target: Path, content: bytes) -> None:
    """Replace `target` by a file that holds `content`, in one step."""
    with atomic_path(target) as unfinished:
        unfinished.write_bytes(content)


def write_text(target: Path, content: str) -> None:
    """Replace `target` by a file that holds `content` as UTF-8 with line ends as given."""
    write_bytes(target, content.encode("utf-8"))


@contextlib.contextmanager
def atomic_folder(target: Path) -> Iterator[Path]:
    """Give an empty folder beside `target`; a body that ends well puts it in place as `target`.

    An existing `target` is moved aside first and deleted after the swap; when the body raises,
    `target` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    holder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
    try:
        unfinished = holder / "new"
        unfinished.mkdir()
        yield unfinished
        _flush(unfinished)
        if target.exists():
            target.rename(holder / "old")
        unfinished.rename(target)
        _flush(target.parent)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def sweep(folder: Path) -> list[Path]:
    """Delete what killed runs left unfinished directly in `folder`; return what was deleted.

    The caller must hold the lock that writers into `folder` hold.
    """
    if not folder.is_dir():
        return []
    left = sorted(path for path in folder.iterdir() if path.name.startswith(TEMPORARY_PREFIX))
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    return left


@contextlib.contextmanager
def locked(lock_file: Path) -> Iterator[None]:
    """Hold an exclusive lock (flock(2)) on `lock_file`; wait for whoever holds it.

    The kernel frees the lock when its holder dies, so there is nothing to clean up by hand.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Give the SHA-256 of a file's bytes as 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

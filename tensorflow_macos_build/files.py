"""Writing files and folders so that they are either whole or not there, whatever is killed when.

A result is written beside its place under a temporary name, flushed to the disk, and put in place
by one rename (POSIX rename(2) is atomic). Temporary names begin with `TEMPORARY_PREFIX`, so what a
kill left behind can be told from results and swept.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEMPORARY_PREFIX = ".tmp-"
"""How the names of unfinished files and folders begin."""

DISPLACED_PREFIX = ".old-"
"""How the name of a folder begins that a new one is about to replace."""

_BLOCK = 1 << 20

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2


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

    An existing `target` changes places with the new folder in one step where the system can do that
    (`exchange`). Elsewhere it is first renamed to `displaced(target)`, and a kill before the second
    rename leaves it there: `recover` brings it back. The old folder is deleted after the swap; when
    the body raises, `target` stays as it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    recover(target)
    holder = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=target.parent))
    try:
        unfinished = holder / "new"
        unfinished.mkdir()
        yield unfinished
        _flush_tree(unfinished)
        _put_in_place(unfinished, target)
        _flush(target.parent)
    finally:
        shutil.rmtree(holder, ignore_errors=True)


def displaced(target: Path) -> Path:
    """Give the name under which `target` waits while a new folder takes its place."""
    return target.with_name(f"{DISPLACED_PREFIX}{target.name}")


def recover(target: Path) -> None:
    """Finish a swap that a kill cut in two: put the old folder back, or delete it if replaced.

    Call it before reading a folder that `atomic_folder` writes, holding its writers' lock.
    """
    old = displaced(target)
    if not old.exists():
        return
    if target.exists():
        shutil.rmtree(old)
    else:
        old.rename(target)


def exchange(first: Path, second: Path) -> bool:
    """Let two paths change places in one step; False where the system or file system cannot.

    Linux: renameat2(2) with RENAME_EXCHANGE; macOS: renamex_np(2) with RENAME_SWAP.

    Raises:
        OSError: it failed for another reason.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(first), os.fsencode(second)
    try:
        if sys.platform == "darwin":
            status = libc.renamex_np(*names, _RENAME_SWAP)
        else:
            status = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    except AttributeError:
        return False
    if status == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(first), None, str(second))


def _put_in_place(unfinished: Path, target: Path) -> None:
    if not target.exists():
        unfinished.rename(target)
    elif not exchange(unfinished, target):
        old = displaced(target)
        target.rename(old)
        unfinished.rename(target)
        shutil.rmtree(old)


def link_or_copy(source: Path, target: Path) -> None:
    """Make `target`, which is not there, the same file as `source`, or a copy across file systems.

    For files that nobody changes in place: this package replaces files and never does.
    """
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


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
def locked(lock_file: Path, busy: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold an exclusive lock (flock(2)) on `lock_file`; wait for whoever holds it.

    `lock_file` may be a folder that exists: then nothing is made for the lock. `busy` is called
    once before a wait, so that people can be told why nothing happens. The kernel frees the lock
    when its holder dies, so there is nothing to clean up by hand.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_RDONLY if lock_file.is_dir() else os.O_RDWR | os.O_CREAT
    descriptor = os.open(lock_file, flags | os.O_CLOEXEC, 0o666)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if busy is not None:
                busy()
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


def _flush_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            if not path.is_symlink():
                _flush(path)
        _flush(Path(parent))

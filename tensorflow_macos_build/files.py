"""Writing files and folders so that they are either whole or not there, whatever is killed when.

A result is written beside its place under a temporary name, flushed to the disk, and put in place
by one rename (POSIX rename(2) is atomic).

Every temporary folder of this package is locked (flock(2)) by the process that made it for as long
as that lives, whatever ends it. So a later run can tell what a kill left behind from what a live
process uses, and sweeps it: no age, no process id and no clock decides.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import hashlib
import os
import shutil
import stat
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TEMPORARY_PREFIX = ".tmp-macos-build-"
"""How the names of unfinished files and folders begin, beside what they become."""

SCRATCH_PREFIX = "tensorflow-macos-build-"
"""How the names of scratch folders begin, in the folder for temporary files (TMPDIR)."""

DISPLACED_PREFIX = ".old-"
"""How the name of a folder begins that a new one is about to replace."""

_BLOCK = 1 << 20

_SYSTEM_TEMPORARY = ("/tmp", "/var/tmp", "/usr/tmp")  # noqa: S108 - nothing is made there by name

_FOLDER_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

_OF_WRITE = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""Errors of write(2) about the file, which it knows by a descriptor only."""

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a body that ends well puts its file there.

    The file that the body writes is flushed to the disk and renamed over `target`; when the body
    raises, it is deleted and `target` stays as it was. The mode is 0o666 less the umask.
    """
    with named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        sweep(target.parent)
        with _temporary(target.parent, TEMPORARY_PREFIX) as folder:
            unfinished = folder / target.name
            yield unfinished
            _flush(unfinished)
            unfinished.replace(target)
            _flush(target.parent)


def write_bytes(target: Path, content: bytes) -> None:
    """Replace `target` by a file that holds `content`, in one step."""
    with atomic_path(target) as unfinished:
        unfinished.write_bytes(content)


def write_text(target: Path, content: str) -> None:
    """Replace `target` by a file that holds `content` as UTF-8 with line ends as given."""
    write_bytes(target, content.encode("utf-8"))


@contextlib.contextmanager
def atomic_folder(target: Path, check: Callable[[], object] = lambda: None) -> Iterator[Path]:
    """Yield an empty folder beside `target`; a body that ends well puts it in place as `target`.

    `check` is called when all is written, right before that; where it raises, so does this, and
    `target` stays as it was.

    An existing `target` changes places with the new folder in one step where the system can do that
    (`exchange`). Elsewhere it is first renamed to `displaced(target)`, and a kill before the second
    rename leaves it there: `recover` brings it back. The old folder is deleted after the swap; when
    the body raises, `target` stays as it was.
    """
    with named(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        sweep(target.parent)
        with _temporary(target.parent, TEMPORARY_PREFIX) as holder:
            unfinished = holder / "new"
            unfinished.mkdir()
            yield unfinished
            _flush_tree(unfinished)
            check()
            _put_in_place(unfinished, target)
            _flush(target.parent)


def delete_folder(target: Path) -> None:
    """Delete a folder in one step: a kill leaves it whole, or to be swept."""
    sweep(target.parent)
    with (
        _temporary(target.parent, TEMPORARY_PREFIX) as holder,
        contextlib.suppress(FileNotFoundError),
    ):
        target.rename(holder / "old")


@contextlib.contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """Yield an empty folder of the body's own in TMPDIR; it is deleted when the body ends.

    What a kill leaves of it is deleted by the next `sweep_scratch`. `kind` is a word in its name,
    for whoever looks into TMPDIR.
    """
    sweep_scratch()
    parent = _for_temporary_files()
    with named(parent), _temporary(parent, f"{SCRATCH_PREFIX}{kind}-") as folder:
        yield folder


def sweep_scratch() -> None:
    """Delete what killed runs left in TMPDIR."""
    with contextlib.suppress(OSError):  # no folder is fit for temporary files
        sweep(_for_temporary_files(), SCRATCH_PREFIX)


def _for_temporary_files() -> Path:
    """Return the folder for temporary files that `tempfile` would choose, and set it there.

    `tempfile` tries a folder by writing a file into it, which a kill leaves there under some name.
    """
    if tempfile.tempdir is None:
        places = [os.environ.get(name) for name in ("TMPDIR", "TEMP", "TMP")]
        for folder in filter(None, [*places, *_SYSTEM_TEMPORARY]):
            if os.access(folder, os.W_OK | os.X_OK) and Path(folder).is_dir():
                tempfile.tempdir = str(Path(folder).absolute())
                break
    return Path(tempfile.gettempdir())


@contextlib.contextmanager
def _temporary(parent: Path, prefix: str) -> Iterator[Path]:
    """Yield a new folder in `parent`, locked while the body runs and deleted at its end."""
    folder, descriptor = _make_locked(parent, prefix)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _make_locked(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a folder and lock it before anything is in it.

    A sweeper may come between the two steps. Then it holds the lock, or the folder is gone, and
    another folder is made.
    """
    while True:
        folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        with contextlib.suppress(FileNotFoundError):
            descriptor = os.open(folder, _FOLDER_FLAGS)
            if _claim(folder, descriptor) is not False:
                return folder, descriptor
            os.close(descriptor)


def _claim(folder: Path, descriptor: int) -> bool | None:
    """Lock an open folder without waiting: False: another process has it, or it is gone.

    None: the file system has no locks (an NFS that lends them to open files alone). Its temporary
    folders are then used unlocked, and never swept.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return _is_at(descriptor, folder)


def _is_at(descriptor: int, path: Path) -> bool:
    """Whether what is open is what lies at `path` now."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def displaced(target: Path) -> Path:
    """Return the name under which `target` waits while a new folder takes its place."""
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


def sweep(folder: Path, prefix: str = TEMPORARY_PREFIX) -> list[Path]:
    """Delete what killed runs left unfinished directly in `folder`; return what was deleted.

    What a live process uses is locked and stays, and so does what belongs to somebody else.
    """
    try:
        with os.scandir(folder) as entries:
            left = sorted(entry.path for entry in entries if entry.name.startswith(prefix))
    except OSError:  # no folder, or one that others may write to and not read
        return []
    return [Path(path) for path in left if _swept(Path(path))]


def _swept(path: Path) -> bool:
    """Delete a temporary folder whose maker is dead; return whether it was."""
    try:
        descriptor = os.open(path, _FOLDER_FLAGS)
    except OSError:  # gone, no folder, or not for us
        return False
    try:
        dead = os.fstat(descriptor).st_uid == os.geteuid() and _claim(path, descriptor)
        if dead:
            # Its lock is held meanwhile, so that no maker takes it for its own.
            shutil.rmtree(path, ignore_errors=True)
        return bool(dead)
    finally:
        os.close(descriptor)


_held = threading.local()
"""Its `files`: the identities (device, inode, process) of the files that this thread has locked."""


@contextlib.contextmanager
def locked(lock_file: Path, busy: Callable[[], object] | None = None) -> Iterator[None]:
    """Hold an exclusive lock (flock(2)) on `lock_file`; wait for whoever holds it.

    `lock_file` may be a folder that exists: then nothing is made for the lock. `busy` is called
    once before a wait, so that people can be told why nothing happens. The kernel frees the lock
    when its holder dies, so there is nothing to clean up by hand. A thread that holds it may take
    it again.
    """
    lock_file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _lock(lock_file, busy)
    status = os.fstat(descriptor)
    mine = (status.st_dev, status.st_ino, os.getpid())
    try:
        _locked_by_this_thread().append(mine)
        yield
    finally:
        _locked_by_this_thread().remove(mine)
        os.close(descriptor)


def _lock(lock_file: Path, busy: Callable[[], object] | None) -> int:
    """Open and lock a file; one that is deleted or replaced during the wait is not the lock."""
    while True:
        flags = os.O_RDONLY if lock_file.is_dir() else os.O_RDWR | os.O_CREAT
        descriptor = os.open(lock_file, flags | os.O_CLOEXEC, 0o666)
        status = os.fstat(descriptor)
        if (status.st_dev, status.st_ino, os.getpid()) in _locked_by_this_thread():
            return descriptor
        try:
            _wait_for(descriptor, busy)
        except BaseException:
            os.close(descriptor)
            raise
        if _is_at(descriptor, lock_file.resolve()):
            return descriptor
        os.close(descriptor)


def _wait_for(descriptor: int, busy: Callable[[], object] | None) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if busy is not None:
            busy()
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _locked_by_this_thread() -> list[tuple[int, int, int]]:
    held: list[tuple[int, int, int]] = _held.__dict__.setdefault("files", [])
    return held


def open_regular(path: Path, *, where: str = "") -> int:
    """Return a descriptor that reads a regular file.

    Anything else under that name is refused: a pipe would wait for its writer, and a device has no
    end. `where` is what the error calls the file; by default its path.

    Raises:
        UsageError: it is no regular file.
        OSError: it cannot be opened.
    """
    # With O_NONBLOCK a pipe opens at once (fifo(7)); regular files do not know the flag.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise UsageError(
        "it is no regular file", where=where or str(path), hint="give the path of a file"
    )


def read_small(path: Path, limit: int, *, where: str = "") -> bytes:
    """Return the content of a regular file of at most `limit` bytes; `where` as `open_regular`.

    Raises:
        UsageError: it is no regular file, or a larger one.
        OSError: it cannot be read.
    """
    with os.fdopen(open_regular(path, where=where), "rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise UsageError(f"it has more than {limit} bytes", where=where or str(path))
    return content


def read_small_text(path: Path, limit: int, *, where: str = "") -> str:
    """Return the text of a regular UTF-8 file of at most `limit` bytes.

    Raises:
        UsageError: it is no regular file, a larger one, or not UTF-8.
        OSError: it cannot be read.
    """
    content = read_small(path, limit, where=where)
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("it is not UTF-8 text", where=f"{where or path}:{line}") from None


@contextlib.contextmanager
def named(path: Path | str) -> Iterator[None]:
    """Make errors of writing name `path`, where they name no file or an unfinished one."""
    try:
        yield
    except OSError as error:
        is_nameless = error.filename is None and error.errno in _OF_WRITE
        if is_nameless or TEMPORARY_PREFIX in str(error.filename):
            error.filename = str(path)
        raise


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 lower-case hexadecimal digits."""
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

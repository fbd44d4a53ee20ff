"""Writing files and folders so that they are either whole or not there, whatever is killed when.

A result is written beside its place under a temporary name, flushed to the disk, and put in place
by one rename, which rename(2) does at once or not at all. It is beside its place because a rename
does not reach another file system (EXDEV).

And reading what others wrote, where a name may be anything: a pipe, a device, a file without end.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import temporary
from tensorflow_macos_build.errors import UsageError, naming

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DISPLACED_PREFIX = ".old-"
"""How the name of a folder begins that a new one is about to replace."""

_BLOCK = 1 << 20

_AT_FDCWD = -100  # linux/fcntl.h
_RENAME_EXCHANGE = 2  # linux/fs.h
_RENAME_SWAP = 2  # macOS, sys/stdio.h


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; a body that ends well puts its file there.

    The file that the body writes is flushed to the disk and renamed over `target`; when the body
    raises, it is deleted and `target` stays as it was. The mode is 0o666 less the umask.
    """
    with naming(target, instead_of=temporary.PREFIX):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.sweep(target.parent)
        with temporary.folder_in(target.parent) as folder:
            unfinished = folder / target.name
            yield unfinished
            # In this order: else a power cut could leave the new name and not yet its content.
            flush(unfinished)
            unfinished.replace(target)
            flush(target.parent)  # a file's fsync(2) does not reach the entry in its folder


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
    with naming(target, instead_of=temporary.PREFIX):
        target.parent.mkdir(parents=True, exist_ok=True)
        recover(target)
        temporary.sweep(target.parent)
        with temporary.folder_in(target.parent) as holder:
            unfinished = holder / "new"
            unfinished.mkdir()
            yield unfinished
            _flush_tree(unfinished)
            check()  # last, so that as little as can be happens between it and the swap
            _put_in_place(unfinished, target)
            flush(target.parent)


def refuse_unwritable(target: Path) -> None:
    """Raise what writing a file would raise, before the long work whose result it is for.

    Raises:
        OSError: a folder stands there, or the one above cannot be made or written to.
    """
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    with naming(target, instead_of=temporary.PREFIX):
        target.parent.mkdir(parents=True, exist_ok=True)
        with temporary.folder_in(target.parent):
            pass


def delete_folder(target: Path) -> None:
    """Delete a folder in one step: a kill leaves it whole, or to be swept."""
    temporary.sweep(target.parent)
    with (
        temporary.folder_in(target.parent) as holder,
        contextlib.suppress(FileNotFoundError),
    ):
        target.rename(holder / "old")


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
    libc = ctypes.CDLL(None, use_errno=True)  # Python's os has neither function
    names = os.fsencode(first), os.fsencode(second)
    try:
        if sys.platform == "darwin":
            status = libc.renamex_np(*names, _RENAME_SWAP)
        else:
            status = libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE)
    except AttributeError:  # an older C library (glibc before 2.28)
        return False
    if status == 0:
        return True
    code = ctypes.get_errno()
    # The kernel lacks the call, or the file system the flag (EINVAL on Linux, ENOTSUP on a Mac).
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
        # link(2) of a symbolic link links that on Linux, and what it points to on a Mac.
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


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
        # a buffer as large as the limit for each of thousands of files takes longer than reading
        size = os.fstat(stream.fileno()).st_size
        content = stream.read(min(size, limit) + 1)
        if size < len(content) <= limit:  # it may grow, and is 0 below /proc
            content += stream.read(limit + 1 - len(content))
    if len(content) > limit:
        raise UsageError(f"it has more than {limit} bytes", where=where or str(path))
    return content


def read_small_text(path: Path, limit: int, *, where: str = "") -> str:
    """Return the text of a regular UTF-8 file of at most `limit` bytes.

    Raises:
        UsageError: it is no regular file, a larger one, or not UTF-8.
        OSError: it cannot be read.
    """
    return decode(read_small(path, limit, where=where), where or str(path))


def decode(content: bytes, where: str) -> str:
    """Return the text of a UTF-8 file's content; `where` is what the error calls the file.

    Raises:
        UsageError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError("it is not UTF-8 text", where=f"{where}:{line}") from None


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as 64 lower-case hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def flush(path: Path) -> None:
    """Have the system write a file, or a folder's entries, to the disk before this returns."""
    # fsync(2) is about the file, not the descriptor, so one to read with will do; folders have no
    # other.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent) / name
            status = path.lstat()
            # a file that has another name was there before; it is as safe as it was under that
            if not stat.S_ISLNK(status.st_mode) and status.st_nlink == 1:
                flush(path)
        flush(Path(parent))

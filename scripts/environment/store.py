"""The environments of a checkout: which of them `.venv` is, what it was made from, who uses them.

An environment is built in a new folder of .venv.d and becomes .venv by one rename of a link: a kill
at any moment leaves the old one in place, and a program that runs in the old one keeps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import packages
from programs import Fault, debian_install, install_line
from progress import say

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

_LOCKS = Path("scripts/locks")
"""Where the locks of a checkout are: a file for each dependency group of pyproject.toml."""

_BASE = "run"
"""The group that every environment has: the dependencies of the package."""

_LINES = 4
"""Of `stamp/origin`: the checkout, $PYTHON at that time, the environment's folder, its locks."""


def renew(root: Path, groups: Collection[str]) -> None:
    """Bring `.venv` of the checkout `root` up to what its locks ask for, and to some groups.

    Groups that it has already stay in it.

    Raises:
        Fault: there is no such group, or it cannot be installed.
    """
    if shutil.which("git") is None:
        debian_install("git", f"git is needed; type: {install_line('git')}")
    _check(root, groups)
    store = root / ".venv.d"
    store.mkdir(exist_ok=True)
    with _locked(store / "lock"):
        current = _current(root, store)
        wanted = _wanted(root, groups)
        if current is None or not _is_stamped(root, current, wanted):
            _sweep(store, keep=current)
            _renew(root, store, current, wanted)
        (store / packages.LOG).unlink(missing_ok=True)
        _sweep(store, keep=_current(root, store))


def _renew(root: Path, store: Path, current: Path | None, locks: Sequence[str]) -> None:
    names = ", ".join(lock.removesuffix(".txt") for lock in locks)
    version = ".".join(map(str, sys.version_info[:2]))
    say(f"setting up .venv for {names} with Python {version}; this is done once")
    uv = current / "bin/uv" if current is not None else None
    paths = [root / _LOCKS / lock for lock in locks]
    environment = packages.create(store, paths, uv if uv is not None and uv.exists() else None)
    _link_package(root, environment)
    _stamp(root, environment, locks)
    _point(root, environment)


def _check(root: Path, groups: Collection[str]) -> None:
    known = sorted(path.stem for path in (root / _LOCKS).glob("*.txt"))
    for group in groups:
        if group not in known:
            raise Fault(f"there is no group `{group}` of packages, only {', '.join(known)}", 2)


def _wanted(root: Path, groups: Collection[str]) -> list[str]:
    """Return the names of the locks to install: the base, what is asked for, and what is there."""
    more = {f"{group}.txt" for group in groups} | _installed(root, (root / ".venv").resolve())
    return [f"{_BASE}.txt", *sorted(more - {f"{_BASE}.txt"})]


def _installed(root: Path, environment: Path) -> set[str]:
    """Return the names of the checkout's locks that an environment was made from."""
    origin = _origin(environment)
    known = {path.name for path in (root / _LOCKS).glob("*.txt")}
    if len(origin) == _LINES - 1:
        return known  # it is of the time before there were groups, and has all of their packages
    return known & set(origin[-1].split()) if len(origin) == _LINES else set()


def _link_package(root: Path, environment: Path) -> None:
    """Let the environment import the package of the checkout, as it is there (site, .pth files).

    A build backend would write the same line, and takes longer for it than uv for all packages.
    """
    (packages_folder,) = environment.glob("lib/python3*/site-packages")
    # Absolute: Python counts a relative one from .venv, a link, or from the folder behind it.
    (packages_folder / "tensorflow_macos_build.pth").write_bytes(os.fsencode(root) + b"\n")


def _current(root: Path, store: Path) -> Path | None:
    """Return the folder that `.venv` points to, when it is one of ours and its Python is there."""
    link = root / ".venv"
    if not link.is_symlink():
        return None
    environment = link.resolve()
    origin = _origin(environment)
    is_ours = environment.parent == store and os.access(environment / "bin/python", os.X_OK)
    matches = len(origin) == _LINES and origin[0] == str(root) and origin[1] == _python(origin[1])
    return environment if is_ours and matches else None


def _is_stamped(root: Path, environment: Path, locks: Sequence[str]) -> bool:
    are_there = set(locks) <= _installed(root, environment)
    return are_there and _bytes(environment / "stamp/locks") == _contents(root, locks)


def _contents(root: Path, locks: Sequence[str]) -> bytes:
    return b"".join((root / _LOCKS / lock).read_bytes() for lock in locks)


def _origin(environment: Path) -> list[str]:
    return (_bytes(environment / "stamp/origin") or b"").decode("utf-8", "replace").splitlines()


def _python(made_by: str) -> str:
    return os.environ.get("PYTHON") or made_by


def _stamp(root: Path, environment: Path, locks: Sequence[str]) -> None:
    """Note what `environment` was made from; its file `origin` comes last and means complete."""
    stamp = environment / "stamp"
    stamp.mkdir(exist_ok=True)
    (stamp / "in-use").touch()
    _replace(stamp / "locks", _contents(root, locks))
    lines = (str(root), _python(""), str(environment), " ".join(locks))
    _replace(stamp / "origin", "".join(f"{line}\n" for line in lines).encode())


def _replace(path: Path, content: bytes) -> None:
    aside = path.with_name(f".tmp-{path.name}")
    aside.write_bytes(content)
    aside.replace(path)


def _point(root: Path, environment: Path) -> None:
    """Make `.venv` a link to `environment`; a folder that is not ours is set aside."""
    link = root / ".venv"
    if link.exists() and not link.is_symlink():
        kept = Path(tempfile.mkdtemp(prefix=".venv.old-", dir=root))
        link.rename(kept / "venv")
        say(f".venv was made by something else; it is now {kept.name}/venv")
    # A link cannot be changed, only replaced: rename(2) does so in one step.
    aside = environment.parent / ".tmp-link"
    aside.unlink(missing_ok=True)
    aside.symlink_to(environment.relative_to(root), target_is_directory=True)
    aside.replace(link)


def _sweep(store: Path, keep: Path | None) -> None:
    """Delete environments that kills left half-made and old ones that no program runs in."""
    for folder in sorted(store.glob("env-*")):
        if folder != keep and not _in_use(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _in_use(environment: Path) -> bool:
    """Whether a program that was started by scripts/inv holds its lock on `environment`."""
    try:
        with (environment / "stamp/in-use").open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:  # it was never finished, so nothing was started from it
        return False
    except BlockingIOError:
        return True
    return False


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of the store. Programs started meanwhile inherit it.

    So a pip whose parent was killed is waited for, and never met half-way.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    os.set_inheritable(descriptor, True)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run sets .venv up; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None

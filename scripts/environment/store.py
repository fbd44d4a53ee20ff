"""The environments of a checkout: which of them `.venv` is, what it was made from, who uses them.

An environment is built in a new folder of .venv.d and becomes .venv by one rename of a link: a kill
at any moment leaves the old one in place, and a program that runs in the old one keeps it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import packages
from programs import debian_install, install_line
from progress import Progress, say

if TYPE_CHECKING:
    from collections.abc import Iterator

_INPUTS = ("pyproject.toml", "scripts/requirements.lock")
"""What an environment is made from; the stamp holds a copy of each."""


def renew(root: Path) -> None:
    """Bring `.venv` of the checkout `root` up to what its lock asks for."""
    if shutil.which("git") is None:
        debian_install("git", f"git is needed; type: {install_line('git')}")
    store = root / ".venv.d"
    store.mkdir(exist_ok=True)
    with _locked(store / "lock"):
        current = _current(root, store)
        if current is None or not _is_stamped(root, current):
            _renew(root, store, current)
        _sweep(store, keep=_current(root, store))


def _renew(root: Path, store: Path, current: Path | None) -> None:
    lock = root / _INPUTS[1]
    reusable = current is not None and _has_lock(current, lock)
    environment = current if current is not None and reusable else packages.create(store, lock)
    flags = ("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(root))
    packages.install(environment, Progress(1), *flags)
    _stamp(root, environment)
    _point(root, environment)


def _current(root: Path, store: Path) -> Path | None:
    """Return the folder that `.venv` points to, when it is one of ours and its Python is there."""
    link = root / ".venv"
    if not link.is_symlink():
        return None
    environment = link.resolve()
    origin = _origin(environment)
    is_ours = environment.parent == store and os.access(environment / "bin/python", os.X_OK)
    matches = len(origin) == 3 and origin[0] == str(root) and origin[1] == _wanted(origin[1])
    return environment if is_ours and matches else None


def _is_stamped(root: Path, environment: Path) -> bool:
    return all(
        _bytes(environment / "stamp" / Path(name).name) == _bytes(root / name) for name in _INPUTS
    )


def _has_lock(environment: Path, lock: Path) -> bool:
    return _bytes(environment / "stamp" / lock.name) == _bytes(lock)


def _origin(environment: Path) -> list[str]:
    return (_bytes(environment / "stamp/origin") or b"").decode("utf-8", "replace").splitlines()


def _wanted(made_by: str) -> str:
    return os.environ.get("PYTHON") or made_by


def _stamp(root: Path, environment: Path) -> None:
    """Note what `environment` was made from; its file `origin` comes last and means complete."""
    stamp = environment / "stamp"
    stamp.mkdir(exist_ok=True)
    (stamp / "in-use").touch()
    for name in _INPUTS:
        _replace(stamp / Path(name).name, (root / name).read_bytes())
    lines = (str(root), _wanted(""), str(environment))
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

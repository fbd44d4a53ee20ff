"""Make the environment of a checkout: `python environment.py CHECKOUT`, called by scripts/inv.

It runs on any Python 3.10 before anything is installed, so it imports the standard library only.
The environment is built in a new folder of .venv.d and becomes .venv by one rename of a link: a
kill at any moment leaves the old one in place, and a program that runs in the old one keeps it.
Exit status: 0 done; 1 an installation failed; 2 something is missing that a person must install.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import re
import selectors
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_INPUTS = ("pyproject.toml", "scripts/requirements.lock")
"""What an environment is made from; the stamp holds a copy of each."""

_PIP_FLAGS = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")

_MISDIRECTIONS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV")
"""Settings that would send what pip installs elsewhere than into the environment."""


_FROM_LOCK = ("--no-deps", "--require-hashes", "--only-binary", ":all:")

_NETWORK = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_HTTP", "UV_NATIVE_TLS"),
    *("UV_SYSTEM_CERTS", "UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_CACHE_DIR"),
)
"""Beginnings of uv's variables on where and how it downloads. The others could send packages
elsewhere, as pip's `_MISDIRECTIONS` do, or choose other ones."""

_SILENCE = 5.0
"""Seconds between two lines on the progress where there is no terminal to draw on."""

_PIECE = 1 << 16


class Fault(Exception):
    """What stops the set-up: one line for the user, and the exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def main(root: Path) -> None:
    """Bring `.venv` of the checkout `root` up to what its lock asks for."""
    if shutil.which("git") is None:
        _debian_install("git", f"git is needed; type: {_install_line('git')}")
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
    environment = current if current is not None and reusable else _create(store, lock)
    flags = ("--no-deps", "--no-build-isolation", "--no-index", "--editable", str(root))
    _pip(environment, Progress(1), *flags)
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


def _create(store: Path, lock: Path) -> Path:
    version = ".".join(map(str, sys.version_info[:2]))
    _say(f"setting up .venv with Python {version}; this is done once and takes some minutes")
    progress = Progress(len(_names(lock)))
    with progress.shown():
        environment = _bare(store, progress)
        if not _install_by_uv(environment, lock, progress):
            if _uv(environment).exists():
                progress.clear()
                _say("uv could not install the packages (see above), so pip does it")
                environment = _bare(store, progress)
            _pip(environment, progress, *_FROM_LOCK, "-r", str(lock))
    _say(f"{progress.installed()} packages are installed, after {progress.seconds()} s")
    return environment


def _names(lock: Path) -> set[str]:
    """Return the packages that a lock names; one may be there at a version for each Python."""
    return set(re.findall(r"^([A-Za-z0-9][\w.-]*)==", lock.read_text("utf-8"), re.MULTILINE))


def _uv(environment: Path) -> Path:
    return environment / "bin/uv"


def _install_by_uv(environment: Path, lock: Path, progress: Progress) -> bool:
    """Let the lock's own uv install the lock, in a tenth of pip's time; False where it cannot.

    pip brings uv, by the hash in the lock, and uv is told of the indexes that pip is told of.
    """
    pin = re.search(r"^uv==(?:.*\\\n)*.*$", lock.read_text("utf-8"), re.MULTILINE)
    settings = _settings_for_uv(environment)
    if pin is None or settings is None:
        return False
    alone = environment / "uv.txt"
    alone.write_text(f"{pin.group()}\n", encoding="utf-8")
    _pip(environment, progress, *_FROM_LOCK, "-r", str(alone))
    alone.unlink()
    progress.step("downloading packages")
    argv = [str(_uv(environment)), "pip", "install", "--python", str(environment / "bin/python")]
    argv += ["--no-config", "--no-progress", *settings, *_FROM_LOCK, "-r", str(lock)]
    try:
        _run(argv, "uv failed", progress, env=_environment_for_uv(environment), stderr=True)
    except (Fault, OSError):  # OSError: a program that this system cannot run
        return False
    shutil.rmtree(environment / "uv-cache", ignore_errors=True)
    return True


def _settings_for_uv(environment: Path) -> list[str] | None:
    """Return pip's settings on where packages are, as uv's flags; None where uv has no such flag.

    An index may be named with a password, so `_environment_for_uv` hands indexes over.
    """
    found = _pip_settings(environment)
    if "client-cert" in found or "proxy" in found:
        return None
    flags = ["--no-index"] if found.get("no-index", "") not in {"", "0", "false", "no"} else []
    for option, flag in (("find-links", "--find-links"), ("trusted-host", "--allow-insecure-host")):
        for value in found.get(option, "").split():
            flags += [flag, value]
    # pip takes the best version of all indexes; uv else takes the first index that has any.
    return [*flags, "--index-strategy", "unsafe-best-match"]


def _environment_for_uv(environment: Path) -> dict[str, str]:
    """Return the variables that uv runs with: of its own settings only those about the network."""
    variables = {
        name: value
        for name, value in _child_environment().items()
        if not name.startswith("UV_") or name.startswith(_NETWORK)
    }
    found = _pip_settings(environment)
    for option, name in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_EXTRA_INDEX_URL"),
        ("cert", "SSL_CERT_FILE"),
    ):
        if option in found:
            variables.setdefault(name, " ".join(found[option].split()))
    if "HOME" not in variables and "XDG_CACHE_HOME" not in variables:
        variables.setdefault("UV_CACHE_DIR", str(environment / "uv-cache"))
    return variables


def _pip_settings(environment: Path) -> dict[str, str]:
    """Return what pip's files and variables say, by the option's long name."""
    ended = subprocess.run(
        [*_pip_program(environment), "config", "list"],
        env=_child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    lines = ended.stdout.decode("utf-8", "replace").splitlines()
    pairs = [line.partition("=") for line in lines]
    # A line is `global.index-url='https://…'`; a variable counts more than any file.
    ordered = sorted(pairs, key=lambda pair: pair[0].startswith(":env:"))
    return {key.rpartition(".")[2]: value.strip("'\"") for key, _, value in ordered}


def _bare(store: Path, progress: Progress) -> Path:
    """Make a new environment that has nothing in it but pip, or not even that."""
    environment = Path(tempfile.mkdtemp(prefix="env-", dir=store))
    progress.environment = environment
    progress.step("making an environment")
    _venv(environment, progress)
    return environment


def _venv(environment: Path, progress: Progress) -> None:
    """Make the bare environment, with a pip in it where this Python brings one (ensurepip).

    Debian splits ensurepip off its Python (package python3-venv). There the base interpreter's own
    pip can install into an environment that has none (`pip --python`, pip 22.3).
    """
    # The name without links carries the version, so an upgrade of Python makes the link dangle.
    python = os.path.realpath(sys.executable)
    venv = [python, "-I", "-m", "venv"]
    if importlib.util.find_spec("ensurepip") is None:
        if importlib.util.find_spec("pip") is not None:
            venv.append("--without-pip")
        else:
            package = f"python3.{sys.version_info.minor}-venv"
            missing = f"{python} has neither ensurepip nor pip"
            _debian_install(package, f"{missing}; type: {_install_line(package)}")
    _run([*venv, str(environment)], "the venv module failed", progress)


def _pip(environment: Path, progress: Progress, *args: str) -> None:
    install = [*_pip_program(environment), "install", *_PIP_FLAGS, *args]
    _run(install, "pip could not install what the lock asks for", progress)


def _pip_program(environment: Path) -> list[str]:
    """Return the command of the environment's own pip, or of the base interpreter's for it."""
    inner = str(environment / "bin/python")
    has_own = any(environment.glob("lib/python3*/site-packages/pip/__main__.py"))
    return [inner, "-m", "pip"] if has_own else [sys.executable, "-m", "pip", "--python", inner]


def _stamp(root: Path, environment: Path) -> None:
    """Say what `environment` was made from; its file `origin` comes last and means complete."""
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
    """Let `.venv` be a link to `environment`; a folder that is not ours is set aside."""
    link = root / ".venv"
    if link.exists() and not link.is_symlink():
        kept = Path(tempfile.mkdtemp(prefix=".venv.old-", dir=root))
        link.rename(kept / "venv")
        _say(f".venv was made by something else; it is now {kept.name}/venv")
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
    except FileNotFoundError:
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
            _say("another run sets .venv up; waiting for it")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _debian_install(package: str, otherwise: str) -> None:
    """Install a Debian package when this is root on Debian or Ubuntu.

    Raises:
        Fault: it is not, or apt-get failed; the message is `otherwise`.
    """
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Fault(otherwise, 2)
    _say(f"installing the Debian package {package}")
    install = ["apt-get", "-o", "DPkg::Lock::Timeout=600", "install", "--yes", "-qq", package]
    if not _succeeds(install):
        _succeeds(["apt-get", "update", "-qq"])
        if not _succeeds(install):
            raise Fault(otherwise, 2)


def _install_line(package: str) -> str:
    debian = shutil.which("apt-get") is not None
    return f"sudo apt-get install {package}" if debian else f"brew install {package}"


def _run(
    argv: Sequence[str],
    what: str,
    progress: Progress,
    *,
    env: Mapping[str, str] | None = None,
    stderr: bool = False,
) -> None:
    """Run a program to its end; `stderr`: whether its progress is on standard error.

    Raises:
        Fault: it failed; the end of what it printed has been shown.
    """
    with subprocess.Popen(
        argv,
        env={**(env or _child_environment()), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if stderr else None,
        close_fds=False,  # the lock of the store is among them
        start_new_session=True,  # so that Ctrl-C ends them here, and without their tracebacks
    ) as child:
        try:
            last = _follow(child, progress)
        except BaseException:
            child.kill()
            raise
    if child.returncode != 0:
        progress.clear()
        sys.stderr.write(last)
        raise Fault(f"{what} (status {child.returncode}); run the same command again", 1)


def _follow(child: subprocess.Popen[bytes], progress: Progress) -> str:
    """Read what a program prints until it ends; return the end of that."""
    assert child.stdout is not None
    text = ""
    with selectors.DefaultSelector() as waiting:
        waiting.register(child.stdout, selectors.EVENT_READ)
        while True:
            if waiting.select(1.0):
                piece = os.read(child.stdout.fileno(), _PIECE)
                if not piece:
                    return text
                text = (text + piece.decode("utf-8", "replace"))[-_PIECE:]
                for line in text.splitlines():
                    progress.read(line)
            progress.draw()


class Progress:
    """What people see of an installation: what is done now, how many packages, how long it takes.

    Args:
        total: how many packages there will be.

    Attributes:
        environment: where packages are installed.
    """

    def __init__(self, total: int) -> None:
        self.environment: Path | None = None
        self._total = total
        self._begun = time.monotonic()
        self._drawn = self._begun
        self._doing = ""
        self._collected: set[str] = set()
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def step(self, doing: str) -> None:
        """Say what is done now."""
        self._doing = doing

    def read(self, line: str) -> None:
        """Take a line of pip's or uv's; what it means decides nothing but what is shown."""
        verb, _, rest = line.strip().partition(" ")
        if verb == "Collecting":
            name = rest.partition("=")[0]
            self._collected.add(name)
            self.step(f"downloading {len(self._collected)} of {self._total} packages: {name}")
        elif verb == "Downloading" and not self._collected:  # uv names the large ones
            self.step(f"downloading packages, now {rest}")
        elif verb in {"Installing", "Prepared"}:
            self.step("installing")

    def draw(self) -> None:
        """Show it, where it is time to."""
        if not self._is_terminal and time.monotonic() - self._drawn < _SILENCE:
            return
        self._drawn = time.monotonic()
        text = self._doing
        if text == "installing":
            text = f"{self.installed()} of {self._total} packages are installed"
        if self._is_terminal and text:
            columns = shutil.get_terminal_size().columns
            sys.stderr.write("\r\x1b[K" + f"inv: {self.seconds()} s: {text}"[: columns - 1])
            sys.stderr.flush()
        elif text:
            _say(f"{self.seconds()} s: {text}")

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Take the last line off the terminal at the end, however that comes."""
        try:
            yield
        finally:
            self.clear()

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def installed(self) -> int:
        """Return how many packages are in the environment, pip not counted."""
        if self.environment is None:
            return 0
        found = self.environment.glob("lib/python3*/site-packages/*.dist-info")
        return sum(not folder.name.startswith("pip-") for folder in found)

    def seconds(self) -> int:
        """Return how long it has taken so far."""
        return int(time.monotonic() - self._begun)


def _succeeds(argv: Sequence[str]) -> bool:
    environment = {**_child_environment(), "DEBIAN_FRONTEND": "noninteractive"}
    ended = subprocess.run(
        argv, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    return ended.returncode == 0


def _child_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in _MISDIRECTIONS}


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _say(text: str) -> None:
    sys.stderr.write(f"inv: {text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except Fault as fault:
        _say(str(fault))
        sys.exit(fault.status)
    except OSError as error:
        _say(f"cannot set .venv up: {error}")
        sys.exit(1)
    except KeyboardInterrupt:
        _say("interrupted; run the same command again to go on")
        sys.exit(130)

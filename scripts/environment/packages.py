"""New environments, and what the lock's uv and pip install into them."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import operator
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from programs import Fault, child_environment, debian_install, install_line, run
from progress import Progress, say

if TYPE_CHECKING:
    from collections.abc import Sequence

_PIP_FLAGS = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")

_FROM_LOCK = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
"""How a lock is installed: it is complete and hashed, and building from source would run code of
packages and need compilers."""

_NETWORK = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_HTTP", "UV_NATIVE_TLS"),
    *("UV_SYSTEM_CERTS", "UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_CACHE_DIR"),
)
"""Beginnings of uv's variables on where and how it downloads. The others could send packages
elsewhere, as pip's do (`programs.py`), or choose other ones."""

_PIP_THAT_SERVES_OTHERS = (22, 3)
"""The first pip that installs into another environment than its own (`--python`)."""

_UV = re.compile(r"^uv==(?:.*\\\n)*.*$", re.MULTILINE)
"""The lock's uv, with its hashes on lines of their own."""

_PIN = re.compile(r"^(?P<name>[A-Za-z0-9][\w.-]*)==(?P<marker>.*)", re.MULTILINE)
_OF_PYTHON = re.compile(r"python_full_version (<|>=|==) '3\.(\d+)(?:\.\*)?'")

LOG = "set-up.log"
"""The file of the store with what the last program that failed has printed."""

_ENSURED = "ensured"
"""Where in an environment ensurepip's pip is while it is used."""


def create(store: Path, locks: Sequence[Path], uv: Path | None) -> Path:
    """Make a new environment in `store` and install what `locks` name; return its folder.

    Args:
        store: where environments are.
        locks: requirement files with hashes; what several of them name is the same in all.
        uv: the uv of an environment that was made before.

    Raises:
        Fault: an installation failed, or something is missing that a person must install.
    """
    progress = Progress(len(_names(locks)), store / LOG)
    with progress.shown():
        environment = Path(tempfile.mkdtemp(prefix="env-", dir=store))
        progress.environment = environment
        _empty(environment, progress)
        _install(environment, locks, uv, progress)
        shutil.rmtree(environment / _ENSURED, ignore_errors=True)
    say(f"{progress.installed()} packages are installed, after {progress.seconds()} s")
    return environment


def _install(environment: Path, locks: Sequence[Path], uv: Path | None, progress: Progress) -> None:
    pin = next(filter(None, (_UV.search(lock.read_text("utf-8")) for lock in locks)), None)
    if uv is None and pin is None:
        _install_by_pip(environment, progress, *_files(locks))
    elif uv is None and pin and (refusal := _refusal_of_uv(environment, pin.group(), progress)):
        _install_without_uv(environment, locks, progress, refusal)
    elif not _install_by_uv(environment, locks, uv or environment / "bin/uv", progress):
        _empty(environment, progress)
        _install_by_pip(environment, progress, *_files(locks))


def _names(locks: Sequence[Path], minor: int = sys.version_info.minor) -> set[str]:
    """Return the packages that locks name for Python 3.`minor`."""
    texts = [lock.read_text("utf-8") for lock in locks]
    pins = [match for text in texts for match in _PIN.finditer(text)]
    return {pin["name"] for pin in pins if _is_for(pin["marker"], minor)}


def _is_for(marker: str, minor: int) -> bool:
    """Whether a marker of the locks, none of which has Pythons beside `or`, holds for 3.`minor`."""
    compare = {"<": operator.lt, ">=": operator.ge, "==": operator.eq}
    return all(compare[sign](minor, int(of)) for sign, of in _OF_PYTHON.findall(marker))


def _files(locks: Sequence[Path]) -> list[str]:
    return [word for lock in locks for word in ("-r", str(lock))]


def _install_by_uv(environment: Path, locks: Sequence[Path], uv: Path, progress: Progress) -> bool:
    """Let a uv install the locks, in a tenth of pip's time; False where it cannot."""
    settings = _settings_for_uv(environment)
    if settings is None:
        say("uv has no setting for a proxy or a client's certificate of pip's, so pip does it")
        return False
    progress.step("downloading packages")
    argv = [str(uv), "pip", "install", "--python", str(environment / "bin/python"), "--no-config"]
    argv += ["--no-progress", *settings, *_FROM_LOCK, *_files(locks)]
    try:
        run(argv, "uv failed", progress, env=_environment_for_uv(environment))
    except (Fault, OSError) as error:  # OSError: a program that this system cannot run
        progress.clear()
        say(f"uv could not install the packages, so pip does it ({error})")
        return False
    shutil.rmtree(environment / "uv-cache", ignore_errors=True)
    return True


def _refusal_of_uv(environment: Path, pin: str, progress: Progress) -> str:
    """Let pip install the lock's uv by its hash; return why it could not, or ""."""
    progress.step("fetching uv, which installs the rest")
    alone = environment / "uv.txt"
    alone.write_text(f"{pin}\n", encoding="utf-8")
    try:
        _install_by_pip(environment, progress, "-r", str(alone))
    except Fault as fault:
        return fault.reason
    finally:
        alone.unlink()
    return ""


def _install_without_uv(
    environment: Path, locks: Sequence[Path], progress: Progress, refusal: str
) -> None:
    """Let pip install all that the locks have but uv, and say so once it is done.

    uv has no wheel for some machines, which pip tells by the same words as an index that does not
    answer: then this fails, too, and that is what is told.
    """
    progress.step("downloading packages")
    copies = []
    for lock in locks:
        copies.append(environment / f"without-uv-{lock.name}")
        copies[-1].write_text(_UV.sub("", lock.read_text("utf-8")), encoding="utf-8")
    _install_by_pip(environment, progress, *_files(copies))
    for copy in copies:
        copy.unlink()
    progress.clear()
    say(f"uv could not be installed, so pip has installed the rest ({refusal})")


def _settings_for_uv(environment: Path) -> list[str] | None:
    """Return pip's settings on where packages are, as uv's flags; None where uv has no such flag.

    An index may be named with a password, so `_environment_for_uv` hands indexes over.
    """
    settings = _pip_settings(environment)
    if "client-cert" in settings or "proxy" in settings:
        return None
    flags = ["--no-index"] if settings.get("no-index", "") not in {"", "0", "false", "no"} else []
    for option, flag in (("find-links", "--find-links"), ("trusted-host", "--allow-insecure-host")):
        for value in settings.get(option, "").split():
            flags += [flag, value]
    # pip takes the best version of all indexes; uv else takes the first index that has any.
    return [*flags, "--index-strategy", "unsafe-best-match"]


def _environment_for_uv(environment: Path) -> dict[str, str]:
    """Return the variables that uv runs with: of its own settings only those about the network."""
    variables = {
        name: value
        for name, value in child_environment().items()
        if not name.startswith("UV_") or name.startswith(_NETWORK)
    }
    settings = _pip_settings(environment)
    for option, name in (
        ("index-url", "UV_DEFAULT_INDEX"),
        ("extra-index-url", "UV_EXTRA_INDEX_URL"),
        ("cert", "SSL_CERT_FILE"),
    ):
        if option in settings:
            variables.setdefault(name, " ".join(settings[option].split()))
    # uv keeps its cache in one of these; without them it would fail.
    if "HOME" not in variables and "XDG_CACHE_HOME" not in variables:
        variables.setdefault("UV_CACHE_DIR", str(environment / "uv-cache"))
    return variables


@functools.cache
def _pip_settings(environment: Path) -> dict[str, str]:
    """Return what pip's files and variables say, by the option's long name."""
    completed = subprocess.run(
        [*_pip_program(environment), "config", "list"],
        env=child_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    lines = completed.stdout.decode("utf-8", "replace").splitlines()
    pairs = [line.partition("=") for line in lines]
    # A line is `global.index-url='https://…'`; a variable counts more than any file.
    ordered = sorted(pairs, key=lambda pair: pair[0].startswith(":env:"))
    return {key.rpartition(".")[2]: value.strip("'\"") for key, _, value in ordered}


def _empty(environment: Path, progress: Progress) -> None:
    """Make an environment that has nothing in it, whatever was there."""
    progress.step("making an environment")
    # The name without links carries the version, so an upgrade of Python makes the link dangle.
    python = os.path.realpath(sys.executable)
    # Without pip, for to install it takes ensurepip longer than uv takes for all that the lock has.
    argv = [python, "-I", "-m", "venv", "--clear", "--without-pip", str(environment)]
    run(argv, "the venv module failed", progress)


def _install_by_pip(environment: Path, progress: Progress, *args: str) -> None:
    """Let pip install into an environment what `args` say of a lock.

    Raises:
        Fault: it failed.
    """
    argv = [*_pip_program(environment), "install", *_PIP_FLAGS, *_FROM_LOCK, *args]
    run(argv, "pip could not install what the lock asks for", progress)


def _pip_program(environment: Path) -> tuple[str, ...]:
    """Return the command of a pip that installs into an environment.

    It is the base interpreter's own, or the one that its ensurepip would install. Debian splits
    that off its Python (package python3-venv).
    """
    inner = str(environment / "bin/python")
    if _serves_others():
        return (sys.executable, "-m", "pip", "--python", inner)
    if importlib.util.find_spec("ensurepip") is None:
        package = f"python3.{sys.version_info.minor}-venv"
        missing = f"{os.path.realpath(sys.executable)} has neither ensurepip nor pip"
        debian_install(package, f"{missing}; type: {install_line(package)}")
        importlib.invalidate_caches()
    return (inner, str(_unpacked_pip(environment)))


def _serves_others() -> bool:
    """Whether the base interpreter has a pip that can install into another environment."""
    if importlib.util.find_spec("pip") is None:
        return False
    numbers = re.findall(r"\d+", importlib.metadata.version("pip"))
    return tuple(map(int, numbers[:2])) >= _PIP_THAT_SERVES_OTHERS


def _unpacked_pip(environment: Path) -> Path:
    """Return the folder of ensurepip's pip, which Python can run; pip's own wheel is unpacked.

    Raises:
        Fault: ensurepip has none.
    """
    spec = importlib.util.find_spec("ensurepip")
    folders = [sysconfig.get_config_var("WHEEL_PKG_DIR")]  # as ensurepip looks for it
    folders += [Path(spec.origin).parent / "_bundled"] if spec and spec.origin else []
    wheels = [path for folder in folders if folder for path in Path(folder).glob("pip-*.whl")]
    if not wheels:
        raise Fault(f"{os.path.realpath(sys.executable)} has no pip in its ensurepip", 2)
    folder = environment / _ENSURED
    if not folder.exists():
        with zipfile.ZipFile(wheels[0]) as wheel:
            wheel.extractall(folder)
    return folder / "pip"

"""New environments, and what pip and the lock's uv install into them."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from programs import Fault, child_environment, debian_install, install_line, run
from progress import Progress, say

_PIP_FLAGS = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")

_FROM_LOCK = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
"""How the lock is installed: it is complete and hashed, and building from source would run code of
packages and need compilers."""

_NETWORK = (
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_HTTP", "UV_NATIVE_TLS"),
    *("UV_SYSTEM_CERTS", "UV_KEYRING_PROVIDER", "UV_INSECURE_HOST", "UV_CACHE_DIR"),
)
"""Beginnings of uv's variables on where and how it downloads. The others could send packages
elsewhere, as pip's do (`programs.py`), or choose other ones."""


def create(store: Path, lock: Path) -> Path:
    """Make a new environment in `store` and install what `lock` names; return its folder.

    Raises:
        Fault: an installation failed, or something is missing that a person must install.
    """
    version = ".".join(map(str, sys.version_info[:2]))
    say(f"setting up .venv with Python {version}; this is done once and takes some minutes")
    progress = Progress(len(_names(lock)))
    with progress.shown():
        environment = _bare(store, progress)
        if not _install_by_uv(environment, lock, progress):
            if _uv(environment).exists():
                progress.clear()
                say("uv could not install the packages (see above), so pip does it")
                environment = _bare(store, progress)
            install(environment, progress, *_FROM_LOCK, "-r", str(lock))
    say(f"{progress.installed()} packages are installed, after {progress.seconds()} s")
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
    install(environment, progress, *_FROM_LOCK, "-r", str(alone))
    alone.unlink()
    progress.step("downloading packages")
    argv = [str(_uv(environment)), "pip", "install", "--python", str(environment / "bin/python")]
    argv += ["--no-config", "--no-progress", *settings, *_FROM_LOCK, "-r", str(lock)]
    try:
        run(argv, "uv failed", progress, env=_environment_for_uv(environment), stderr=True)
    except (Fault, OSError):  # OSError: a program that this system cannot run
        return False
    shutil.rmtree(environment / "uv-cache", ignore_errors=True)
    return True


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
            debian_install(package, f"{missing}; type: {install_line(package)}")
    run([*venv, str(environment)], "the venv module failed", progress)


def install(environment: Path, progress: Progress, *args: str) -> None:
    """Let pip install into an environment what `args` say.

    Raises:
        Fault: it failed.
    """
    argv = [*_pip_program(environment), "install", *_PIP_FLAGS, *args]
    run(argv, "pip could not install what the lock asks for", progress)


def _pip_program(environment: Path) -> list[str]:
    """Return the command of the environment's own pip, or of the base interpreter's for it."""
    inner = str(environment / "bin/python")
    has_own = any(environment.glob("lib/python3*/site-packages/pip/__main__.py"))
    return [inner, "-m", "pip"] if has_own else [sys.executable, "-m", "pip", "--python", inner]

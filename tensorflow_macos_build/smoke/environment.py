"""A fresh environment for what is tried: uv makes it, installs into it, and compiles it once."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import InvalidWheelFilename, parse_wheel_filename
from packaging.version import Version

from tensorflow_macos_build import dependency_groups, files, locks, process
from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.smoke.targets import SmokeTarget

_PINS = Path(__file__).with_name("pins.yaml")

_PLATFORMS = {"arm64": "aarch64-apple-darwin", "x86_64": "x86_64-apple-darwin"}
"""uv's names of the processors of Macs."""

_COMPLETE = "complete"
"""The file in a kept environment's folder that says that it was made to its end."""

# uv's own module sets VIRTUAL_ENV, where uv would look first.
_ENVIRONMENT: dict[str, str | None] = dict.fromkeys(("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"))


@dataclass(frozen=True)
class EnvironmentRequest:
    """What an environment is made of.

    Attributes:
        wheel: the wheel that is tried; None where a requirement is.
        requirement: what is tried, as pip takes it: `tensorflow-cpu==2.16.2`.
        plugin: a plugin's wheel that is installed beside it.
        wheelhouse: a folder of wheels that stands for the index.
        constraints: a file of constraints, as pip takes it.

    Raises:
        UsageError: a file is not there, or the requirement is none.
    """

    wheel: Path | None = None
    requirement: str = ""
    plugin: Path | None = None
    wheelhouse: Path | None = None
    constraints: Path | None = None

    def __post_init__(self) -> None:
        """Refuse files that are not there, and what is no requirement."""
        for path, name in ((self.wheel, "wheel"), (self.plugin, "plugin's wheel")):
            if path is not None and not path.is_file():
                raise UsageError(f"there is no such {name}", where=str(path))
        if self.wheelhouse is not None and not self.wheelhouse.is_dir():
            raise UsageError("there is no such folder", where=str(self.wheelhouse))
        if self.constraints is not None and not self.constraints.is_file():
            raise UsageError("there is no such file of constraints", where=str(self.constraints))
        if self.requirement:
            _parsed(self.requirement)

    @property
    def subject(self) -> str:
        """What is tried, as a report calls it."""
        return self.wheel.name if self.wheel else self.requirement

    @property
    def release(self) -> Version | None:
        """The release that is asked for; None where that is left to the index."""
        if self.wheel:
            try:
                return parse_wheel_filename(self.wheel.name)[1]
            except InvalidWheelFilename:
                return None
        pins = _parsed(self.requirement).specifier
        exact = [pin.version for pin in pins if pin.operator == "==" and "*" not in pin.version]
        return Version(exact[0]) if exact else None


def _parsed(requirement: str) -> Requirement:
    try:
        return Requirement(requirement)
    except InvalidRequirement as error:
        raise UsageError(
            f"`{requirement}` is no requirement: {str(error).splitlines()[0]}",
            hint="write it like tensorflow-cpu==2.16.2; see PyPA's dependency specifiers",
        ) from None


def make(request: EnvironmentRequest, target: SmokeTarget, python: Path, folder: Path) -> Path:
    """Make an environment in `folder`, which is not there, and return its interpreter.

    Raises:
        process.ProgramFailed: what is asked for cannot be installed; uv's words say why.
    """
    pins = pins_file(folder)
    pins.write_text("".join(f"{pin}\n" for pin in pins_of(request.release)), encoding="utf-8")
    for argv in commands(request, target, python, folder, pins):
        process.run(argv, env=variables())
    return folder / "bin" / "python"


def pins_file(folder: Path) -> Path:
    """Return where the constraints of an environment are written."""
    return folder.with_name(f"{folder.name}.pins.txt")


def keep(request: EnvironmentRequest, target: SmokeTarget, python: Path, store: Path) -> Path:
    """Return the interpreter of an environment in `store`, made now where none is there yet.

    It is named by what it is made of: the same wheel, pins and Python give the same one.

    Raises:
        process.ProgramFailed: as `make` does.
    """
    home = store / _key(request, target, python)
    store.mkdir(parents=True, exist_ok=True)
    with locks.held(store / f"{home.name}.lock"):
        if not (home / _COMPLETE).exists():
            shutil.rmtree(home, ignore_errors=True)  # what a kill left
            home.mkdir()
            make(request, target, python, home / "env")
            files.write_text(home / _COMPLETE, f"{request.subject}\n")
    return home / "env" / "bin" / "python"


def provide(
    request: EnvironmentRequest, target: SmokeTarget, python: Path, store: Path | None, folder: Path
) -> Path:
    """Return the interpreter of an environment with what is tried in it.

    It is kept in `store`, or made anew in `folder` without one; without a wheel or a requirement it
    is `python`'s own environment as it is.

    Raises:
        process.ProgramFailed: as `make` does.
    """
    if not request.subject:
        return python
    if store is not None:
        return keep(request, target, python, store)
    return make(request, target, python, folder / "env")


def commands(
    request: EnvironmentRequest, target: SmokeTarget, python: Path, folder: Path, pins: Path
) -> list[list[str]]:
    """Return the command lines that make an environment.

    The wheel's and the plugin's paths are made absolute: uv takes `a.whl` for a project's name.
    """
    subject = str(request.wheel.absolute()) if request.wheel else request.requirement
    what = [
        *_source(request),
        *("--constraints", str(pins)),
        *(["--constraints", str(request.constraints)] if request.constraints else []),
        subject,
        *([str(request.plugin.absolute())] if request.plugin else []),
    ]
    return commands_for(what, target, str(python), folder, dependency_groups.uv())


def commands_for(
    what: Sequence[str], target: SmokeTarget, python: str, folder: Path, uv: str
) -> list[list[str]]:
    """Return the command lines that make an environment and install something in it.

    Args:
        what: what is installed, as uv takes it.
        target: the processor that it is for.
        python: the Python to make it of.
        folder: where it will be.
        uv: the program.
    """
    flags = ["--no-config", "--quiet", "--no-python-downloads"]
    return [
        [uv, "venv", *flags, "--python", python, str(folder)],
        [
            *(uv, "pip", "install", *flags, "--python", str(folder / "bin" / "python")),
            # Importing TensorFlow takes three times as long where each process compiles it anew.
            "--compile-bytecode",
            *_platform(target),
            *what,
        ],
    ]


def variables() -> dict[str, str | None]:
    """Return the changes to the environment that those programs get."""
    # --python-platform names no version; uv takes macOS 13.0 unless this says another.
    version = ".".join(platform.mac_ver()[0].split(".")[:2])
    macos = {"MACOSX_DEPLOYMENT_TARGET": version} if version else {}
    return {**_ENVIRONMENT, **macos}


def _platform(target: SmokeTarget) -> list[str]:
    """Return which processor's wheels are taken, where a Python runs as either (`arch -x86_64`)."""
    return ["--python-platform", _PLATFORMS[target.name]] if target.prefix else []


def _source(request: EnvironmentRequest) -> list[str]:
    if request.wheelhouse is None:
        return []
    return ["--no-index", "--find-links", str(request.wheelhouse.absolute())]


def pins_of(release: Version | None) -> Sequence[str]:
    """Return the constraints that a release of TensorFlow needs; none for one that is not known."""
    if release is None:
        return ()
    for entry in yaml.safe_load(_PINS.read_text(encoding="utf-8")):
        if SpecifierSet(entry["releases"], prereleases=True).contains(release):
            return list(map(str, entry["constraints"]))
    return ()


def _key(request: EnvironmentRequest, target: SmokeTarget, python: Path) -> str:
    """Return a name that says what an environment is made of."""
    named = (request.wheel, request.plugin, request.constraints)
    wheels = sorted(request.wheelhouse.glob("*.whl")) if request.wheelhouse else []
    # Of an environment's Python it is the one below that counts.
    own = process.run([python, "-I", "-c", "import sys; print(sys.version, sys.base_prefix)"])
    content = {
        "files": [files.sha256(path) if path else "" for path in named],
        "requirement": request.requirement,
        # Not their content, which may be gigabytes; a wheel that was built anew keeps its name.
        "wheelhouse": [(path.name, path.stat().st_mtime_ns) for path in wheels],
        "pins": list(pins_of(request.release)),
        "python": own.stdout.decode(),
        "target": [target.name, *target.prefix],
    }
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

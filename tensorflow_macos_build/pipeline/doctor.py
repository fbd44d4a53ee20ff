"""What this machine lacks for a build: tools, disk, memory, and on a Mac what Apple provides."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.pipeline import mac, tools, versions
from tensorflow_macos_build.pipeline.tools import TOOLS, Tool

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.tools import Candidate

_EMBEDDED = "embedded:"

_GIGA = 10**9


class Availability(Enum):
    """Whether this machine has what was looked for."""

    FOUND = "found"
    MISSING = "missing"
    TOO_LITTLE = "too little"
    TOO_OLD = "too old"
    NOT_ON_THIS_HOST = "not on this host"


@dataclass(frozen=True)
class HostFinding:
    """The answer to one question about this machine.

    Attributes:
        what: the tool or resource.
        availability: whether it is here.
        needed: whether the build cannot be done without it.
        value: its version, path or amount; empty when there is none.
        remedy: what to type or do when it is not as it should be; empty when nothing helps.
    """

    what: str
    availability: Availability
    needed: bool
    value: str = ""
    remedy: str = ""

    @property
    def stops_the_build(self) -> bool:
        """Whether the build cannot be done because of this."""
        return self.needed and self.availability is not Availability.FOUND


def examine(release: Release, folder: Path) -> tuple[HostFinding, ...]:
    """Return what this machine has of everything that a build of `release` in `folder` needs."""
    return (
        _tool(TOOLS["git"], needed=True),
        _tool(TOOLS["bazel"], needed=True),
        _python(release),
        *_limits(release, folder),
        *(_apple(release) if sys.platform == "darwin" else _no_apple(release)),
    )


def _python(release: Release) -> HostFinding:
    """Look for the Python that the wheel is built for."""
    if release.python == "host":
        version = platform.python_version()
        return HostFinding("python", Availability.FOUND, needed=True, value=version)
    name = f"python{release.python}"
    brewed = f"python@{release.python}"
    # Debian's -dev package brings the interpreter and the headers that extension modules need.
    return _tool(Tool(name, (name,), debian=f"{name}-dev", homebrew=brewed), needed=True)


def _tool(tool: Tool, *, needed: bool) -> HostFinding:
    programs = list(tools.candidates(tool))
    best = next((program for program in programs if program.will_do), None)
    if best is not None:
        return HostFinding(tool.name, Availability.FOUND, needed=needed, value=_described(best))
    remedy = tools.line_for([tool])
    if not programs:
        return HostFinding(tool.name, Availability.MISSING, needed=needed, remedy=remedy)
    value = f"{_described(programs[0])}, needed {versions.shown(tool.oldest)}"
    return HostFinding(tool.name, Availability.TOO_OLD, needed=needed, value=value, remedy=remedy)


def _described(program: Candidate) -> str:
    """Return a program's version, or what else is known of it."""
    if versions.is_bazelisk(program.path):
        return "bazelisk"
    return versions.shown(versions.version_of(program.path)) or str(program.path)


def _limits(release: Release, folder: Path) -> tuple[HostFinding, HostFinding]:
    free = shutil.disk_usage(folder).free  # what a user may take, without root's reserve
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # Linux and macOS have both
    return (
        _amount("free disk", free, release.limits.disk_gb, f"free some space where {folder} is"),
        _amount("memory", memory, release.limits.memory_gb, "build on a larger machine"),
    )


def _amount(what: str, present: int, needed_gb: float, remedy: str) -> HostFinding:
    enough = present >= needed_gb * _GIGA
    return HostFinding(
        what,
        Availability.FOUND if enough else Availability.TOO_LITTLE,
        needed=True,
        value=f"{present / _GIGA:.1f} GB of {needed_gb:g} GB",
        remedy="" if enough else remedy,
    )


def _apple(release: Release) -> tuple[HostFinding, ...]:
    """Return what a Mac has; zig compiles the miniature without Xcode, TensorFlow needs it."""
    needed = release.upstream.url != _EMBEDDED
    gpus = ", ".join(mac.gpus()) or None
    install = "install Xcode, then type: sudo xcode-select --switch /Applications/Xcode.app"
    findings = [
        _answer("macOS", mac.macos_version(), needed=False),
        _answer("Xcode", mac.xcode_version(), needed=needed, remedy=install),
        _answer("macOS SDK", mac.sdk_version(), needed=needed, remedy=install),
        _answer("GPU with Metal", gpus, needed=False, remedy="smoke tests will not reach a GPU"),
    ]
    if platform.machine() == "arm64":
        rosetta = "yes" if mac.runs_intel_programs() else None
        remedy = "softwareupdate --install-rosetta --agree-to-license"
        findings.append(_answer("Rosetta", rosetta, needed=False, remedy=remedy))
    return tuple(findings)


def _answer(what: str, value: str | None, *, needed: bool, remedy: str = "") -> HostFinding:
    if value is None:
        return HostFinding(what, Availability.MISSING, needed=needed, remedy=remedy)
    return HostFinding(what, Availability.FOUND, needed=needed, value=value)


def _no_apple(release: Release) -> tuple[HostFinding, ...]:
    needed = release.upstream.url != _EMBEDDED
    remedy = "build this release on a Mac" if needed else ""
    absent = Availability.NOT_ON_THIS_HOST
    return (
        HostFinding("Xcode", absent, needed=needed, remedy=remedy),
        HostFinding("macOS SDK", absent, needed=needed, remedy=remedy),
        HostFinding("GPU with Metal", absent, needed=False),
        HostFinding("Rosetta", absent, needed=False),
    )

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


class Verdict(Enum):
    """What became of one question."""

    FOUND = "found"
    MISSING = "missing"
    TOO_LITTLE = "too little"
    TOO_OLD = "too old"
    NOT_ON_THIS_HOST = "not on this host"


@dataclass(frozen=True)
class Finding:
    """The answer to one question about this machine.

    Attributes:
        what: the tool or resource.
        verdict: what became of it.
        needed: whether the build cannot be done without it.
        found: its version, path or amount; empty when there is none.
        remedy: what to type or do when it is not as it should be; empty when nothing helps.
    """

    what: str
    verdict: Verdict
    needed: bool
    found: str = ""
    remedy: str = ""

    @property
    def stops_the_build(self) -> bool:
        """Whether the build cannot be done because of this."""
        return self.needed and self.verdict is not Verdict.FOUND


def examine(release: Release, folder: Path) -> tuple[Finding, ...]:
    """Ask this machine for everything that a build of `release` in `folder` needs."""
    return (
        _tool(TOOLS["git"], needed=True),
        _tool(TOOLS["bazel"], needed=True),
        _python(release),
        *_limits(release, folder),
        *(_apple(release) if sys.platform == "darwin" else _no_apple(release)),
    )


def _python(release: Release) -> Finding:
    """Ask for the Python that the wheel is built for."""
    if release.python == "host":
        return Finding("python", Verdict.FOUND, needed=True, found=platform.python_version())
    name = f"python{release.python}"
    brewed = f"python@{release.python}"
    return _tool(Tool(name, (name,), debian=f"{name}-dev", homebrew=brewed), needed=True)


def _tool(tool: Tool, *, needed: bool) -> Finding:
    programs = list(tools.candidates(tool))
    best = next((program for program in programs if program.will_do), None)
    if best is not None:
        found = _described(best)
        return Finding(tool.name, Verdict.FOUND, needed=needed, found=found)
    remedy = tools.line_for([tool])
    if not programs:
        return Finding(tool.name, Verdict.MISSING, needed=needed, remedy=remedy)
    found = f"{_described(programs[0])}, needed {versions.shown(tool.oldest)}"
    return Finding(tool.name, Verdict.TOO_OLD, needed=needed, found=found, remedy=remedy)


def _described(program: Candidate) -> str:
    """Return a program's version, or what else is known of it."""
    if versions.is_bazelisk(program.path):
        return "bazelisk"
    return versions.shown(versions.version_of(program.path)) or str(program.path)


def _limits(release: Release, folder: Path) -> tuple[Finding, Finding]:
    free = shutil.disk_usage(folder).free
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return (
        _amount("free disk", free, release.limits.disk_gb, f"free some space where {folder} is"),
        _amount("memory", memory, release.limits.memory_gb, "build on a larger machine"),
    )


def _amount(what: str, there: int, wanted_gb: float, remedy: str) -> Finding:
    enough = there >= wanted_gb * _GIGA
    return Finding(
        what,
        Verdict.FOUND if enough else Verdict.TOO_LITTLE,
        needed=True,
        found=f"{there / _GIGA:.1f} GB of {wanted_gb:g} GB",
        remedy="" if enough else remedy,
    )


def _apple(release: Release) -> tuple[Finding, ...]:
    """Ask a Mac. The miniature is compiled by zig and needs no Xcode; TensorFlow does."""
    needed = release.upstream.url != _EMBEDDED
    gpus = ", ".join(mac.gpus()) or None
    install = "install Xcode, then type: sudo xcode-select --switch /Applications/Xcode.app"
    found = [
        _answer("macOS", mac.macos_version(), needed=False),
        _answer("Xcode", mac.xcode_version(), needed=needed, remedy=install),
        _answer("macOS SDK", mac.sdk_version(), needed=needed, remedy=install),
        _answer("GPU with Metal", gpus, needed=False, remedy="smoke tests will not reach a GPU"),
    ]
    if platform.machine() == "arm64":
        rosetta = "yes" if mac.runs_intel_programs() else None
        remedy = "softwareupdate --install-rosetta --agree-to-license"
        found.append(_answer("Rosetta", rosetta, needed=False, remedy=remedy))
    return tuple(found)


def _answer(what: str, found: str | None, *, needed: bool, remedy: str = "") -> Finding:
    if found is None:
        return Finding(what, Verdict.MISSING, needed=needed, remedy=remedy)
    return Finding(what, Verdict.FOUND, needed=needed, found=found)


def _no_apple(release: Release) -> tuple[Finding, ...]:
    needed = release.upstream.url != _EMBEDDED
    remedy = "build this release on a Mac" if needed else ""
    absent = Verdict.NOT_ON_THIS_HOST
    return (
        Finding("Xcode", absent, needed=needed, remedy=remedy),
        Finding("macOS SDK", absent, needed=needed, remedy=remedy),
        Finding("GPU with Metal", absent, needed=False),
        Finding("Rosetta", absent, needed=False),
    )

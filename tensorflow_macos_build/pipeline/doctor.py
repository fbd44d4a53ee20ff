"""What this machine lacks for a build: tools, disk, memory, and on a Mac what Apple provides.

What else can be told beforehand, of queue, upstream and known faults, is in preflight.py.
"""

from __future__ import annotations

import functools
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build import dependency_groups
from tensorflow_macos_build.pipeline import cross, mac, miniature, tools, versions
from tensorflow_macos_build.pipeline.tools import TOOLS, Tool
from tensorflow_macos_build.wheels.inflate import engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.tools import Candidate
    from tensorflow_macos_build.pipeline.workspace import Workspace

_GIGA = 10**9  # as `limits` has them (config/model.py)


class Availability(Enum):
    """Whether what was looked for is there, as it should be."""

    FOUND = "found"
    MISSING = "missing"
    TOO_LITTLE = "too little"
    TOO_OLD = "too old"
    NOT_ON_THIS_HOST = "not on this host"
    DOES_NOT_FIT = "does not fit"
    NOT_LOOKED_AT = "not looked at"


@dataclass(frozen=True)
class HostFinding:
    """The answer to one question that is asked before a build.

    Attributes:
        code: its short name, by which it can be ignored.
        what: the tool, the resource, or what else was looked at.
        availability: whether it is here, and as it should be.
        needed: whether the build cannot be done without it.
        value: its version, path or amount, or what is wrong; empty when there is none.
        remedy: what to type or do when it is not as it should be; empty when nothing helps.
        known_from: where a known fault is told: an issue's number, a file and its line.
        ignored: whether the user said to go on in spite of it.
    """

    code: str
    what: str
    availability: Availability
    needed: bool
    value: str = ""
    remedy: str = ""
    known_from: str = ""
    ignored: bool = False

    @property
    def is_as_needed(self) -> bool:
        """Whether nothing speaks against a build here."""
        if not self.needed or self.ignored:
            return True
        # What cannot be looked at yet (upstream's files before the first fetch) may well be right.
        return self.availability in (Availability.FOUND, Availability.NOT_LOOKED_AT)

    @property
    def stops_the_build(self) -> bool:
        """Whether the build cannot be done because of this."""
        return not self.is_as_needed

    @property
    def verdict(self) -> str:
        """The availability, and whether that is ignored."""
        return self.availability.value + (", ignored" if self.ignored else "")

    @property
    def advice(self) -> str:
        """What to do about it, and where it is known from; "" where all is as it should be."""
        if self.availability is Availability.FOUND:
            return ""
        known_from = f"({self.known_from})" if self.known_from else ""
        return " ".join(filter(None, [self.remedy, known_from]))

    @property
    def sentence(self) -> str:
        """All of it on one line."""
        return "; ".join(
            filter(None, [f"{self.code} {self.verdict}: {self.what}", self.value, self.advice])
        )


def examine(workspace: Workspace, more_gb: float = 0.0) -> tuple[HostFinding, ...]:
    """Return what this machine has of everything that a build of a release needs.

    `more_gb` is disk space that is needed beside that of `limits`, in units of 10^9 bytes.
    """
    release, folder = workspace.release, workspace.root
    is_real = not miniature.is_source_of(workspace)
    return (
        tool(TOOLS["git"]),
        tool(TOOLS["bazel"]),
        python(release),
        _host(release, is_real=is_real),
        *_supplied(release, folder),
        *_limits(release, folder, more_gb),
        inflating(),
        *_apple(is_real=is_real),
    )


def inflating() -> HostFinding:
    """Return whether wheels are read by the faster zlib; without it all is the same but slower."""
    finding = functools.partial(HostFinding, engine.PACKAGE, "zlib-ng for Python", needed=False)
    if (faster := engine.faster()) is None:
        line = dependency_groups.install_line(engine.PACKAGE)
        remedy = f"{line}; fuse and verify take longer"
        return finding(availability=Availability.MISSING, remedy=remedy)
    return finding(availability=Availability.FOUND, value=faster.version)


def python(release: Release) -> HostFinding:
    """Look for the Python that the wheel is built for."""
    if release.python == "host":
        version = platform.python_version()
        return HostFinding("python", "python", Availability.FOUND, needed=True, value=version)
    name = f"python{release.python}"
    brewed = f"python@{release.python}"
    # Debian's -dev package brings the interpreter and the headers that extension modules need.
    wanted = Tool(name, (name,), debian=f"{name}-dev", homebrew=brewed)
    return tool(wanted, code="python")


def _host(release: Release, *, is_real: bool) -> HostFinding:
    """Return whether this kind of machine can build the release at all."""
    system = f"{platform.system()} {platform.machine()}"
    finding = functools.partial(HostFinding, "host", "host", needed=True)
    fits = sys.platform != "darwin" if release.cross else sys.platform == "darwin"
    if fits or not is_real:
        return finding(availability=Availability.FOUND, value=system)
    # Upstream cross-compiles to x86_64 Macs with an SDK that it may not hand out, to arm64 not.
    value = f"{system} has no compiler for Macs"
    remedy = "build this release on a Mac"
    if release.cross:
        value = f"this config builds on Linux, and this is {system}"
        remedy = "take the config without `cross`"
    return finding(availability=Availability.DOES_NOT_FIT, value=value, remedy=remedy)


def _supplied(release: Release, folder: Path) -> Iterator[HostFinding]:
    """Look for what the user supplies to build on Linux."""
    if release.cross is None:
        return
    if release.cross.sdk_link:
        sdk = cross.sdk_folder(release, folder)
        remedy = "--set cross.sdk=/path/of/MacOSX.sdk, which comes with Xcode, under its terms"
        is_sdk = sdk is not None and cross.sdk_version(sdk) != ""
        yield _folder("cross-sdk", "macOS SDK", sdk, remedy, fits=is_sdk)
    if cross.uses_toolchain(release):
        toolchain = cross.toolchain_folder(release, folder)
        is_repository = toolchain is not None and cross.is_repository(toolchain)
        remedy = "--set cross.toolchain=/path/of/the/folder; docs/farms.md says what is in it"
        yield _folder("cross-toolchain", "arm64 toolchain", toolchain, remedy, fits=is_repository)


def _folder(code: str, what: str, folder: Path | None, remedy: str, *, fits: bool) -> HostFinding:
    finding = functools.partial(HostFinding, code, what, needed=True)
    if folder is None or not folder.is_dir():
        value = str(folder or "")
        return finding(availability=Availability.MISSING, value=value, remedy=remedy)
    if not fits:
        return finding(availability=Availability.DOES_NOT_FIT, value=str(folder), remedy=remedy)
    return finding(availability=Availability.FOUND, value=str(folder))


def tool(wanted: Tool, *, code: str = "") -> HostFinding:
    """Return whether a tool is here, and new enough."""
    finding = functools.partial(HostFinding, code or wanted.name, wanted.name, needed=True)
    programs = list(tools.candidates(wanted))
    best = next((program for program in programs if program.will_do), None)
    if best is not None:
        return finding(availability=Availability.FOUND, value=_described(best))
    remedy = tools.line_for([wanted])
    if not programs:
        return finding(availability=Availability.MISSING, remedy=remedy)
    # Of several that will not do, the one that the tool's name starts.
    value = f"{_described(programs[0])}, needed {versions.shown(wanted.oldest)}"
    return finding(availability=Availability.TOO_OLD, value=value, remedy=remedy)


def _described(program: Candidate) -> str:
    """Return a program's version, or what else is known of it."""
    if versions.is_bazelisk(program.path):
        return "bazelisk"
    return versions.shown(versions.version_of(program.path)) or str(program.path)


def _limits(release: Release, folder: Path, more_gb: float) -> tuple[HostFinding, HostFinding]:
    free = shutil.disk_usage(folder).free  # what a user may take, without root's reserve
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")  # Linux and macOS have both
    disk_gb = release.limits.disk_gb + more_gb
    memory_gb = release.limits.memory_gb
    return (
        _amount(
            *("disk", "free disk", f"{free / _GIGA:,.1f} GB free, {disk_gb:,.10g} GB needed"),
            remedy=f"free some space where {folder} is",
            enough=free >= disk_gb * _GIGA,
        ),
        _amount(
            *("memory", "memory", f"{memory / _GIGA:,.1f} GB there, {memory_gb:,.10g} GB needed"),
            remedy="build on a larger machine",
            enough=memory >= memory_gb * _GIGA,
        ),
    )


def _amount(code: str, what: str, value: str, *, remedy: str, enough: bool) -> HostFinding:
    availability = Availability.FOUND if enough else Availability.TOO_LITTLE
    shown = "" if enough else remedy
    return HostFinding(code, what, availability, needed=True, value=value, remedy=shown)


def _apple(*, is_real: bool) -> tuple[HostFinding, ...]:
    """Return what Apple provides; zig compiles the miniature without Xcode, TensorFlow needs it."""
    if sys.platform != "darwin":
        absent = _absent(xcode="Xcode", sdk="macOS SDK")
        return (*absent, *device())
    install = "install Xcode, then type: sudo xcode-select --switch /Applications/Xcode.app"
    return (
        _answer("xcode", "Xcode", mac.xcode_version(), needed=is_real, remedy=install),
        _answer("sdk", "macOS SDK", mac.sdk_version(), needed=is_real, remedy=install),
        *device(),
    )


def device() -> tuple[HostFinding, ...]:
    """Return what wheels are tried on: a Mac's system, its GPUs, and whether it runs both kinds."""
    if sys.platform != "darwin":
        return _absent(macos="macOS", gpu="GPU with Metal", rosetta="Rosetta")
    no_gpu = "smoke tests will not reach a GPU"
    gpus = ", ".join(mac.gpus()) or None
    findings = [
        _answer("macos", "macOS", mac.macos_version(), needed=False),
        _answer("gpu", "GPU with Metal", gpus, needed=False, remedy=no_gpu),
    ]
    # An Intel Mac runs Intel programs by itself, and has no Rosetta to install.
    if platform.machine() == "arm64":
        rosetta = "yes" if mac.runs_intel_programs() else None
        # Without the second flag it asks, and waits for an answer (softwareupdate(8)).
        remedy = "softwareupdate --install-rosetta --agree-to-license"
        findings.append(_answer("rosetta", "Rosetta", rosetta, needed=False, remedy=remedy))
    return tuple(findings)


def _absent(**names: str) -> tuple[HostFinding, ...]:
    """Return what elsewhere than on a Mac is not; whether that matters, `_host` says."""
    return tuple(
        HostFinding(code, what, Availability.NOT_ON_THIS_HOST, needed=False)
        for code, what in names.items()
    )


def _answer(
    code: str, what: str, value: str | None, *, needed: bool, remedy: str = ""
) -> HostFinding:
    if value is None:
        return HostFinding(code, what, Availability.MISSING, needed=needed, remedy=remedy)
    return HostFinding(code, what, Availability.FOUND, needed=needed, value=value)

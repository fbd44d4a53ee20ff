"""Where a wheel can be tried on this machine, decided from its tags before anything is started.

A wheel is tried once for each processor that it is for. On Apple silicon an Intel process runs
under Rosetta, started by arch(1); what this machine cannot start is `not run`, with the reason.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError, WorkFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROSETTA = Path("/Library/Apple/usr/libexec/oah/libRosettaRuntime")
"""What `softwareupdate --install-rosetta` brings; macOS itself comes without it."""

_MAC_PROCESSORS = ("arm64", "x86_64")


@dataclass(frozen=True)
class SmokeHost:
    """What of a machine decides which wheels it can run.

    Attributes:
        system: `darwin` or `linux`, as `sys.platform`.
        machine: its processor, as `platform.machine()`.
        rosetta: whether Intel programs run too.
        tags: the wheel tags that its Python takes.
        virtual: whether it is a virtual Mac, whose GPU is one of Apple's paravirtual devices.
    """

    system: str
    machine: str
    rosetta: bool
    tags: frozenset[Tag]
    virtual: bool = False

    def __str__(self) -> str:
        """Return its name as people say it."""
        return f"{'macOS' if self.system == 'darwin' else self.system} on {self.machine}"


@dataclass(frozen=True)
class SmokeTarget:
    """One way to try a wheel.

    Attributes:
        name: the processor it is tried as, such as `arm64`.
        prefix: what is put before the command line of every program of it.
        skip_reason: why it cannot be tried here; empty when it can.
    """

    name: str
    prefix: tuple[str, ...] = ()
    skip_reason: str = ""


def this_host(python: Path) -> SmokeHost:
    """Return the machine that this runs on, and the tags that the interpreter `python` takes there.

    Raises:
        process.ProgramFailed: it is no Python.
    """
    if python == Path(sys.executable):
        tags = frozenset(sys_tags())
    else:
        # It may lack `packaging`; its version and this machine decide the tags as well.
        printed = process.run([python, "-I", "-c", "import sys; print(*sys.version_info[:2])"])
        version = tuple(int(part) for part in printed.stdout.split())
        tags = frozenset(
            [*cpython_tags(version), *compatible_tags(version, f"cp{version[0]}{version[1]}")]
        )
    rosetta = _ROSETTA.exists()
    return SmokeHost(sys.platform, platform.machine(), rosetta, tags, _is_virtual_mac())


VIRTUAL_MAC = ("sysctl", "-n", "kern.hv_vmm_present")
"""The command that prints 1 in the guest of a hypervisor, as hosted runners are."""


def _is_virtual_mac() -> bool:
    if sys.platform != "darwin":
        return False
    return process.run(VIRTUAL_MAC, expected=()).stdout.strip() == b"1"


def obstacle(target: SmokeTarget, python: Path) -> str:
    """Return why a wheel cannot be tried on a target with an interpreter; "" where it can."""
    if target.skip_reason or not target.prefix:
        return target.skip_reason
    # arch(1) needs the interpreter's slice for that processor.
    argv: list[str | Path] = [*target.prefix, python, "-I", "-c", ""]
    can_start = process.run(argv, expected=()).status == 0
    return "" if can_start else f"{python} cannot be started as {target.name}"


def first_without_obstacle(ways: Sequence[SmokeTarget], python: Path, name: str) -> SmokeTarget:
    """Return the first target on which a wheel of that name can be tried.

    Raises:
        WorkFailed: there is none.
    """
    obstacles = []
    for way in ways:
        if not (why := obstacle(way, python)):
            return way
        obstacles.append(why)
    raise WorkFailed(f"{name} cannot be tried here: {'; '.join(dict.fromkeys(obstacles))}")


def targets(wheel_name: str, host: SmokeHost) -> tuple[SmokeTarget, ...]:
    """Return the ways to try a wheel, by its file name, on `host`.

    Raises:
        UsageError: it is not the name of a wheel.
    """
    try:
        *_, tags = parse_wheel_filename(wheel_name)
    except InvalidWheelFilename as error:
        raise UsageError(f"not the name of a wheel: {error}", where=wheel_name) from None
    platforms = sorted({tag.platform for tag in tags})
    processors = [name for name in _MAC_PROCESSORS if _is_for(name, platforms)]
    if not processors:
        elsewhere = f"it is for {', '.join(platforms)}; this is {host}"
        return (SmokeTarget(host.machine, skip_reason="" if tags & host.tags else elsewhere),)
    if host.system != "darwin":
        skip_reason = f"it is for macOS; this is {host}"
        return tuple(SmokeTarget(name, skip_reason=skip_reason) for name in processors)
    return tuple(_on_mac(name, host) for name in processors)


def _is_for(processor: str, platforms: list[str]) -> bool:
    mac = [name for name in platforms if name.startswith("macosx_")]
    return any(name.endswith((f"_{processor}", "_universal2")) for name in mac)


def _on_mac(processor: str, host: SmokeHost) -> SmokeTarget:
    skip_reason = ""
    if processor == "arm64" and host.machine != "arm64":
        skip_reason = "this Mac has an Intel processor"
    if processor == "x86_64" and host.machine == "arm64" and not host.rosetta:
        skip_reason = "Rosetta is not installed (softwareupdate --install-rosetta)"
    # Of a universal interpreter macOS starts the slice of the parent's kind unless arch(1) says.
    return SmokeTarget(processor, ("arch", f"-{processor}"), skip_reason)

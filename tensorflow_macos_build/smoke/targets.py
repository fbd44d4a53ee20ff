"""Where a wheel can be tried on this machine, decided from its tags before anything is started.

A wheel is tried once for each processor that it is for. On Apple silicon an Intel process runs
under Rosetta, started by arch(1); what this machine cannot start is `not run`, with the reason.
"""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.tags import Tag, compatible_tags, cpython_tags, sys_tags
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import UsageError

_ROSETTA = Path("/Library/Apple/usr/libexec/oah/libRosettaRuntime")

_MAC_PROCESSORS = ("arm64", "x86_64")


@dataclass(frozen=True)
class SmokeHost:
    """What of a machine decides which wheels it can run.

    Attributes:
        system: `darwin` or `linux`, as `sys.platform`.
        machine: its processor, as `platform.machine()`.
        rosetta: whether Intel programs run too.
        tags: the wheel tags that its Python takes.
    """

    system: str
    machine: str
    rosetta: bool
    tags: frozenset[Tag]

    def __str__(self) -> str:
        """Name it as people do."""
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
    """Describe the machine that this runs on, and what the interpreter `python` takes there.

    Raises:
        process.ProgramFailed: it is no Python.
    """
    if python == Path(sys.executable):
        tags = frozenset(sys_tags())
    else:
        asked = process.run([python, "-I", "-c", "import sys; print(*sys.version_info[:2])"])
        version = tuple(int(part) for part in asked.stdout.split())
        tags = frozenset(
            [*cpython_tags(version), *compatible_tags(version, f"cp{version[0]}{version[1]}")]
        )
    return SmokeHost(sys.platform, platform.machine(), _ROSETTA.exists(), tags)


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
        skip_reason = (
            "" if tags & host.tags else f"it is for {', '.join(platforms)}; this is {host}"
        )
        return (SmokeTarget(host.machine, skip_reason=skip_reason),)
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
    return SmokeTarget(processor, ("arch", f"-{processor}"), skip_reason)

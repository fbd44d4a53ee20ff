"""Wheels' file names, and the platform tags that tell the truth about a fused wheel.

An installer asks for the tags of the machine it runs on: pip on an Intel Mac never asks for a tag
of arm64. So a wheel whose halves need different systems carries a tag for each of them, and each
half keeps its own minimum.

Source: PyPA's platform compatibility tags; packaging.tags.mac_platforms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

ARCHES = ("arm64", "x86_64")
"""The architectures of a universal2 wheel, as Apple's tools name them."""

Os = tuple[int, int]
"""A version of macOS: major, minor."""

FIRST_ARM64: Os = (11, 0)
"""No older macOS runs on Apple silicon."""

_PLATFORM = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")
_BUILD = re.compile(r"\d[A-Za-z0-9_.]*")
_COMPONENT = re.compile(r"[\w.+!]+", re.ASCII)


class BadName(ValueError):
    """A file name is not a wheel's, or not one that this tool joins; the message says why."""


@dataclass(frozen=True, slots=True)
class WheelName:
    """A wheel's file name in its parts, spelled as they are.

    Attributes:
        distribution: such as "tensorflow".
        version: such as "2.16.2".
        build: the build tag; None when there is none.
        pythons: Python tags in order: ("cp311",), or ("py2", "py3").
        abis: ABI tags in order.
        platforms: platform tags in order.
    """

    distribution: str
    version: str
    build: str | None
    pythons: tuple[str, ...]
    abis: tuple[str, ...]
    platforms: tuple[str, ...]

    @property
    def project(self) -> str:
        """The project's normalised name, by which distributions are compared."""
        return canonical(self.distribution)

    @property
    def stem(self) -> str:
        """What the wheel's dist-info and data folders begin with."""
        return f"{self.distribution}-{self.version}"

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags that the name stands for: one a line in WHEEL, platforms' order kept."""
        return tuple(
            f"{python}-{abi}-{platform}"
            for platform in self.platforms
            for python in sorted(self.pythons)
            for abi in sorted(self.abis)
        )

    def __str__(self) -> str:
        """Give the file name."""
        tags = (".".join(part) for part in (self.pythons, self.abis, self.platforms))
        build = [self.build] if self.build else []
        return "-".join([self.distribution, self.version, *build, *tags]) + ".whl"


def parse_name(name: str) -> WheelName:
    """Read a wheel's file name.

    Raises:
        BadName: it is not a wheel's name.
    """
    parts = name.removesuffix(".whl").split("-")
    if not name.endswith(".whl") or len(parts) not in (5, 6):
        raise BadName(f"`{name}` is not a wheel's name: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM")
    build = parts[2] if len(parts) == 6 else None
    if build is not None:
        check_build(build)
    if not all(_COMPONENT.fullmatch(part) for part in parts):
        raise BadName(f"`{name}` has an empty part, or characters that wheels' names do not hold")
    try:
        Version(parts[1].replace("_", "-"))
    except ValueError:  # InvalidVersion, or a number of more digits than int() takes
        raise BadName(f"`{parts[1]}` in `{name}` is not a version") from None
    pythons, abis, platforms = (tuple(part.split(".")) for part in parts[-3:])
    return WheelName(parts[0], parts[1], build, pythons, abis, platforms)


def canonical(project: str) -> str:
    """Give a project's normalised name."""
    return str(canonicalize_name(project))


def check_build(build: str) -> str:
    """Give a build tag back if it is one: a digit, then letters, digits, dots, underscores.

    Raises:
        BadName: it is not.
    """
    if not _BUILD.fullmatch(build):
        raise BadName(f"`{build}` is not a build tag: it must begin with a digit, such as 1")
    return build


def lowest(platforms: Iterable[str]) -> dict[str, Os]:
    """Give the lowest macOS by architecture that a wheel's platform tags promise.

    Raises:
        BadName: a tag is not of macOS, or of a bundle of architectures other than universal2.
    """
    found: dict[str, Os] = {}
    for platform in platforms:
        match = _PLATFORM.fullmatch(platform)
        if match is None:
            raise BadName(f"the platform `{platform}` is not macOS")
        arch, version = match[3], (int(match[1]), int(match[2]))
        if arch not in (*ARCHES, "universal2"):
            raise BadName(f"the architecture `{arch}` is neither arm64 nor x86_64")
        for one in ARCHES if arch == "universal2" else (arch,):
            true = max(version, FIRST_ARM64) if one == "arm64" else version
            found[one] = min(found.get(one, true), true)
    return found


def platform_tags(needs: dict[str, Os], *, universal2: bool = False) -> tuple[str, ...]:
    """Name what a wheel runs on.

    Args:
        needs: the macOS that each architecture of the wheel needs.
        universal2: whether to add a `universal2` tag of the later of the two. It makes
            `pip --platform macosx_N_0_universal2` find the wheel, and makes newer Intel Macs
            prefer it to a thin wheel in the same index.

    Returns:
        One tag if it is true of both architectures, otherwise one for each, sorted; a `universal2`
        tag comes last, because some old readers of WHEEL believe only the last.
    """
    needs = {arch: rounded(version) for arch, version in needs.items()}
    if len(needs) == 1:
        return tuple(_platform(version, arch) for arch, version in needs.items())
    intel, arm = needs["x86_64"], max(needs["arm64"], FIRST_ARM64)
    if intel == arm or (arm == FIRST_ARM64 and intel < FIRST_ARM64):
        return (_platform(intel, "universal2"),)
    tags = sorted((_platform(intel, "x86_64"), _platform(arm, "arm64")))
    return (*tags, _platform(max(intel, arm), "universal2")) if universal2 else tuple(tags)


def rounded(version: Os) -> Os:
    """Give the version that a tag can carry: from macOS 11 on, none of a minor version matches."""
    major, minor = version
    return (major, 0) if major >= 11 else (major, minor)


def _platform(version: Os, arch: str) -> str:
    return f"macosx_{version[0]}_{version[1]}_{arch}"

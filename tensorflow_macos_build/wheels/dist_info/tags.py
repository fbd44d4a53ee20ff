"""Wheels' file names, and the platform tags that tell the truth about a fused wheel.

An installer asks for the tags of the machine it runs on: pip on an Intel Mac never asks for a tag
of arm64. So a wheel whose halves need different systems carries a tag for each of them, and each
half keeps its own minimum.

Source: PyPA's platform compatibility tags; packaging.tags.mac_platforms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

from packaging.tags import mac_platforms
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.tags import Tag

ARCHES = ("arm64", "x86_64")
"""The architectures of a universal2 wheel, as Apple's tools name them."""

MacosVersion = tuple[int, int]
"""A version of macOS: major, minor."""

FIRST_ARM64: MacosVersion = (11, 0)
"""No older macOS runs on Apple silicon."""

NEWEST: MacosVersion = (50, 0)
"""No macOS so far as this is thought of: `macosx_110_0` is a slip for `macosx_11_0`."""

# Tags of older processors are sound, and no Mac of today asks for them: what packaging asks for on
# the last macOS that ran each of them is added, so that `is_asked_for` is not wrong about those.
_LAST_32_BIT: MacosVersion = (10, 14)
_LAST_POWERPC: MacosVersion = (10, 5)

_FORMATS = {
    "x86_64": ("x86_64",),
    "arm64": ("arm64",),
    "universal2": ("x86_64", "arm64"),
    "i386": ("i386",),
    "intel": ("i386", "x86_64"),
}
"""The architectures of a platform tag, but for those of processors before Intel's: fat, universal
and others with PowerPC in them (packaging.tags, `_mac_binary_formats`)."""

# Bounded: int() refuses more than 4,300 digits (CVE-2020-10735).
_PLATFORM = re.compile(r"macosx_(\d{1,4})_(\d{1,4})_(\w+)")
_BUILD = re.compile(r"\d[A-Za-z0-9_.]*")
_COMPONENT = re.compile(r"[\w.+!]+", re.ASCII)
"""A part of a name: `.` joins tags, `+` begins a local version and `!` ends an epoch (PEP 440)."""


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
    def parsed_version(self) -> Version:
        """The version as a value, by which versions are compared."""
        return Version(self.version)

    @property
    def expanded(self) -> frozenset[Tag]:
        """The tags that the name stands for, as installers compare them."""
        return parse_wheel_filename(str(self))[3]

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
        """Return the file name."""
        tags = (".".join(part) for part in (self.pythons, self.abis, self.platforms))
        build = [self.build] if self.build else []
        return "-".join([self.distribution, self.version, *build, *tags]) + ".whl"


def parse_name(name: str) -> WheelName:
    """Read a wheel's file name.

    Raises:
        BadName: it is not a wheel's name, as packaging judges it.
    """
    # NAME and VERSION have `_` for a hyphen of their own, so hyphens split without doubt.
    parts = name.removesuffix(".whl").split("-")
    if not name.endswith(".whl") or len(parts) not in (5, 6):
        raise BadName(f"`{name}` is not a wheel's name: NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM")
    build = parts[2] if len(parts) == 6 else None
    if build is not None:
        check_build(build)
    if not all(_COMPONENT.fullmatch(part) for part in parts):
        raise BadName(f"`{name}` has an empty part, or characters that wheels' names do not hold")
    if parse_version(parts[1]) is None:
        raise BadName(f"`{parts[1]}` in `{name}` is not a version")
    try:
        parse_wheel_filename(name)
        # It takes `a_` for a name, which pip then cannot ask for: `a-==1.0` is no requirement.
        canonicalize_name(parts[0], validate=True)
    except ValueError:  # InvalidWheelFilename, InvalidName, or such a number again
        raise BadName(f"`{name}` has a name, build tag or tag that installers refuse") from None
    pythons, abis, platforms = (tuple(part.split(".")) for part in parts[-3:])
    return WheelName(parts[0], parts[1], build, pythons, abis, platforms)


def named_after(stated: Iterable[Tag], name: WheelName) -> WheelName:
    """Return the name with the tags that WHEEL states instead of its own.

    Raises:
        BadName: no name says what they say together.
    """
    tags = frozenset(stated)
    parts = [(tag.interpreter, tag.abi, tag.platform) for tag in tags]
    pythons, abis, platforms = (tuple(sorted(set(values))) for values in zip(*parts, strict=True))
    # A name's dots mean every combination (PEP 425, "Compressed Tag Sets"), WHEEL may have some.
    if len(tags) != len(pythons) * len(abis) * len(platforms):
        raise BadName("no file name says what WHEEL's tags say together")
    # A universal2 tag comes last, as `platform_tags` has it.
    platforms = tuple(sorted(platforms, key=lambda tag: (tag.endswith("_universal2"), tag)))
    named = replace(name, pythons=pythons, abis=abis, platforms=platforms)
    return parse_name(str(named))


def canonical(project: str) -> str:
    """Return a project's normalised name."""
    return str(canonicalize_name(project))


def parse_version(text: str) -> Version | None:
    """Return a version as a value; None if it is none."""
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than int() takes
        return None


def check_build(build: str) -> str:
    """Return a build tag back if it is one: a digit, then letters, digits, dots, underscores.

    Raises:
        BadName: it is not.
    """
    if not _BUILD.fullmatch(build):
        raise BadName(f"`{build}` is not a build tag: it must begin with a digit, such as 1")
    return build


def is_of_mac(platform: str) -> bool:
    """Whether a platform tag is, or is meant to be, one of macOS."""
    return platform.lower().startswith("mac")


def is_asked_for(platform: str) -> bool:
    """Whether an installer on some Mac asks for this platform tag."""
    return platform.lower() in _asked_for()


def nearest(platform: str) -> str | None:
    """Return the tag that says what this one means and is asked for; None if there is none."""
    match = _match(platform)
    if match is None:
        return None
    version = rounded((int(match[1]), int(match[2])))
    first = max(version, FIRST_ARM64) if match[3] == "arm64" else version
    return meant if is_asked_for(meant := _platform(first, match[3])) else None


def check_asked_for(platforms: Iterable[str]) -> None:
    """Refuse platform tags that no installer asks for.

    Raises:
        BadName: there is one.
    """
    for platform in platforms:
        if not is_asked_for(platform):
            instead = nearest(platform)
            hint = f"; they ask for `{instead}`" if instead else ""
            raise BadName(f"no installer asks for the platform tag `{platform}`{hint}")


@cache
def _asked_for() -> frozenset[str]:
    """Return what packaging, and so pip, asks for on any Mac."""
    hosts = (
        *((NEWEST, arch) for arch in ARCHES),
        (_LAST_32_BIT, "i386"),
        *((_LAST_POWERPC, arch) for arch in ("ppc", "ppc64")),
    )
    return frozenset(platform for host in hosts for platform in mac_platforms(*host))


def promises(platforms: Iterable[str]) -> dict[str, MacosVersion]:
    """Return, for each promised architecture, the oldest macOS that platform tags promise.

    Tags of other systems, and of processors before Intel's, promise nothing here.
    """
    oldest: dict[str, MacosVersion] = {}
    for platform in platforms:
        if match := _match(platform):
            version = (int(match[1]), int(match[2]))
            for arch in _FORMATS.get(match[3], ()):
                first = max(version, FIRST_ARM64) if arch == "arm64" else version
                oldest[arch] = min(first, oldest.get(arch, first))
    return dict(sorted(oldest.items()))


def lowest(platforms: Iterable[str]) -> dict[str, MacosVersion]:
    """Return the lowest macOS by architecture that a wheel's platform tags promise.

    Raises:
        BadName: a tag is not of macOS, or of a bundle of architectures other than universal2, or
            means a macOS that there is not.
    """
    platforms = tuple(platforms)
    for platform in platforms:
        match = _match(platform)
        if match is None:
            raise BadName(f"the platform `{platform}` is not macOS")
        if match[3] not in (*ARCHES, "universal2"):
            raise BadName(f"the architecture `{match[3]}` is neither arm64 nor x86_64")
        if nearest(platform) is None:
            raise BadName(f"the platform `{platform}` is that of no macOS")
    return promises(platforms)


def platform_tags(needs: dict[str, MacosVersion], *, universal2: bool = False) -> tuple[str, ...]:
    """Return the platform tags that say what a wheel runs on.

    Args:
        needs: the macOS that each architecture of the wheel needs.
        universal2: whether to add a `universal2` tag of the later of the two. It makes
            `pip --platform macosx_N_0_universal2` find the wheel, and makes newer Intel Macs
            prefer it to a thin wheel in the same index.

    Returns:
        One tag if it is true of both architectures, otherwise one for each, sorted; a `universal2`
        tag comes last.

    Raises:
        BadName: an architecture needs a macOS that there is not.
    """
    platforms = _platform_tags(needs, universal2=universal2)
    check_asked_for(platforms)
    return platforms


def _platform_tags(needs: dict[str, MacosVersion], *, universal2: bool) -> tuple[str, ...]:
    needs = {arch: rounded(version) for arch, version in needs.items()}
    if "arm64" in needs:
        needs["arm64"] = max(needs["arm64"], FIRST_ARM64)
    if len(needs) == 1:
        return tuple(_platform(version, arch) for arch, version in needs.items())
    intel, arm = needs["x86_64"], needs["arm64"]
    # macosx_10_15_universal2 is true where arm64 needs 11.0: there is no older macOS on arm64.
    if intel == arm or (arm == FIRST_ARM64 and intel < FIRST_ARM64):
        return (_platform(intel, "universal2"),)
    # A universal2 tag of the earlier macOS would promise too much to one of the two.
    tags = sorted((_platform(intel, "x86_64"), _platform(arm, "arm64")))
    # Last, because some readers of WHEEL believe only the last tag (briefcase before
    # beeware/briefcase#2692).
    return (*tags, _platform(max(intel, arm), "universal2")) if universal2 else tuple(tags)


def rounded(version: MacosVersion) -> MacosVersion:
    """Return the version that a tag can carry."""
    major, minor = version
    # From macOS 11 on, installers ask for minor version 0 alone (packaging.tags, `mac_platforms`):
    # no Mac takes `macosx_12_3_arm64`.
    return (major, 0) if major >= 11 else (major, minor)


def _match(platform: str) -> re.Match[str] | None:
    # Installers compare tags in lower case: `packaging.tags.Tag` makes them so.
    return _PLATFORM.fullmatch(platform.lower())


def _platform(version: MacosVersion, arch: str) -> str:
    return f"macosx_{version[0]}_{version[1]}_{arch}"

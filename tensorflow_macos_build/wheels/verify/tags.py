"""What a wheel's platform tags promise: architectures, and the oldest macOS for each.

Source: packaging's `mac_platforms`, PyPA's platform compatibility tags; "macosx_12_0_arm64".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Version = tuple[int, int]

_MACOS = re.compile(r"macosx_(\d+)_(\d+)_(\w+)")

_FORMATS = {
    "x86_64": ("x86_64",),
    "arm64": ("arm64",),
    "universal2": ("x86_64", "arm64"),
    "i386": ("i386",),
    "intel": ("i386", "x86_64"),
}

_FIRST = {"arm64": (11, 0)}
"""The oldest macOS that an architecture runs: a universal2 tag of 10.9 promises no older arm64."""


def release(version: Version) -> Version:
    """Return the version by its true name: 10.16 is what macOS 11 was called for old programs."""
    return (11, 0) if version == (10, 16) else version


def promises(platforms: Iterable[str]) -> Mapping[str, Version]:
    """Give, for each promised architecture, the oldest macOS version that the tags promise.

    Tags of other systems, and of processors before Intel's, promise nothing here.
    """
    found: dict[str, Version] = {}
    for platform in platforms:
        if match := _MACOS.fullmatch(platform):
            version = release((int(match[1]), int(match[2])))
            for arch in _FORMATS.get(match[3], ()):
                first = max(version, _FIRST.get(arch, version))
                found[arch] = min(first, found.get(arch, first))
    return dict(sorted(found.items()))

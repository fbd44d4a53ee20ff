"""Which Macs a released wheel is for, by the tags in its file's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import tags

if TYPE_CHECKING:
    from tensorflow_macos_build.release.model import ReleaseFile

MACS = {"arm64": "Apple silicon", "x86_64": "Intel"}
"""What people call the Macs of an architecture."""


@dataclass(frozen=True)
class WheelTarget:
    """What a wheel is for: its file, and Pythons and systems in words."""

    file: ReleaseFile
    python: str
    systems: tuple[str, ...]


def target(file: ReleaseFile) -> WheelTarget:
    """Return what a wheel is for, by its tags.

    Raises:
        BadName: the file's name is no wheel's.
    """
    name = tags.parse_name(file.name)
    systems = tuple(
        f"{MACS[arch]}, macOS {'.'.join(map(str, version))} or later"
        for arch, version in tags.promises(name.platforms).items()
        if arch in MACS
    )
    return WheelTarget(file, ", ".join(sorted({tag.interpreter for tag in name.expanded})), systems)

"""The folder that describes a wheel: NAME-VERSION.dist-info.

A hyphen ends the name: pip takes what stands before the first one for the project, so that one of
the project's own must be written as `_`. Source: PyPA's binary distribution format, "Escaping and
Unicode"; pip's metadata backends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import tags

if TYPE_CHECKING:
    from collections.abc import Iterable

    from packaging.version import Version

_ENDING = ".dist-info"


def folders(members: Iterable[str]) -> tuple[str, ...]:
    """Return the wheel's top-level names that end in .dist-info, sorted."""
    # A file of such a name counts: pip takes it for a second folder (`wheel_dist_info_dir`).
    tops = {name.partition("/")[0] for name in members}
    return tuple(sorted(top for top in tops if top.endswith(_ENDING)))


def only(members: Iterable[str]) -> str | None:
    """Return the wheel's dist-info folder; None if it has none, or several."""
    several = folders(members)
    return several[0] if len(several) == 1 else None


def stem(folder: str) -> str:
    """Return what stands before .dist-info, as it is spelled."""
    return folder.removesuffix(_ENDING)


def identity(stem: str) -> tuple[str, Version | None]:
    """Return a project and a version as values, by which spellings of one are equal."""
    project, _, version = stem.partition("-")
    # `_` stands for the hyphen of 1.0-1, which is 1.0.post1 (PEP 440, "Implicit post releases").
    parsed = tags.parse_version(version) or tags.parse_version(version.replace("_", "-"))
    return tags.canonical(project), parsed


def fault(folder: str, name: tags.WheelName) -> str | None:
    """Return why a dist-info folder is not that of the wheel of this file name; None if it is."""
    if stem(folder).count("-") != 1:
        return "it is not NAME-VERSION.dist-info with one hyphen: installers end NAME at the first"
    if identity(stem(folder)) != (name.project, name.parsed_version):
        return f"it is not what the wheel's name says: {name.project} {name.parsed_version}"
    return None

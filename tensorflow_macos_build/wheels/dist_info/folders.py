"""The folders of a wheel that bear its name: NAME-VERSION.dist-info, and NAME-VERSION.data.

A hyphen ends the name: pip takes what stands before the first one for the project, so that one of
the project's own must be written as `_`. Source: PyPA's binary distribution format, "Escaping and
Unicode"; pip's metadata backends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name
from packaging.version import Version

from tensorflow_macos_build.wheels.dist_info import metadata, tags

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDING = ".dist-info"
_DATA = ".data"

SCHEMES = ("purelib", "platlib", "data", "scripts", "headers")
"""What a data folder may hold: each a folder of the environment."""


def folders(members: Iterable[str]) -> tuple[str, ...]:
    """Return the wheel's top-level names that end in .dist-info, sorted.

    A file of such a name counts: pip takes it for a second folder.
    """
    tops = {name.partition("/")[0] for name in members}
    return tuple(sorted(top for top in tops if top.endswith(_ENDING)))


def stem(folder: str) -> str:
    """Return what stands before .dist-info, as it is spelled."""
    return folder.removesuffix(_ENDING)


def identity(stem: str) -> tuple[str, Version | None]:
    """Return a project and a version as values, by which spellings of one are equal."""
    project, _, version = stem.partition("-")
    return tags.canonical(project), _version(version)


def fault(folder: str, name: tags.WheelName) -> str | None:
    """Return why a dist-info folder is not that of the wheel of this file name; None if it is."""
    if stem(folder).count("-") != 1:
        return "it is not NAME-VERSION.dist-info with one hyphen: installers end NAME at the first"
    if identity(stem(folder)) != (name.project, name.parsed_version):
        return f"it is not what the wheel's name says: {name.project} {name.parsed_version}"
    return None


def renamed_data(members: Iterable[str], folder: str) -> tuple[str, ...]:
    """Return data folders that are not spelled like dist-info: pip spreads them, others do not."""
    own = f"{stem(folder)}{_DATA}"
    tops = {name.partition("/")[0] for name in members if "/" in name}
    return tuple(sorted(top for top in tops if top.endswith(_DATA) and top != own))


def outside_schemes(members: Iterable[str]) -> tuple[str, ...]:
    """Return what is in a data folder and in none of its schemes: installers refuse it."""
    paths = set()
    for name in members:
        top, _, rest = name.partition("/")
        scheme, inside, _ = rest.partition("/")
        if top.endswith(_DATA) and rest and (scheme not in SCHEMES or not inside):
            paths.add(f"{top}/{scheme}")
    return tuple(sorted(paths))


def folders_of_scripts(members: Iterable[str]) -> tuple[str, ...]:
    """Return the folders in a data folder's scripts, sorted."""
    parts = (name.split("/") for name in members if "/scripts/" in name)
    nested = (each[:3] for each in parts if len(each) > 3)
    paths = {"/".join(each) for each in nested if each[0].endswith(_DATA) and each[1] == "scripts"}
    return tuple(sorted(paths))


def metadata_faults(content: bytes, name: tags.WheelName) -> list[str]:
    """Return where METADATA contradicts the wheel's file name; uv refuses such a wheel."""
    try:
        fields = metadata.parse_fields(content)
    except metadata.BadMetadata as error:
        return [str(error)]
    project, version = (str(fields.get(field, "")).strip() for field in ("Name", "Version"))
    faults = []
    if canonicalize_name(project) != name.project:
        faults.append(f"Name is `{project}`, the file name says `{name.project}`")
    if _strict_version(version) != name.parsed_version:
        faults.append(f"Version is `{version}`, the file name says `{name.parsed_version}`")
    return faults


def _version(text: str) -> Version | None:
    # `_` stands for the hyphen of 1.0-1, which is 1.0.post1.
    return _strict_version(text) or _strict_version(text.replace("_", "-"))


def _strict_version(text: str) -> Version | None:
    try:
        return Version(text)
    except ValueError:  # InvalidVersion, or a number of more digits than int() takes
        return None

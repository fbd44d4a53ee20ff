"""The folder of a wheel whose files installers spread: NAME-VERSION.data.

It has a folder for each scheme that it uses; what lies there goes to that scheme's folder of the
environment instead of to site-packages. Source: PyPA's binary distribution format, "The .data
directory".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.wheels.dist_info import folders

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDING = ".data"

SCHEMES = ("purelib", "platlib", "data", "scripts", "headers")
"""What a data folder may hold: each a folder of the environment (sysconfig's install schemes)."""


class DataPath(NamedTuple):
    """The path of a member in a data folder, in its parts."""

    folder: str
    scheme: str
    below: str


def split(member: str) -> DataPath | None:
    """Return a member's path in its data folder; None for one that is in none."""
    # Nearly all of a wheel's members are in none, which this comparison alone shows.
    if f"{_ENDING}/" not in member:
        return None
    # Every top-level folder of such a name counts, as for pip (is_data_scheme_path).
    top, _, rest = member.partition("/")
    if not rest or not top.endswith(_ENDING):
        return None
    scheme, _, below = rest.partition("/")
    return DataPath(top, scheme, below)


def data_folders(members: Iterable[str]) -> tuple[str, ...]:
    """Return the wheel's top-level folders that end in .data, sorted."""
    return tuple(sorted({path.folder for path in map(split, members) if path is not None}))


def of_stem(members: Iterable[str], stem: str) -> tuple[str, ...]:
    """Return the data folders that are a wheel's own, however they spell its name and version."""
    own = folders.identity(stem)
    spellings = ((data, data.removesuffix(_ENDING)) for data in data_folders(members))
    return tuple(data for data, spelled in spellings if folders.identity(spelled) == own)


def misspelled(members: Iterable[str], dist_info: str) -> tuple[str, ...]:
    """Return data folders that are not spelled like dist-info: pip spreads them, others do not."""
    own = f"{folders.stem(dist_info)}{_ENDING}"
    return tuple(data for data in data_folders(members) if data != own)


def outside_schemes(members: Iterable[str]) -> tuple[str, ...]:
    """Return what is in a data folder and in none of its schemes: installers refuse it."""
    paths = (path for path in map(split, members) if path is not None)
    # pip ends with `Unknown scheme key` or `Unexpected file` (pip 23, operations/install/wheel.py).
    strays = (path for path in paths if path.scheme not in SCHEMES or not path.below)
    return tuple(sorted({f"{path.folder}/{path.scheme}" for path in strays}))


def folders_of_scripts(members: Iterable[str]) -> tuple[str, ...]:
    """Return the folders in a data folder's scripts, sorted."""
    paths = (path for path in map(split, members) if path is not None)
    nested = (path for path in paths if path.scheme == "scripts" and "/" in path.below)
    return tuple(
        sorted({f"{path.folder}/scripts/{path.below.partition('/')[0]}" for path in nested})
    )

"""Where an installed wheel's files lie, and where install names lead from there.

A member of the wheel's root goes to site-packages; `NAME.data/purelib` and `platlib` too;
`data`, `scripts` and `headers` go to the environment's own folders. Paths here start at the
environment, with site-packages at a fixed place in it, so that `@loader_path/../..` can be
followed from one to the other. Source: PyPA's binary distribution format; dyld(1).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE_PACKAGES = "lib/python/site-packages"
"""Stands for lib/pythonX.Y/site-packages: as deep as the real one."""

_SCHEMES = {
    "purelib": SITE_PACKAGES,
    "platlib": SITE_PACKAGES,
    "data": "",
    "scripts": "bin",
    "headers": "include/site/python/package",
}

_SYSTEM = ("/usr/lib/", "/System/Library/", "/System/iOSSupport/")


def installed(member: str) -> str:
    """Give the place of a member in the environment that the wheel is installed into."""
    top, _, rest = member.partition("/")
    scheme, _, below = rest.partition("/")
    if top.endswith(".data") and scheme in _SCHEMES:
        return posixpath.join(_SCHEMES[scheme], below)
    return posixpath.join(SITE_PACKAGES, member)


def is_system(path: str) -> bool:
    """Tell whether macOS itself has a library, or a folder of them, at this absolute path."""
    return f"{posixpath.normpath(path)}/".startswith(_SYSTEM)


def expanded(path: str, loader: str) -> str | None:
    """Follow a path that may begin with @loader_path from the installed place of its image.

    @executable_path depends on the program, and an absolute path leaves the environment: None.
    """
    head, _, tail = path.partition("/")
    if head == "@loader_path":
        return joined(posixpath.dirname(loader), tail)
    return None


def joined(folder: str, path: str) -> str:
    """Follow a relative path from a folder, `..` included."""
    return posixpath.normpath(posixpath.join(folder, path))


def above(place: str) -> Iterator[str]:
    """Give every folder that a place lies in, nearest first."""
    while "/" in place:
        place = place.rpartition("/")[0]
        yield place


def owner(place: str) -> str | None:
    """Name the top-level package or folder of site-packages that a place is in, if any."""
    inside = posixpath.relpath(place, SITE_PACKAGES)
    top = inside.partition("/")[0]
    return None if top in ("..", ".") else top

"""Where an installed wheel's files lie, and where install names lead from there.

A member of the wheel's root goes to site-packages; `NAME.data/purelib` and `platlib` too;
`data`, `scripts` and `headers` go to the environment's own folders. Paths here start at the
environment, with site-packages at a fixed place in it, so that `@loader_path/../..` can be
followed from one to the other. Source: PyPA's binary distribution format; dyld(1).
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from tensorflow_macos_build.wheels.dist_info import data_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

SITE_PACKAGES = "lib/python/site-packages"
"""Stands for lib/pythonX.Y/site-packages: as deep as the real one."""

_FOLDERS = {
    "purelib": SITE_PACKAGES,
    "platlib": SITE_PACKAGES,
    "data": "",
    "scripts": "bin",
    # Stands for include/site/pythonX.Y/PROJECT, as pip has it in a virtual environment
    # (locations/_sysconfig.py, `get_scheme`).
    "headers": "include/site/python/package",
}
"""Where the files of `data_folders.SCHEMES` go."""

_SYSTEM = ("/usr/lib/", "/System/Library/", "/System/iOSSupport/")
"""Folders whose libraries are macOS's own; since macOS 11 they are in dyld's cache, not on disk."""

_USR_LIB = frozenset(
    f"lib{name}.dylib"
    for name in (
        *("System", "System.B", "c", "m", "dl", "pthread", "util", "info", "poll", "proc"),
        *("c++", "c++.1", "c++abi", "stdc++", "stdc++.6", "gcc_s.1", "objc", "objc.A"),
        *("z", "z.1", "bz2", "bz2.1.0", "lzma", "lzma.5", "compression", "archive", "archive.2"),
        *("iconv", "iconv.2", "charset", "charset.1", "icucore", "icucore.A", "expat", "expat.1"),
        *("xml2", "xml2.2", "xslt", "xslt.1", "exslt", "exslt.0", "tidy", "tidy.A"),
        *("curl", "curl.4", "resolv", "resolv.9", "pcap", "pcap.A", "sasl2", "sasl2.2"),
        *("ncurses", "ncurses.5.4", "form", "form.5.4", "menu", "menu.5.4", "panel", "panel.5.4"),
        *("edit", "edit.3", "readline", "termcap", "sqlite3", "sqlite3.0", "ffi"),
        *("cups", "cups.2", "pam", "pam.2", "bsm", "bsm.0", "sandbox", "sandbox.1", "xar", "xar.1"),
    )
)
"""Libraries of /usr/lib that every macOS since 10.15 has; its SDKs list them in usr/lib."""


def is_of_usr_lib(name: str) -> bool:
    """Whether /usr/lib has a library of this name's last part."""
    return name.rpartition("/")[2] in _USR_LIB


def is_of_system(path: str) -> bool:
    """Whether macOS has just this library, so far as is known here: Swift's, and /usr/lib's own."""
    folder, _, name = posixpath.normpath(path).rpartition("/")
    swift = folder == "/usr/lib/swift" and name.startswith("libswift")
    return swift or (folder == "/usr/lib" and name in _USR_LIB)


def installed(member: str) -> str:
    """Return where a member comes to lie in the environment that the wheel is installed into."""
    path = data_folders.split(member)
    if path is None or path.scheme not in _FOLDERS:
        return f"{SITE_PACKAGES}/{member}"
    return posixpath.join(_FOLDERS[path.scheme], path.below)


def is_system(path: str) -> bool:
    """Whether macOS itself has a library, or a folder of them, at this absolute path."""
    return f"{posixpath.normpath(path)}/".startswith(_SYSTEM)


def expanded(path: str, loader: str) -> str | None:
    """Follow a path that may begin with @loader_path from the installed place of its image.

    @executable_path depends on the program, and an absolute path leaves the environment: None.
    """
    head, _, tail = path.partition("/")
    # Only this one counts from the image itself, wherever the environment is.
    if head == "@loader_path":
        return joined(posixpath.dirname(loader), tail)
    return None


def joined(folder: str, path: str) -> str:
    """Follow a relative path from a folder, `..` included."""
    return posixpath.normpath(posixpath.join(folder, path))


def above(path: str) -> Iterator[str]:
    """Return every folder that an installed file lies in, nearest first."""
    while "/" in path:
        path = path.rpartition("/")[0]
        yield path


def owner(path: str) -> str | None:
    """Return the top-level package or folder of site-packages that a path is in, if any."""
    inside = path.removeprefix(f"{SITE_PACKAGES}/")
    return None if inside == path else inside.partition("/")[0] or None

"""Which member names a wheel may hold.

A name is refused when it could leave the folder that it is unpacked into, when two readers could
understand it differently, or when it could not exist beside the others on the Mac's usual file
system, which takes names that differ only in case or in Unicode normalisation for one.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAX_LENGTH = 4096
"""Longest name taken, in characters: Linux's PATH_MAX; that of macOS is 1,024 bytes."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_DRIVE = re.compile(r"[A-Za-z]:")


def fault(name: str) -> str | None:
    """Return why a member's name is refused, as the end of a sentence; None if it is taken.

    A name of a folder ends with one slash; it is judged like the name before that slash.
    """
    path = name[:-1] if name.endswith("/") else name
    # A wheel may have 500,000 names, nearly all of them sound: these comparisons pass those, in a
    # sixth of the time that one regular expression takes.
    if path and len(name) <= MAX_LENGTH and not _is_suspect(name):
        return None
    faults = {
        "its name is empty": not path,
        "its name is longer than a path may be": len(name) > MAX_LENGTH,
        "its name holds a control character": _CONTROL.search(name) is not None,
        "its name holds a backslash, which some systems read as a separator": "\\" in name,
        "its name is absolute": name.startswith("/") or _DRIVE.match(name) is not None,
        "its name leaves the wheel's folder": ".." in path.split("/"),
        "its name has an empty part or the part `.`": not {"", "."}.isdisjoint(path.split("/")),
    }
    return next((reason for reason, is_so in faults.items() if is_so), None)


def _is_suspect(name: str) -> bool:
    """Whether a name might have a fault other than its length; few have none and are."""
    return (
        not name.isprintable()
        or name[0] in "./"
        or "/." in name
        or "//" in name
        or ":" in name
        or "\\" in name
    )


def collisions(
    names: Iterable[str], path_of: Callable[[str], str] = str
) -> Iterator[tuple[str, str]]:
    """Return each name that cannot be unpacked beside an earlier one, with that earlier one.

    Two files collide when their names are equal on a file system that ignores case and
    normalisation; a file also collides with a folder of its name. Folders may be spelled twice.
    `path_of` says where the file of a name comes to lie.
    """
    files: dict[str, str] = {}
    folders: dict[str, str] = {}
    for name in names:
        key = _key(path_of(name.rstrip("/")))
        if name.endswith("/"):
            folders.setdefault(key, name)
        elif key in files:
            yield name, files[key]
        else:
            files[key] = name
        parent = key.rpartition("/")[0]
        # The folders above a known one are known too, so no name costs its whole depth again.
        while parent and parent not in folders:
            folders[parent] = name
            parent = parent.rpartition("/")[0]
    yield from ((files[key], folders[key]) for key in files if key in folders)


def _key(name: str) -> str:
    if name.isascii():
        return name.lower()
    # As in Unicode's canonical caseless matching (chapter 3.13, D145): folding does not see through
    # what is composed, and may itself leave what is not normalised.
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())

"""Lists of symbols that a wheel must export.

An entry is a C name (`TF_AssignVariable`; the underscore that Mach-O puts before it is not
written), or `@LIST` for one of the lists that come with this package, or `@PLUGIN==VERSION` for
what that plugin takes of TensorFlow's C API, by the table of plugins.
"""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.wheels.verify import known_symbols

if TYPE_CHECKING:
    from collections.abc import Iterable

_NAME = re.compile(r"[A-Za-z_$.][\w$.@]*")
"""C's identifiers, and what compilers make of other languages' names."""

_LONGEST_LIST = 16 << 20
"""Bytes of the largest file of symbols that is read; TensorFlow exports 12 MB of names."""


def read(text: str) -> tuple[str, ...]:
    """Return the entries of a file: one a line, blank lines and what follows `#` left out."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return tuple(line for line in lines if line)


def entries(named: Iterable[str]) -> tuple[str, ...]:
    """Return the entries that a command line names, with those of a file in the file's place.

    Raises:
        UsageError: a file is too large, or cannot be read.
    """
    stated: list[str] = []
    for name in named:
        # a list that comes with this package is meant, whatever the current folder holds
        is_file = not name.startswith("@") and Path(name).is_file()
        stated += read(files.read_small_text(Path(name), _LONGEST_LIST)) if is_file else [name]
    return tuple(stated)


def expand(entries: Iterable[str]) -> tuple[str, ...]:
    """Replace lists by the names in them.

    Raises:
        UsageError: there is no such list, or an entry is no symbol's name.
    """
    names: list[str] = []
    for entry in entries:
        names += _list(entry[1:]) if entry.startswith("@") else [_checked(entry)]
    return tuple(dict.fromkeys(names))


def lists() -> tuple[str, ...]:
    """Return the names of the lists that come with this package."""
    folder = resources.files("tensorflow_macos_build.wheels.verify") / "symbols"
    return tuple(sorted(file.name.removesuffix(".txt") for file in folder.iterdir()))


def _list(name: str) -> tuple[str, ...]:
    plugins = known_symbols.plugins()
    if name in plugins:
        return known_symbols.taken(name)
    if name not in lists():
        raise UsageError(
            f"there is no list of symbols `@{name}`",
            hint="the lists are: " + ", ".join(f"@{known}" for known in (*lists(), *plugins)),
        )
    folder = resources.files("tensorflow_macos_build.wheels.verify") / "symbols"
    return read((folder / f"{name}.txt").read_text(encoding="utf-8"))


def _checked(entry: str) -> str:
    if not _NAME.fullmatch(entry):
        raise UsageError(
            f"`{entry}` is no symbol's name",
            hint="write C names, one an entry, or @LIST",
        )
    return entry

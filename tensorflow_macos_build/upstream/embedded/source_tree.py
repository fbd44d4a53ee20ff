"""The files of the first commit, as this package carries them in `source/`.

A name that begins with a dot is carried with `dot` before it (`dot.bazelrc`), for tools that pack
Python packages leave hidden files out.
"""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream.embedded.edits import EmbeddedFile, Mode, Tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from importlib.abc import Traversable

_EXECUTABLE = frozenset({"configure"})
"""Modes are listed, for a wheel or a checkout may have lost those of the files."""

_NOT_SOURCE = frozenset({"__pycache__"})


def read() -> Tree:
    """Read the carried files, as a tree."""
    root = resources.files("tensorflow_macos_build.upstream.embedded").joinpath("source")
    return dict(_walk(root, ""))


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, EmbeddedFile]]:
    for item in folder.iterdir():
        path = prefix + _real_name(item.name)
        if item.name in _NOT_SOURCE:
            continue
        if item.is_dir():
            yield from _walk(item, path + "/")
        else:
            mode = Mode.EXECUTABLE if path in _EXECUTABLE else Mode.FILE
            yield path, EmbeddedFile(mode, item.read_bytes())


def _real_name(carried: str) -> str:
    return carried.removeprefix("dot") if carried.startswith("dot.") else carried

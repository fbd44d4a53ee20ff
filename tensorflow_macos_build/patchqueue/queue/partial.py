"""A part of a change: the tree that some of its files make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange


def tree(quarantine: Quarantine, before: str, changes: Iterable[PathChange]) -> str:
    """Return the tree that some of a change's files make of the tree before it.

    Raises:
        UsageError: one of them needs the place of a file that is not among them.
    """
    made = Overlay(quarantine.objects, before)
    # Deletions first, so that a file can become a folder.
    for change in sorted(changes, key=lambda change: change.new is not None):
        path, new = change.path, change.new
        if new is None:
            made.change({path: None})
            continue
        parts = path.split("/")
        above = [made.entry("/".join(parts[:depth])) for depth in range(1, len(parts))]
        there = made.entry(path)
        # A file that becomes a folder, or the reverse, is one change of two paths: both or none.
        if any(entry and not entry.is_tree for entry in above) or (there and there.is_tree):
            raise UsageError(f"`{path}` needs the place of a file that is not in the same part")
        made.change({path: new})
    return made.write(quarantine)

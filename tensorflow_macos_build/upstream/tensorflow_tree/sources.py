"""Where a tree's files are read from: a commit, without a checkout, or a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.upstream.tensorflow_tree.fact import MOST_BYTES, Unread

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.upstream.tensorflow_tree.fact import TreeFiles


def of_commit(objects: ObjectReader, commit: str) -> TreeFiles:
    """Return the files of a commit; contents are read when they are asked for."""
    return of_tree(objects, objects.commit(commit).tree)


def of_tree(objects: ObjectReader, tree: str) -> TreeFiles:
    """Return the files of a tree object, likewise."""
    overlay = Overlay(objects, tree)

    def content(path: str) -> bytes | None:
        entry = overlay.entry(path)
        # What a link's blob holds is the path that it leads to, and a folder has no blob.
        return objects.blob(entry.oid) if entry is not None and entry.is_file else None

    return content


def of_folder(folder: Path) -> TreeFiles:
    """Return the files of a folder; a link that leads out of it is not followed."""
    root = folder.resolve()

    def content(path: str) -> bytes | None:
        file = (root / path).resolve()
        if not file.is_relative_to(root) or not file.exists():
            return None
        # A folder may hold anything under these names: a pipe, a device, a file without end.
        try:
            return files.read_small(file, MOST_BYTES)
        except UsageError as error:
            raise Unread(f"{path}: {error.what}") from None

    return content

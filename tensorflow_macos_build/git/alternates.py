"""Borrowed objects: a repository's `objects/info/alternates` (gitrepository-layout(5))."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import files

if TYPE_CHECKING:
    from collections.abc import Iterable


def write(git_dir: Path, folders: Iterable[Path]) -> None:
    """Let a repository borrow the objects in folders; none may have a line end in its path."""
    # Absolute: git takes a relative path as one from the borrower's own folder of objects.
    lines = b"".join(os.fsencode(folder.absolute()) + b"\n" for folder in folders)
    target = _file(git_dir / "objects")
    if target.exists():  # somebody may read it just now
        files.write_bytes(target, lines)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(lines)


def source(git_dir: Path) -> Path:
    """Return the repository that another one takes its objects from in the end; often itself."""
    objects, seen = git_dir / "objects", set[Path]()
    while objects not in seen and (alternates := _file(objects)).is_file():
        seen.add(objects)
        first = alternates.read_bytes().partition(b"\n")[0]
        objects = objects / os.fsdecode(first)  # which an absolute path replaces
    return objects.parent


def _file(objects: Path) -> Path:
    return objects / "info" / "alternates"

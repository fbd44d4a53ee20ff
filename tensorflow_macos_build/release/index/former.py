"""What the index that is about to be replaced offers: nothing may vanish or change unnoticed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import UsageError, WorkFailed, printable
from tensorflow_macos_build.release.index.pages import JSON_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from tensorflow_macos_build.release.index.model import IndexedProject

_PAGE_LIMIT = 256 << 20
"""Bytes of a page that are read; 10,000 wheels take 5 MB."""

_SHOWN = 20


def read(simple: Path) -> dict[str, tuple[str, str]]:
    """Return the project and SHA-256 of each file of an index, by file name; none: no index yet.

    Raises:
        UsageError: the folder holds something else than an index of this tool's.
    """
    if not simple.exists() or not any(simple.iterdir()):
        return {}
    root = simple / JSON_PAGE
    if not root.is_file():
        raise UsageError(
            "the folder holds other things than an index, and would be replaced",
            where=str(simple),
            hint="give another folder by --out, or move what is there",
        )
    try:
        names = [_plain(project["name"]) for project in _json(root)["projects"]]
        pages = [(name, _json(simple / name / JSON_PAGE)) for name in names]
        return {
            _plain(file["filename"]): (name, file["hashes"]["sha256"])
            for name, page in pages
            for file in page["files"]
        }
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError(
            "its pages cannot be read, so what it offers is not known",
            where=str(simple),
            hint="bring back what was published, or move the folder away to begin anew",
        ) from None


def _plain(name: str) -> str:
    """Return a name by which files are read, and deleted where a wheel is dropped."""
    if "/" in name or name in ("", ".", ".."):
        raise ValueError("it leads elsewhere")
    return name


def _json(path: Path) -> Any:
    return json.loads(files.read_small(path, _PAGE_LIMIT))


def check_unchanged(
    offered: Mapping[str, tuple[str, str]], projects: Iterable[IndexedProject]
) -> None:
    """Refuse other bytes under a name that was published: pins and caches name the old ones.

    Raises:
        WorkFailed: there are some.
    """
    changed = [
        file.path.name
        for project in projects
        for file in project.files
        if offered.get(file.path.name, ("", file.sha256))[1] != file.sha256
    ]
    if changed:
        raise WorkFailed(
            f"{len(changed)} wheels were published with other bytes",
            detail=_listed(changed),
            hint="publish the new one under a new version or build tag (`retag`)",
        )


def check_dropped(dropped: Iterable[str], *, may_drop: bool) -> None:
    """Refuse that what was published is in no folder any more, unless it may go.

    Raises:
        WorkFailed: there is such a wheel.
    """
    missing = sorted(dropped)
    if missing and not may_drop:
        raise WorkFailed(
            f"{len(missing)} wheels that the index offers are in none of the folders",
            detail=_listed(missing),
            hint="add their folder, or withdraw them by `yanked` in the settings, which keeps"
            " those who pinned them going; --drop takes them away",
        )


def _listed(names: list[str]) -> str:
    more = [f"and {len(names) - _SHOWN} more"] if len(names) > _SHOWN else []
    return "\n".join([*map(printable, names[:_SHOWN]), *more])

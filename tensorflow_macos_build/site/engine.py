"""A site: documents read, pages made of them, and all put in place by one rename.

Who reads the site meets the one before or the one after, whole, whatever is killed when.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tensorflow_macos_build import documents, files, locks
from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.site import building, reading
from tensorflow_macos_build.site.model import MANIFEST, PublishedSite, as_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.site.model import SiteRequest

_MANIFEST_LIMIT = 64 << 20


def publish(request: SiteRequest, ticker: Ticker = silent) -> PublishedSite:
    """Make a site of folders of documents, or say what it would be.

    Raises:
        UsageError: a folder is none, a document is malformed, or the target holds other things.
    """
    ticker(0, None, "reading documents")
    shelf = reading.read(request.folders)
    ticker(0, None, f"making pages of {len(shelf.documents)} documents")
    site = PublishedSite(request, shelf, building.files_of(shelf, request))
    if request.plan:
        _check_own(request.out)
        return site
    request.out.parent.mkdir(parents=True, exist_ok=True)
    # Not a lock in the folder, which is replaced: a second run would hold the one that went.
    with locks.held(request.out.parent):
        files.recover(request.out)
        _check_own(request.out)
        with files.atomic_folder(request.out, check=lambda: _check_own(request.out)) as folder:
            _write(folder, site)
    return site


def _write(folder: Path, site: PublishedSite) -> None:
    for name, content in site.files.items():
        (folder / name).write_bytes(content)
    manifest = documents.dumps(as_document(site))
    (folder / MANIFEST).write_text(manifest, encoding="utf-8")


def _check_own(out: Path) -> None:
    """Refuse to replace a folder that holds anything but a site.

    Raises:
        UsageError: it does.
    """
    present = set(_present(out)) if out.exists() else set()
    if not present:
        return
    strays = sorted(present - set(_listed(out / MANIFEST)) - {MANIFEST})
    if strays:
        raise UsageError(
            f"the folder holds {strays[0]}, which is of no site, and would be replaced",
            where=str(out),
            hint="give another folder by --out, or move what is there",
        )


def _present(out: Path) -> Iterator[str]:
    for parent, folders, names in os.walk(out):
        links = [name for name in folders if (Path(parent) / name).is_symlink()]
        for name in (*names, *links):
            yield (Path(parent) / name).relative_to(out).as_posix()


def _listed(manifest: Path) -> list[str]:
    """Return the files that a manifest lists; none where there is no manifest."""
    try:
        content = files.read_small(manifest, _MANIFEST_LIMIT)
        rows: list[Any] = documents.read(content, "site", 1)["files"]
    except (FileNotFoundError, documents.NotTheDocument):
        return []
    return [row["path"] for row in rows]

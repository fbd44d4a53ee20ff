"""What a site is asked for, the documents that it is made of, and what came of it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tensorflow_macos_build.documents import Json

MANIFEST = "site.json"
"""The file of a site that lists its pages, and by which it is known."""


@dataclass(frozen=True)
class SiteRequest:
    """What is asked for.

    Attributes:
        folders: where documents are looked for, at any depth.
        out: the folder to serve.
        title: what the site is called.
        address: where it is served, which a feed's identifiers need; "" where not known.
        index: the address of the package index that installs the wheels; "" for none.
        plan: whether to write nothing.
    """

    folders: tuple[Path, ...]
    out: Path
    title: str
    address: str = ""
    index: str = ""
    plan: bool = False


@dataclass(frozen=True)
class SourceDocument:
    """A document that was found.

    Attributes:
        name: where, from the folder that was given, with that folder's own name.
        kind: its schema with the version, as `report.v1`.
        sha256: of its file.
        body: the document, which obeys its schema.
    """

    name: str
    kind: str
    sha256: str
    body: Json


@dataclass(frozen=True)
class Shelf:
    """All documents that were found, by their names, and what is to be said about others."""

    documents: tuple[SourceDocument, ...]
    remarks: tuple[str, ...] = ()

    def of(self, *kinds: str) -> tuple[SourceDocument, ...]:
        """Return the documents of some kinds, by their names."""
        return tuple(document for document in self.documents if document.kind in kinds)


@dataclass(frozen=True)
class PublishedSite:
    """A site that was made, or with `plan` would be.

    Attributes:
        request: what was asked for.
        shelf: the documents that it is made of.
        files: the content of each file but the manifest, by its path.
    """

    request: SiteRequest
    shelf: Shelf
    files: Mapping[str, bytes]


def as_document(site: PublishedSite) -> Json:
    """Return a site as a document of the schema site.v1; it does not say where it lies."""
    body = {
        "title": site.request.title,
        "files": [
            {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for path, content in sorted(site.files.items())
        ],
        "documents": [
            {"name": document.name, "kind": document.kind, "sha256": document.sha256}
            for document in site.shelf.documents
        ],
        "remarks": list(site.shelf.remarks),
    }
    return documents.document("site", 1, body)

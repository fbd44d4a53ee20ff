"""A static site as a document, and as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.report.amounts import size
from tensorflow_macos_build.site import model
from tensorflow_macos_build.views.lines import Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.documents import Json
    from tensorflow_macos_build.site import PublishedSite
    from tensorflow_macos_build.views.lines import Part


def as_document(site: PublishedSite) -> Json:
    """Return a site as a document of the schema site.v1."""
    return model.as_document(site)


def as_lines(site: PublishedSite) -> Iterator[Part]:
    """Yield what was passed over, how large the site is, and where its first page lies."""
    for remark in site.shelf.remarks:
        yield Line(remark, "yellow")
    documents = len(site.shelf.documents)
    total = size(sum(map(len, site.files.values())))
    verb = "would be made" if site.request.plan else "made"
    yield Line(f"{len(site.files)} files, {total}, {verb} of {documents} documents", "bold")
    yield str(checkout.shown(site.request.out / "index.html"))

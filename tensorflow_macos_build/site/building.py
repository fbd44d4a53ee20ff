"""All files of a site from all documents: pure, and the one place that knows the pages' order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.site import feed, rendering
from tensorflow_macos_build.site.pages import (
    bench,
    builds,
    overview,
    plugins,
    published,
    queues,
    releases,
    smoke,
    sources,
    upstream,
    wheels,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.site.model import Shelf, SiteRequest
    from tensorflow_macos_build.site.page import Page
    from tensorflow_macos_build.site.pages.published import PublishedRelease


def files_of(shelf: Shelf, request: SiteRequest) -> dict[str, bytes]:
    """Return the content of each file of the site, by its path."""
    collected = published.collect(shelf)
    pages = tuple(_pages(shelf, collected, request))
    atom = feed.atom(collected, request)
    frame = rendering.Frame(request.title, pages, feed.FEED if atom else "")
    made = {page.file: rendering.html(page, frame) for page in pages}
    made[rendering.STYLE] = rendering.stylesheet()
    if atom:
        made[feed.FEED] = atom
    return made


def _pages(
    shelf: Shelf, collected: Sequence[PublishedRelease], request: SiteRequest
) -> Iterator[Page]:
    """Yield the pages in the order of their links; those that nothing is known for are left out."""
    made = (
        releases.page(collected, request.index),
        queues.page(shelf),
        upstream.page(shelf),
        builds.page(shelf),
        wheels.page(shelf),
        smoke.page(shelf),
        plugins.page(shelf),
        bench.page(shelf),
        sources.page(shelf),
    )
    there = tuple(page for page in made if page is not None)
    yield overview.page(request.title, there)
    yield from there

"""The first page: the newest words of all others, each with the way to its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.site.page import Page, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

_CARDS = 12
"""How many words of a page fit on the first one."""


def page(title: str, pages: Sequence[Page]) -> Page:
    """Return the page."""
    sections = tuple(
        Section(page.name, page.title, page.lead, facts=page.cards[:_CARDS])
        for page in pages
        if page.cards
    )
    return Page("index", title, "What was released, and what was seen of it.", (), sections)

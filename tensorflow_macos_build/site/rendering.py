"""Pages of HTML from pages as values: without script, and the same bytes for the same page."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import jinja2

from tensorflow_macos_build.report import page as report_page
from tensorflow_macos_build.site import anchors
from tensorflow_macos_build.site.page import Bar, Interval, Stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.site.page import Graphic, Page

STYLE = "style.css"

_OWN = re.compile(r"[a-z]+\.html(#[A-Za-z0-9._+~-]+)?")
"""A page of the site's own."""

_WIDTH, _HEIGHT = 100, 8
"""Units of a graphic's box; the page scales them."""


@dataclass(frozen=True)
class Frame:
    """What all pages share: the site's title, its pages in order, and the feed's file or ""."""

    title: str
    pages: Sequence[Page]
    feed: str = ""


@dataclass(frozen=True)
class Piece:
    """A rectangle of a graphic and its class of colour, in a box of 100 by 8."""

    x: float
    width: float
    tone: str
    y: int = 0
    height: int = _HEIGHT


def html(page: Page, frame: Frame) -> bytes:
    """Return a page's file."""
    values = {"page": page, "frame": frame, "style": STYLE}
    return _environment().get_template("page.html.j2").render(values).encode()


def stylesheet() -> bytes:
    """Return the stylesheet of all pages: what a build's report has, and what a site has beside."""
    own = _environment().get_template(STYLE).render()
    return f"{report_page.stylesheet()}{own}".encode()


def pieces(graphic: Graphic) -> Iterator[Piece]:
    """Yield the rectangles of a graphic, the lowest first."""
    match graphic:
        case Bar(share, tone):
            yield Piece(0, _WIDTH, "track")
            yield _piece(0, share, tone.value)
        case Stack(parts):
            left = 0.0
            for tone, share in parts:
                yield _piece(left, share, tone.value)
                left += share
        case Interval(low, value, high, base, tone):
            yield Piece(_WIDTH * base, 0.4, "base")
            yield replace(_piece(low, high - low, f"{tone.value} range"), y=2, height=4)
            yield Piece(_WIDTH * min(max(value, 0), 0.99), 1, tone.value)


def _piece(left: float, share: float, tone: str) -> Piece:
    """Return a rectangle that stays within the box, whatever a document says."""
    left = min(max(left, 0.0), 1.0)
    return Piece(_WIDTH * left, _WIDTH * min(max(share, 0.0), 1.0 - left), tone)


def is_leading(href: str) -> bool:
    """Whether a link may lead there: documents may name a script as an address, or a local file."""
    return href.startswith(("https://", "http://")) or _OWN.fullmatch(href) is not None


@functools.cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("tensorflow_macos_build.site"),
        autoescape=True,  # all text comes from documents, and those from anywhere
        finalize=report_page.shown,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"keyed": anchors.keyed, "pieces": pieces}
    environment.tests["leading"] = is_leading
    return environment

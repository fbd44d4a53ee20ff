"""The feed of new releases, in the Atom syndication format (RFC 4287)."""

from __future__ import annotations

import uuid
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.site.pages.releases import FILE, section_address, summary
from tensorflow_macos_build.site.times import instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from tensorflow_macos_build.site.model import SiteRequest
    from tensorflow_macos_build.site.pages.published import PublishedRelease

FEED = "releases.atom"

_ATOM = "http://www.w3.org/2005/Atom"


def atom(releases: Sequence[PublishedRelease], request: SiteRequest) -> bytes:
    """Return the feed of the releases whose times are known, the newest first; b"" without any.

    A feed has to say when each entry changed, and no clock is read here.
    """
    dated = sorted(filter(_moment, releases), key=_moment, reverse=True)
    if not dated:
        return b""
    feed = ET.Element("feed", {"xmlns": _ATOM, "xml:lang": "en"})
    _text(feed, "id", _identifier("feed", request.title))
    _text(feed, "title", f"Releases of {request.title}")
    _text(feed, "updated", dated[0].time)
    _text(ET.SubElement(feed, "author"), "name", request.title)
    base = request.address and f"{request.address.rstrip('/')}/"
    ET.SubElement(
        feed, "link", {"rel": "self", "type": "application/atom+xml", "href": f"{base}{FEED}"}
    )
    ET.SubElement(feed, "link", {"rel": "alternate", "type": "text/html", "href": f"{base}{FILE}"})
    for release in dated:
        _add_entry(feed, release, base)
    ET.indent(feed)
    text: bytes = ET.tostring(feed, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _moment(release: PublishedRelease) -> tuple[datetime, str] | tuple[()]:
    """Return what sorts a release among others; nothing where its time is not known."""
    moment = instant(release.time)
    return (moment, release.manifest.tag) if moment else ()


def _add_entry(feed: ET.Element, release: PublishedRelease, base: str) -> None:
    manifest = release.manifest
    entry = ET.SubElement(feed, "entry")
    _text(entry, "id", _identifier(manifest.project, manifest.tag))
    _text(entry, "title", f"{manifest.project} {manifest.version} ({manifest.tag})")
    _text(entry, "updated", release.time)
    href = f"{base}{FILE}#{section_address(release)}"
    ET.SubElement(entry, "link", {"rel": "alternate", "type": "text/html", "href": href})
    _text(entry, "summary", summary(release))


def _text(parent: ET.Element, name: str, text: str) -> None:
    # XML has no control characters, not even as references.
    ET.SubElement(parent, name).text = printable(text)


def _identifier(*names: str) -> str:
    """Return an identifier that stays when the site moves (RFC 4287, section 4.2.6)."""
    name = "\n".join(("tensorflow-macos-build", *names))
    return uuid.uuid5(uuid.NAMESPACE_URL, name.encode("utf-8", "backslashreplace").decode()).urn

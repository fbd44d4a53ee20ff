"""A site as a reader meets it: its pages parsed, its numbers by their addresses."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class ReadPage:
    """A page: its elements, and each one that has an address by that."""

    root: ET.Element
    by_id: Mapping[str, ET.Element]

    def text(self, address: str) -> str:
        """Return what stands at an address, without the notes below it."""
        element = self.by_id[address]
        notes = {id(note) for note in element.iter("span") if note.get("class") == "note"}
        parts = (part.text or "" for part in element.iter() if id(part) not in notes)
        return " ".join(" ".join(parts).split())

    def links(self) -> list[str]:
        """Return where its links lead, and what it loads."""
        elements = [*self.root.iter("a"), *self.root.iter("link")]
        return [element.get("href") or "" for element in elements]


def read(content: bytes) -> ReadPage:
    """Return a page; it must be well-formed XML too, and no address may be there twice."""
    root = ET.fromstring(content.decode())
    counts = Counter(name for element in root.iter() if (name := element.get("id")))
    assert max(counts.values()) == 1, counts.most_common(1)
    elements = {element.get("id", ""): element for element in root.iter() if element.get("id")}
    return ReadPage(root, elements)


def pages(files: Mapping[str, bytes]) -> dict[str, ReadPage]:
    """Return the pages of a site, by their files' names."""
    return {name: read(content) for name, content in files.items() if name.endswith(".html")}


def lost_links(files: Mapping[str, bytes]) -> Iterator[str]:
    """Yield links within a site that lead nowhere."""
    parsed = pages(files)
    for name, page in parsed.items():
        for link in page.links():
            path, fragment = urldefrag(link)
            if path.startswith(("https://", "data:")):
                continue
            target = path or name
            if target not in files or (fragment and unquote(fragment) not in parsed[target].by_id):
                yield f"{name}: {link}"

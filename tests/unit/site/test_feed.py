"""The feed of releases: what RFC 4287 demands of it, and what feedparser reads in it."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import feedparser
import pytest

from tensorflow_macos_build import documents
from tensorflow_macos_build.site import SiteRequest, publish
from tests import site_documents, site_files

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.documents import Json

ATOM = "{http://www.w3.org/2005/Atom}"
ADDRESS = "https://example.org/macs"


def feed_of(
    tmp_path: Path, contents: dict[str, Json], address: str = ""
) -> tuple[ET.Element, dict[str, bytes]]:
    """Return the root of a site's feed, and the site's files."""
    folder = site_documents.write(tmp_path / "documents", contents)
    request = SiteRequest((folder,), tmp_path / "site", "Macs <&>", address)
    files = dict(publish(request).files)
    return ET.fromstring(files["releases.atom"]), files


def contents() -> dict[str, Json]:
    """Return documents of two releases and their times."""
    return {
        "a/release.json": site_documents.release("2.20.0"),
        "b/release.json": site_documents.release("2.21.0"),
        "times.json": site_documents.times("2.20.0", "2.21.0"),
    }


def test_a_feed_has_what_the_format_demands(tmp_path: Path) -> None:
    feed, _ = feed_of(tmp_path, contents(), address=ADDRESS)
    assert feed.tag == f"{ATOM}feed"
    entries = feed.findall(f"{ATOM}entry")
    for element in (feed, *entries):
        # Section 4.1.1 and 4.1.2: exactly one of each.
        for name in ("id", "title", "updated"):
            children = element.findall(f"{ATOM}{name}")
            assert len(children) == 1
            assert children[0].text
        when = element.findtext(f"{ATOM}updated") or ""
        assert datetime.fromisoformat(when.replace("Z", "+00:00")).tzinfo
    identifiers = [element.findtext(f"{ATOM}id") or "" for element in (feed, *entries)]
    assert len(set(identifiers)) == 3
    assert all(urlsplit(identifier).scheme for identifier in identifiers)  # 4.2.6: absolute
    assert feed.findtext(f"{ATOM}author/{ATOM}name") == "Macs <&>"
    links = [(link.get("rel"), link.get("href")) for link in feed.findall(f"{ATOM}link")]
    assert links == [
        ("self", f"{ADDRESS}/releases.atom"),
        ("alternate", f"{ADDRESS}/releases.html"),
    ]


def test_the_newest_release_comes_first_and_leads_to_its_section(tmp_path: Path) -> None:
    feed, files = feed_of(tmp_path, contents(), address=ADDRESS)
    entries = feed.findall(f"{ATOM}entry")
    titles = [entry.findtext(f"{ATOM}title") for entry in entries]
    assert titles == ["tensorflow 2.21.0 (v2.21.0)", "tensorflow 2.20.0 (v2.20.0)"]
    assert feed.findtext(f"{ATOM}updated") == entries[0].findtext(f"{ATOM}updated")
    page = site_files.read(files["releases.html"])
    for entry in entries:
        link = entry.find(f"{ATOM}link")
        assert link is not None
        address = urlsplit(link.get("href", ""))
        assert address.path == "/macs/releases.html"
        assert address.fragment in page.by_id


@pytest.mark.parametrize("address", ["", ADDRESS])
def test_a_reader_of_feeds_reads_every_release(tmp_path: Path, address: str) -> None:
    _, files = feed_of(tmp_path, contents(), address)
    # A feed that does not know its site's address is read from where it was fetched.
    fetched = {"content-type": "application/atom+xml", "content-location": f"{ADDRESS}/x.atom"}
    read = feedparser.parse(files["releases.atom"], response_headers=fetched)
    assert not read.bozo
    assert read.version == "atom10"
    assert (read.feed.title, read.feed.author) == ("Releases of Macs <&>", "Macs <&>")
    assert read.feed.link == f"{ADDRESS}/releases.html"
    entries = [(entry.title, entry.link, entry.updated_parsed[:3]) for entry in read.entries]
    assert entries == [
        ("tensorflow 2.21.0 (v2.21.0)", f"{ADDRESS}/releases.html#v2.21.0", (2026, 11, 5)),
        ("tensorflow 2.20.0 (v2.20.0)", f"{ADDRESS}/releases.html#v2.20.0", (2026, 10, 5)),
    ]
    assert all(entry.summary.startswith("For Apple silicon") for entry in read.entries)
    assert len({entry.id for entry in read.entries}) == 2


def test_identifiers_stay_when_the_site_moves(tmp_path: Path) -> None:
    here, _ = feed_of(tmp_path / "a", contents(), address=ADDRESS)
    there, _ = feed_of(tmp_path / "b", contents(), address="https://example.com/")
    assert [item.text for item in here.iter(f"{ATOM}id")] == [
        item.text for item in there.iter(f"{ATOM}id")
    ]


def test_an_index_says_when_where_no_server_does(tmp_path: Path) -> None:
    release = site_documents.release("2.21.0")
    wheel = release["files"][0]
    row = {
        "file": wheel["name"], "sha256": wheel["sha256"], "size": 1, "url": "https://e.org/w.whl",
        "requires_python": ">=3.10", "uploaded": "2026-11-26T10:00:00.25Z", "yanked": "crashes",
        "metadata": True, "attested": False,
    }  # fmt: skip
    project = {
        "name": "tensorflow",
        "status": "active",
        "reason": "",
        "versions": ["2.21.0"],
        "files": [row],
    }
    body: Json = {"folder": "x", "files_at": "", "projects": [project]}
    body |= {"pages": [], "added": [], "dropped": []}
    index = documents.document("release-index", 1, body)
    feed, files = feed_of(tmp_path, {"release.json": release, "index.json": index})
    assert feed.findtext(f"{ATOM}updated") == "2026-11-26T10:00:00.25Z"
    page = site_files.read(files["releases.html"])
    assert f"https://e.org/w.whl#sha256={wheel['sha256']}" in page.text("v2.21.0--commands")
    assert "withdrawn: crashes" in "".join(page.root.itertext())


@pytest.mark.parametrize("when", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-11-26"])
def test_without_a_time_there_is_no_feed(tmp_path: Path, when: str) -> None:
    times = documents.document("release-times", 1, {"times": {"v2.21.0": when}})
    folder = site_documents.write(
        tmp_path / "in", {"release.json": site_documents.release("2.21.0"), "times.json": times}
    )
    files = publish(SiteRequest((folder,), tmp_path / "site", "Macs")).files
    assert "releases.atom" not in files
    assert b"releases.atom" not in files["index.html"]

"""A package index of files on 127.0.0.1, served as docs/release-index.md has a web server set up.

And what the pages have to be: a JSON Schema of the simple API, written from its specification.
"""

from __future__ import annotations

import contextlib
import functools
import html.parser
import http.server
import json
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import jsonschema

from tests.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

JSON_TYPE = "application/vnd.pypi.simple.v1+json"

_HASHES = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]+$"},
}
_META = {
    "type": "object",
    "required": ["api-version"],
    "properties": {"api-version": {"type": "string", "pattern": "^1\\.[0-9]+$"}},
}
_FILE = {
    "type": "object",
    "required": ["filename", "url", "hashes", "size"],
    "additionalProperties": False,
    "properties": {
        "filename": {"type": "string"},
        "url": {"type": "string"},
        "hashes": _HASHES,
        "size": {"type": "integer", "minimum": 0},
        "requires-python": {"type": "string"},
        "core-metadata": {"anyOf": [{"type": "boolean"}, _HASHES]},
        "yanked": {"type": ["boolean", "string"]},
        "upload-time": {"type": "string", "pattern": "^[0-9-]{10}T[0-9:]{8}(\\.[0-9]{1,6})?Z$"},
        "provenance": {"type": ["string", "null"]},
    },
}
PROJECT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["meta", "name", "files", "versions"],
    "additionalProperties": False,
    "properties": {
        "meta": _META,
        "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
        "project-status": {
            "type": "object",
            "required": ["status"],
            "properties": {
                "status": {"enum": ["active", "archived", "quarantined", "deprecated"]},
                "reason": {"type": "string"},
            },
        },
        "versions": {"type": "array", "uniqueItems": True, "items": {"type": "string"}},
        "files": {"type": "array", "items": _FILE},
    },
}
"""A project's page: PEP 691 with 700, 714, 592, 740 and 792."""

ROOT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["meta", "projects"],
    "properties": {
        "meta": _META,
        "projects": {"type": "array", "items": {"type": "object", "required": ["name"]}},
    },
}


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files; a folder's page is the JSON for who asks for it, and the HTML for others."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def guess_type(self, path: Any) -> str:
        return JSON_TYPE if str(path).endswith("index.json") else super().guess_type(path)

    def translate_path(self, path: str) -> str:
        local = Path(super().translate_path(path))
        wants_json = JSON_TYPE in self.headers.get("Accept", "")
        return str(local / "index.json" if wants_json and local.is_dir() else local)


class HtmlAlone(_Handler):
    """As hosts serve files that negotiate nothing, such as GitHub Pages."""

    def translate_path(self, path: str) -> str:
        return http.server.SimpleHTTPRequestHandler.translate_path(self, path)


@contextlib.contextmanager
def served(folder: Path, handler: type[_Handler] = _Handler) -> Iterator[str]:
    """Serve an index's folder; yield the address of its `simple/`."""
    bound: Any = functools.partial(handler, directory=str(folder))
    with serving(bound, threading.Event()) as address:
        yield f"{address}/simple/"


def check_pages(folder: Path) -> list[str]:
    """See that all pages obey the specification and lead to files; return the wheels offered."""
    root = json.loads((folder / "simple/index.json").read_text())
    jsonschema.validate(root, ROOT_SCHEMA)
    offered = []
    for project in root["projects"]:
        page = folder / "simple" / project["name"]
        value = json.loads((page / "index.json").read_text())
        jsonschema.validate(value, PROJECT_SCHEMA)
        links = _links((page / "index.html").read_text())
        assert [name for name, _ in links] == [file["filename"] for file in value["files"]]
        for file, (name, attributes) in zip(value["files"], links, strict=True):
            _check_file(page, file, attributes)
            offered.append(name)
    return offered


def _check_file(page: Path, file: dict[str, Any], attributes: dict[str, str]) -> None:
    address, fragment = urldefrag(attributes["href"])
    assert address == file["url"]
    assert fragment == f"sha256={file['hashes']['sha256']}"
    assert attributes.get("data-requires-python") == file.get("requires-python")
    yanked = file["yanked"]
    assert attributes.get("data-yanked") == ("" if yanked is True else yanked or None)
    assert ("data-core-metadata" in attributes) is ("core-metadata" in file)
    if not urlsplit(address).scheme:
        wheel = Path(unquote(urlsplit(urljoin(f"{page.as_uri()}/", address)).path))
        assert wheel.stat().st_size == file["size"]
        assert wheel.with_name(f"{wheel.name}.metadata").is_file()


def _links(text: str) -> list[tuple[str, dict[str, str]]]:
    parser = _Links()
    parser.feed(text)
    return parser.links


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, dict[str, str]]] = []
        self._open: dict[str, str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = {name: value or "" for name, value in attrs} if tag == "a" else None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.links.append((data, self._open))
            self._open = None

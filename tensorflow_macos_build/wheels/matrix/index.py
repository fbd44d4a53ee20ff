"""The wheels of a project that an index offers, and those that lie in a folder.

Source: PyPA, simple repository API (PEP 503, and PEP 691 for JSON).
"""

from __future__ import annotations

import html.parser
import importlib
import json
import os
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import urldefrag, urljoin, urlsplit

from packaging.utils import canonicalize_name

from tensorflow_macos_build import files, http_session, process
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.wheels.matrix.asking import CONNECT_SECONDS, patiently
from tensorflow_macos_build.wheels.wheelhouse.fetch import NotFetched
from tensorflow_macos_build.wheels.wheelhouse.resolve import Offer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.retry import Retry

_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 1 << 16
_PAGE_LIMIT = 64 << 20
"""Bytes of an index's page that are read; TensorFlow's has 1 MB."""


def of_index(index: str, project: str, retry: Retry) -> list[Offer]:
    """Return a project's wheels that an index offers and has not yanked, in its order.

    Raises:
        NotFetched: the index is not to be reached, or answers what is no page of files.
    """
    page = f"{index.rstrip('/')}/{canonicalize_name(project)}/"
    if urlsplit(page).scheme not in ("http", "https"):
        raise UsageError("an index's address begins with http:// or https://", where=index)
    content, kind, address = patiently(lambda: _page(page, retry), retry, page)
    try:
        rows = _rows_of_json(content) if kind == _JSON else _rows_of_html(content)
        return [offer for offer in (_offer(address, row) for row in rows) if offer is not None]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotFetched(f"this is no page of an index: {error}", where=address) from None


def in_folder(folder: Path, project: str) -> list[Offer]:
    """Return a project's wheels in a folder, by name.

    Raises:
        UsageError: there is no such folder.
    """
    if not folder.is_dir():
        raise UsageError("there is no such folder of wheels", where=str(folder))
    name = canonicalize_name(project)
    wheels = (path for path in sorted(folder.iterdir()) if path.suffix == ".whl")
    return [
        Offer(path.resolve().as_uri(), files.sha256(path), path.stat().st_size)
        for path in wheels
        if canonicalize_name(path.name.partition("-")[0]) == name
    ]


def default() -> str:
    """Return the index that pip is set to use (PIP_INDEX_URL, pip.conf), or its standard one.

    Raises:
        WorkFailed: pip is not here to ask.
    """
    if stated := os.environ.get("PIP_INDEX_URL"):
        return stated
    # pip fails where its files say nothing of an index.
    asked = process.run(
        [sys.executable, "-m", "pip", "config", "get", "global.index-url"], expected=()
    )
    if asked.status == 0 and (configured := asked.stdout.decode().strip()):
        return configured
    try:
        standard: Any = importlib.import_module("pip._internal.models.index")
    except ImportError:
        raise WorkFailed("pip is not here to name its index", hint="give --index URL") from None
    return str(standard.PyPI.simple_url)


def _page(address: str, retry: Retry) -> tuple[str, str, str]:
    """Return an index's page, its media type, and the address that it came from in the end."""
    with http_session.request(
        "GET",
        address,
        headers={"Accept": _ACCEPT},
        stream=True,
        timeout=(CONNECT_SECONDS, retry.idle),
        grace=retry.grace,
    ) as answer:
        answer.raise_for_status()
        content = b""
        for chunk in answer.iter_content(_CHUNK):
            content += chunk
            if len(content) > _PAGE_LIMIT:
                raise NotFetched(f"its page is longer than {_PAGE_LIMIT} bytes", where=address)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        return content.decode("utf-8", "replace"), kind, answer.url


def _rows_of_json(content: str) -> Iterator[dict[str, str]]:
    for file in json.loads(content)["files"]:
        if not file.get("yanked"):
            yield {"url": file["url"], "sha256": file["hashes"].get("sha256", "")}


def _rows_of_html(content: str) -> Iterator[dict[str, str]]:
    links = _Links()
    links.feed(content)
    for attributes in links.attributes:
        if "href" in attributes and "data-yanked" not in attributes:
            address, fragment = urldefrag(attributes["href"] or "")
            yield {"url": address, "sha256": fragment.removeprefix("sha256=")}


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.attributes: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the attributes of a link."""
        if tag == "a":
            self.attributes.append(dict(attrs))


def _offer(address: str, row: dict[str, str]) -> Offer | None:
    url = urljoin(address, row["url"])
    is_wheel = urlsplit(url).path.endswith(".whl") and urlsplit(url).scheme in ("http", "https")
    # Without a hash nobody could tell later which file it was.
    return (
        Offer(url, row["sha256"], None) if is_wheel and _SHA256.fullmatch(row["sha256"]) else None
    )

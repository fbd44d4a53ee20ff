"""What a package index offers of a project: SHA-256s, by its pages (PEP 691, PEP 503)."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from packaging.utils import canonicalize_name

from tensorflow_macos_build import files
from tensorflow_macos_build.errors import MacosBuildError, UsageError
from tensorflow_macos_build.release.model import MOST
from tensorflow_macos_build.release.publishing.http import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

_JSON = "application/vnd.pypi.simple.v1+json"
_LINK = re.compile(r"""href=(["'])([^"']*)#sha256=([0-9a-f]{64})\1""")


def offered(index: str, project: str) -> dict[str, set[str]]:
    """Return the SHA-256s that an index's pages state for each file of a project.

    Args:
        index: its address, up to the projects' names, or the folder of a static one.
        project: the project.

    Raises:
        UsageError: it has no page of the project, or one that is none.
        WorkFailed: it cannot be reached.
    """
    name, stated = canonicalize_name(project), dict[str, set[str]]()
    for page in _of_server(index, name) if "://" in index else _of_folder(Path(index), name):
        for file, digest in page:
            stated.setdefault(file, set()).add(digest)
    return stated


def _of_server(index: str, name: str) -> Iterator[list[tuple[str, str]]]:
    if urlsplit(index).scheme not in ("http", "https"):
        raise UsageError("give an http(s) address, or a folder", where=index)
    url = f"{index.rstrip('/')}/{name}/"
    accepted = {"Accept": f"{_JSON}, text/html;q=0.1"}
    yield _of_page(b"".join(Api(None, set()).stream(url, accepted, limit=MOST)), url)


def _of_folder(folder: Path, name: str) -> Iterator[list[tuple[str, str]]]:
    """Yield what both forms of a page say: clients of either must get the same."""
    paths = [
        path
        for base in (folder / "simple", folder)
        for form in ("index.json", "index.html")
        if (path := base / name / form).is_file()
    ]
    if not paths:
        raise UsageError(f"the index has no page of {name}", where=str(folder))
    for path in paths:
        yield _of_page(files.read_small(path, MOST), str(path))


def _of_page(content: bytes, where: str) -> list[tuple[str, str]]:
    text = files.decode(content, where)
    if not text.lstrip().startswith("{"):
        links = ((urlsplit(unescape(url)).path, digest) for _, url, digest in _LINK.findall(text))
        return [(unquote(path).rpartition("/")[2], digest) for path, digest in links]
    try:
        rows = json.loads(text)["files"]
        return [(str(row["filename"]), str(row["hashes"].get("sha256", ""))) for row in rows]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError("it is no page of an index", where=where) from None


def faults(index: str, project: str, digests: dict[str, str]) -> dict[str, str]:
    """Return what is wrong with each file in an index; "" for nothing.

    `digests` are the SHA-256s that the files have.
    """
    try:
        stated = offered(index, project)
    except MacosBuildError as error:
        return dict.fromkeys(digests, error.what)
    return {name: _fault(stated.get(name, set()), digest) for name, digest in digests.items()}


def _fault(stated: set[str], digest: str) -> str:
    if not stated:
        return "the index does not offer it"
    others = stated - {digest}
    return f"the index offers another file under this name: {sorted(others)[0]}" if others else ""

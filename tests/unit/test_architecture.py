"""The documents about the code say what the code is: files, names, the picture."""

from __future__ import annotations

import ast
import re

import pytest

from tests import architecture, imports

PAGES = ("docs/architecture.md", "CONTRIBUTING.md")
_NAMED = re.compile(r"`([\w/]+(?:\.(?:py|yaml)|/))`(?:, `(\w+)`)?")
_LINK = re.compile(r"\]\(([^)#:]+)\)")


def _mentions() -> list[tuple[str, str]]:
    texts = [(imports.ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    return sorted({(named[1], named[2] or "") for text in texts for named in _NAMED.finditer(text)})


@pytest.mark.parametrize(("path", "name"), _mentions())
def test_what_a_document_names_is_there(path: str, name: str) -> None:
    paths = [
        folder / path
        for folder in (imports.ROOT, imports.ROOT / imports.PACKAGE, imports.ROOT / "docs")
        if (folder / path).exists()
    ]
    assert paths
    if name:
        tree = ast.parse(paths[0].read_text(encoding="utf-8"))
        kinds = (ast.FunctionDef, ast.ClassDef)
        assert name in {node.name for node in tree.body if isinstance(node, kinds)}


def test_each_walk_has_ten_steps() -> None:
    text = (imports.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text.partition("## Three walks")[2].split("\n### ")[1:]
    assert [len(re.findall(r"^\d+\. ", walk, re.MULTILINE)) for walk in walks] == [10, 10, 10]


def test_the_picture_is_the_codes() -> None:
    picture = imports.ROOT / "docs" / "architecture.svg"
    assert picture.read_text(encoding="utf-8") == architecture.draw(), (
        "python -m tests.architecture draws it"
    )


def test_every_link_of_a_page_leads_somewhere() -> None:
    pages = [imports.ROOT / "README.md", *sorted((imports.ROOT / "docs").rglob("*.md"))]
    lost = [
        f"{page.name}: {link}"
        for page in pages
        for link in _LINK.findall(page.read_text(encoding="utf-8"))
        if not (page.parent / link).exists()
    ]
    assert not lost


def test_every_page_is_in_the_index() -> None:
    docs = imports.ROOT / "docs"
    index = (docs / "index.md").read_text(encoding="utf-8")
    assert [page.name for page in sorted(docs.glob("*.md")) if f"({page.name})" not in index] == [
        "index.md"
    ]

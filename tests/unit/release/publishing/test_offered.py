"""What a page of an index says of a project's files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build.release.publishing.offered import faults

if TYPE_CHECKING:
    from pathlib import Path

SHA, OTHER = "0" * 64, "1" * 64
NAME = "x-1%2Bmac-py3-none-any.whl"


@pytest.mark.parametrize("quote", ['"', "'"])
def test_a_link_is_read_whichever_quotes_it_has(tmp_path: Path, quote: str) -> None:
    (tmp_path / "x").mkdir()
    link = f"<a rel={quote}internal{quote} href={quote}../x/{NAME}#sha256={SHA}{quote}>x</a>"
    (tmp_path / "x/index.html").write_text(f"<a href={quote}other.whl{quote}>o</a>{link}")
    files = {"x-1+mac-py3-none-any.whl": SHA, "other.whl": SHA}
    assert faults(str(tmp_path), "X", files) == {
        "x-1+mac-py3-none-any.whl": "",
        "other.whl": "the index does not offer it",
    }


def test_two_forms_of_a_page_that_differ_are_a_fault(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    row = {"filename": "x.whl", "url": "x.whl", "hashes": {"sha256": OTHER}}
    (tmp_path / "x/index.json").write_text(json.dumps({"name": "x", "files": [row]}))
    (tmp_path / "x/index.html").write_text(f'<a href="x.whl#sha256={SHA}">x.whl</a>')
    (fault,) = faults(str(tmp_path), "x", {"x.whl": SHA}).values()
    assert OTHER in fault

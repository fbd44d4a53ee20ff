"""What the documents say is true: their commands, keys, links and tables."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import config
from tensorflow_macos_build.tasks import docs
from tensorflow_macos_build.tasks.namespace import namespace
from tensorflow_macos_build.tasks.program import Program
from tests.doc_commands import PAGES, ROOT, named, typed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SOURCES = [*(ROOT / "tensorflow_macos_build").rglob("*.py"), *(ROOT / "scripts").rglob("*.py")]


class _Parser(Program):
    """The command line up to the point where tasks would run."""

    def execute(self) -> None:
        return


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_understood(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {}
    for text in [*typed(page), *named(page)]:
        try:
            words = shlex.split(text, comments=True)
            _Parser(namespace=namespace, binary="inv").run(["inv", *words[1:]])
        except SystemExit as ended:
            if ended.code:
                wrong[text] = capsys.readouterr().err
    assert not wrong


def test_the_pages_that_are_made_of_the_code_are_as_it_is() -> None:
    assert docs.stale_pages(ROOT, namespace) == [], "`scripts/inv docs.generate` makes them again"


def test_the_example_of_a_config_has_every_key_and_is_taken(tmp_path: Path) -> None:
    configs = tmp_path / "build_configs"
    configs.mkdir()
    shutil.copy(ROOT / "build_configs/base.yaml", configs)
    shutil.copy(ROOT / "docs/example.yaml", configs)
    loaded = config.load("example", root=tmp_path)
    defaults = [key for key, source in loaded.provenance.items() if source.origin == "default"]
    assert defaults == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_message_that_is_explained_is_one_of_the_program() -> None:
    page = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    messages = set(re.findall(r"^\| ([^|]+) \|", page, re.MULTILINE)) - {"message", "---"}
    written = {text for path in SOURCES for text in _texts(path)}
    assert len(messages) > 10
    assert [message for message in messages if not any(message in text for text in written)] == []


def _texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module; of one with values in it, what is between them."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_pages_do_hold_commands() -> None:
    assert len(named(ROOT / "README.md")) > 5

"""Every command that the documents tell a reader to type is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tensorflow_macos_build.tasks import namespace
from tensorflow_macos_build.tasks.program import Program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:scripts/inv|invoke) [^`]+)`")


class _Parser(Program):
    """The command line up to the point where tasks would run."""

    def execute(self) -> None:
        return


def _commands(page: Path) -> list[str]:
    text = page.read_text(encoding="utf-8")
    lines = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    typed = [line.removeprefix("$ ") for line in lines]
    block = [line for line in typed if line.startswith(("scripts/inv ", "invoke "))]
    # In running text a task may be named without its arguments.
    named = [f"{text} --help" if text.count(" ") == 1 else text for text in _INLINE.findall(text)]
    return block + named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_of_a_page_is_understood(
    page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {}
    for text in _commands(page):
        try:
            words = shlex.split(text, comments=True)
            _Parser(namespace=namespace, binary="inv").run(["inv", *words[1:]])
        except SystemExit as ended:
            if ended.code:
                wrong[text] = capsys.readouterr().err
    assert not wrong


def test_pages_do_hold_commands() -> None:
    assert len(_commands(ROOT / "README.md")) > 5

"""The commands of this project that its documents tell a reader to type."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

_BLOCK = re.compile(r"^```\w*\n(.*?)^```", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`((?:scripts/inv|invoke) [^`[]+)`")  # with a bracket it is a synopsis


def typed(page: Path) -> list[str]:
    """Return the lines of a page's blocks of code that call this program, without redirections."""
    text = page.read_text(encoding="utf-8")
    lines = "\n".join(_BLOCK.findall(text)).replace("\\\n", " ").splitlines()
    commands = [line.removeprefix("$ ").partition(" > ")[0] for line in lines]
    return [line for line in commands if line.startswith(("scripts/inv ", "invoke "))]


def named(page: Path) -> list[str]:
    """Return the commands in a page's running text; a task's alone as what asks for its help."""
    texts = _INLINE.findall(page.read_text(encoding="utf-8"))
    # In running text a task may be named without its arguments.
    return [f"{text} --help" if text.count(" ") == 1 else text for text in texts]

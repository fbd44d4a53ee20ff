"""Next steps are lines that can be typed: only `checkout.command` writes them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING

from tensorflow_macos_build import checkout
from tensorflow_macos_build.tasks.namespace import namespace

if TYPE_CHECKING:
    from collections.abc import Iterator


PACKAGE = Path(checkout.__file__).parent
ROOT = PACKAGE.parent
READ_ELSEWHERE = {
    *(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.glob("release/*.py")),
    "release/hosted/issue.py",
    "views/reference.py",
}
"""What writes files of the checkout, or another machine: it names the program as there."""
MODULES = [
    path
    for path in sorted(PACKAGE.rglob("*.py"))
    if "upstream/embedded/" not in path.as_posix()
    and path.relative_to(PACKAGE).as_posix() not in READ_ELSEWHERE
]

TASKS = {name for task, aliases in namespace.task_names.items() for name in (task, *aliases)}
_LINE = re.compile(r"\b(?:invoke|inv) ([a-z][a-z.]*)")


def _texts(tree: ast.AST) -> Iterator[str]:
    """Return the texts that a module may print: its strings but for docstrings."""
    for node in ast.walk(tree):
        documented = node.body if hasattr(node, "body") and isinstance(node.body, list) else []
        for child in documented:
            if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
                child.value.value = None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_no_text_names_a_command_line_that_is_not_the_users() -> None:
    written = {
        (path.relative_to(PACKAGE).as_posix(), text)
        for path in MODULES
        for text in _texts(ast.parse(path.read_bytes()))
        if any(task in TASKS for task in _LINE.findall(text))
    }
    assert not written


def test_pages_name_the_program_as_the_readme_does() -> None:
    pages = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *PACKAGE.rglob("*.md")]
    typed = re.compile(r"(?:^|`|\$ )(?:invoke|inv) ([a-z][a-z.]*)", re.MULTILINE)
    wrong = {page: set(typed.findall(page.read_text(encoding="utf-8"))) & TASKS for page in pages}
    assert not {page.name: names for page, names in wrong.items() if names}

"""How large the package's folders are, how long its functions, how many its comments.

    .venv/bin/python -m benchmarks.code_figures [CHECKOUT]

Another checkout can be measured, such as an older commit's. The miniature is left out.
The length of a function is that of its signature and body without its docstring.
"""

from __future__ import annotations

import ast
import io
import statistics
import sys
import tokenize
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PACKAGE = "tensorflow_macos_build"


def main(checkout: Path) -> None:
    root = checkout / _PACKAGE
    paths = [
        path for path in sorted(root.rglob("*.py")) if "embedded/source" not in path.as_posix()
    ]
    folders: dict[Path, list[int]] = {}
    for path in paths:
        folders.setdefault(path.parent, []).append(len(path.read_bytes().splitlines()))
    print(f"{'folder':44} {'files':>6} {'lines':>6}")
    for folder, lines in folders.items():
        print(f"{folder.relative_to(checkout).as_posix():44} {len(lines):6} {sum(lines):6}")
    lengths = sorted(length for path in paths for length in _functions(path))
    print(f"functions: {len(lengths)}, {_spread(lengths)} lines")
    total = sum(sum(lines) for lines in folders.values())
    comments = sum(_comments(path) for path in paths)
    print(f"comments: {comments} in {total} lines, {100 * comments / total:.1f} in a hundred")
    names = Counter(name for path in paths for name in _classes(path))
    doubled = sorted(name for name, count in names.items() if count > 1)
    print(f"classes of one name: {len(doubled)}: {', '.join(doubled)}")


def _spread(lengths: Sequence[int]) -> str:
    """Return the median, the ninth decile and the largest of sorted numbers."""
    tenth = lengths[len(lengths) * 9 // 10]
    return f"median {statistics.median(lengths):g}, p90 {tenth}, max {lengths[-1]}"


def _functions(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            text = node.body[0]
            has_text = ast.get_docstring(node) is not None
            yield length - ((text.end_lineno or 0) - text.lineno + 1 if has_text else 0)


def _comments(path: Path) -> int:
    """Count lines of comments that are no directives to tools."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text(encoding="utf-8")).readline)
    texts = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return sum(not text.startswith(("# noqa", "# type:", "# fmt:", "#!")) for text in texts)


def _classes(path: Path) -> Iterator[str]:
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.ClassDef):
            yield node.name.lstrip("_")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1])

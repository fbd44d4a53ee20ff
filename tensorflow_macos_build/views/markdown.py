"""Pieces of Markdown for a job's summary, in which foreign text is text and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.errors import MacosBuildError

_MEANINGS = str.maketrans({letter: f"\\{letter}" for letter in r"\`*_{}[]()#+-.!|~<>&@:"})
"""What has a meaning in Markdown, in GitHub's tables, links and mentions, or in HTML that it may
hold; with a backslash before it each stands for itself (CommonMark 0.31, section 2.4)."""

_LONGEST = 300
"""Characters of a cell: a table is read at a glance."""


def escaped(text: str) -> str:
    """Return a text as one line of Markdown that shows it as it stands."""
    line = " ".join(text.split())
    return (line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…").translate(_MEANINGS)


def verbatim(text: str) -> str:
    """Return a text as a block that shows its lines as they stand."""
    # In an indented block nothing has a meaning (CommonMark 0.31, section 4.4).
    return "\n".join(["", *(f"    {line}" for line in text.splitlines()), ""]) + "\n"


def table(titles: Sequence[str], rows: Iterable[Iterable[str]], *, numbers: int = 0) -> list[str]:
    """Return the lines of a table; its first `numbers` columns hold numbers, set to the right."""
    marks = ["---:" if column < numbers else "---" for column in range(len(titles))]
    lines = [[escaped(title) for title in titles], marks]
    for row in rows:
        cells = list(row)
        lines.append([*cells[:numbers], *map(escaped, cells[numbers:])])
    return [*(f"| {' | '.join(line)} |" for line in lines), ""]


def failure(error: MacosBuildError) -> str:
    """Return why work failed, in its own words."""
    return f"### It failed\n{verbatim(str(error))}"

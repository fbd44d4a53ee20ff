"""A range-diff as Markdown for a pull request, and as a page of HTML."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.review.rangediff import PatchFate, PatchPair
from tensorflow_macos_build.views import pages

if TYPE_CHECKING:
    from collections.abc import Sequence

MARKS = {PatchFate.SAME: "=", PatchFate.CHANGED: "!", PatchFate.ADDED: ">", PatchFate.REMOVED: "<"}
"""git range-diff's own signs for the four fates (git-range-diff(1), EXAMPLES)."""


def summary(pairs: Sequence[PatchPair]) -> str:
    """Return how many patches have each fate: `2 changed, 1 removed, 5 same`."""
    counts = Counter(pair.fate for pair in pairs)
    # what needs a look stands first
    listed = [f"{counts[fate]} {fate.value}" for fate in reversed(PatchFate) if counts[fate]]
    return ", ".join(listed) or "both queues are empty"


def markdown(title: str, pairs: Sequence[PatchPair]) -> str:
    """Return a range-diff as GitHub-flavoured Markdown: a table, then a fold a difference."""
    rows = [
        f"| {_position(pair.old_position)} | {MARKS[pair.fate]} | {_position(pair.new_position)} "
        f"| {_cell(pair.subject)} |"
        for pair in pairs
    ]
    folds = [_fold(pair) for pair in pairs if pair.difference]
    head = [f"## {_cell(title)}", "", f"{summary(pairs)}.", ""]
    table = ["| old | | new | patch |", "| ---: | :-: | ---: | --- |", *rows]
    return "\n".join([*head, *table, *folds]) + "\n"


def html(title: str, pairs: Sequence[PatchPair], notes: Sequence[str] = ()) -> str:
    """Return a range-diff as one self-contained page of HTML; `notes` on names stand below it."""
    values = {
        "title": title,
        "summary": summary(pairs),
        "pairs": pairs,
        "notes": notes,
        "marks": MARKS,
        "line_class": _line_class,
    }
    return pages.render("rangediff.html.j2", values)


def _position(position: int | None) -> str:
    return "-" if position is None else str(position)


def _cell(text: str) -> str:
    # a cell ends at a bar and at the line's end (GitHub Flavored Markdown, 4.10 Tables)
    escaped = re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text)
    return " ".join(escaped.split())


def _fold(pair: PatchPair) -> str:
    # a fence is closed by a run of as many backticks, so it is longer than any run in the text
    # (GitHub Flavored Markdown, 4.5 Fenced code blocks)
    runs: list[str] = re.findall(r"`+", pair.difference)
    fence = "`" * max([3, *(len(run) + 1 for run in runs)])
    # the summary is HTML, where a mark of `<` would begin a tag
    return (
        f"\n<details><summary>{MARKS[pair.fate].replace('<', '&lt;').replace('>', '&gt;')} "
        f"{_cell(pair.subject)}</summary>\n\n"
        f"{fence}diff\n{pair.difference.rstrip()}\n{fence}\n\n</details>"
    )


def _line_class(line: str) -> str:
    match line[:1]:
        case "+":
            return "plus"
        case "-":
            return "minus"
        case "@":
            return "hunk"
        case _:
            return ""

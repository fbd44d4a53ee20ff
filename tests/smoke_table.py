"""The table of the smoke test's checks: `python -m tests.smoke_table > docs/smoke_checks.md`."""

from __future__ import annotations

import sys
from itertools import groupby
from typing import TYPE_CHECKING

from tensorflow_macos_build.smoke.selection import catalogue

if TYPE_CHECKING:
    from tensorflow_macos_build.smoke.selection import CheckDescription

_HEAD = """\
# What the smoke test checks

Each check runs in a process of its own, on the device that is tried, and its results are compared
with NumPy in float64 or with the same on the reference. An issue is the report of a failure that
users met and the check tells. `quick` is what CI runs, `full` all but what takes long, `soak` that
too. A virtual GPU is held to float32 alone: what it is not held to is marked †.

The page is made by `python -m tests.smoke_table > docs/smoke_checks.md`.
"""

_TRACKERS = {
    "apple": "https://github.com/apple/tensorflow_macos/issues/",
    "tensorflow": "https://github.com/tensorflow/tensorflow/issues/",
}


def page(checks: tuple[CheckDescription, ...]) -> str:
    """Return the page about checks, a table for each of their groups."""
    parts = [_HEAD]
    ordered = sorted(checks, key=lambda check: check.group)
    for group, members in groupby(ordered, key=lambda check: check.group):
        parts.append(
            f"\n## {group}\n\n| check | it proves that | issue | sets |\n| --- | --- | --- | --- |"
        )
        parts += [_row(check) for check in members]
    return "\n".join(parts) + "\n"


def _row(check: CheckDescription) -> str:
    mark = "" if check.virtual else " †"
    summary = check.summary.replace("|", "\\|")
    return f"| `{check.name}`{mark} | {summary} | {_link(check.issue)} | {', '.join(check.sets)} |"


def _link(issue: str) -> str:
    tracker, _, number = issue.partition("#")
    return f"[{issue}]({_TRACKERS[tracker]}{number})" if issue else ""


if __name__ == "__main__":
    sys.stdout.write(page(catalogue()))

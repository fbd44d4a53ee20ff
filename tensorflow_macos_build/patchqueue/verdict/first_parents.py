"""A history as lines of first parents, on which a walk goes from stop to stop.

Where commits are asked about that touch one file, nearly all others only hand on to their first
parent: of 15,000 commits between two releases of TensorFlow a file is touched by ten.
"""

from __future__ import annotations

import bisect
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tensorflow_macos_build.git.commit_log import LoggedCommit

Stops = dict[int, list[int]]
"""Places on lines, by the line's number, in order."""


class _Place(NamedTuple):
    """Where a commit is: the number of its line, and how many of the line come before it."""

    line: int
    at: int


class FirstParents:
    """The commits of a history on lines, each followed by its first parent.

    Where several commits have the same first parent, it continues the line of one of them, and the
    other lines end before it.

    Args:
        commits: by id, children before parents.
    """

    def __init__(self, commits: Mapping[str, LoggedCommit]) -> None:
        self._lines: list[list[str]] = []
        self._places: dict[str, _Place] = {}
        self._after: list[str] = []
        for oid, commit in commits.items():
            if oid not in self._places:
                self._places[oid] = _Place(len(self._lines), 0)
                self._lines.append([oid])
                self._after.append("")
            line = self._places[oid].line
            parent = commit.parents[0] if commit.parents else ""
            if parent in commits and parent not in self._places:
                self._places[parent] = _Place(line, len(self._lines[line]))
                self._lines[line].append(parent)
            else:
                self._after[line] = parent

    def add(self, stops: Stops, commits: Iterable[str]) -> None:
        """Let walks stop at further commits."""
        for oid in commits:
            line, at = self._places[oid]
            on_line = stops.setdefault(line, [])
            place = bisect.bisect_left(on_line, at)
            if on_line[place : place + 1] != [at]:
                on_line.insert(place, at)

    def first_stop(self, commit: str, *stops: Stops) -> str | None:
        """Return the first of some stops from a commit on, which may be it; None: there is none."""
        while (start := self._places.get(commit)) is not None:
            nearest = (_first_from(some.get(start.line, ()), start.at) for some in stops)
            places = [at for at in nearest if at is not None]
            if places:
                return self._lines[start.line][min(places)]
            commit = self._after[start.line]
        return None


def _first_from(places: list[int] | tuple[()], at: int) -> int | None:
    """Return the first of some places from one on; None: there is none."""
    number = bisect.bisect_left(places, at)
    return places[number] if number < len(places) else None

"""The parts of a history up to each commit of a line that leads through it.

A bisection asks about many commits of one range, which is read once.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.commit_log import CommitLog, LoggedCommit
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.verdict.line_history import LineHistory


class HistoryAlongLine:
    """A history, cut off at commits of a line.

    Args:
        whole: the history.
        line: commits, of which each has those of the history that all before it have.
    """

    def __init__(self, whole: UpstreamHistory, line: Sequence[str]) -> None:
        self.whole = whole
        self._line = line
        self._parts: dict[int, UpstreamHistory] = {}

    @functools.cached_property
    def positions(self) -> Mapping[str, int]:
        """The first position of the line that has each commit of the history in its own."""
        positions: dict[str, int] = {}
        for position, tip in enumerate(self._line):
            waiting = [tip]
            while waiting:
                oid = waiting.pop()
                if oid not in positions and (commit := self.whole.commits.get(oid)):
                    positions[oid] = position
                    waiting += commit.parents
        return positions

    def bringing(self, commits: Iterable[str]) -> set[int]:
        """Return the positions that bring commits into the line's history."""
        return {self.positions[oid] for oid in commits if oid in self.positions}

    def until(self, position: int) -> UpstreamHistory:
        """Return the part of the history that a commit of the line has."""
        if position not in self._parts:
            commits = _PartOfCommits(self.whole.commits, self.positions, position)
            part = _PartialHistory(self.whole, self._line[position], commits)
            self._parts[position] = part
        return self._parts[position]


class _PartOfCommits(Mapping[str, "LoggedCommit"]):
    """The commits that a position of a line has, children before parents."""

    def __init__(
        self, commits: Mapping[str, LoggedCommit], positions: Mapping[str, int], last: int
    ) -> None:
        self._commits = commits
        self._positions = positions
        self._last = last

    def __contains__(self, oid: object) -> bool:
        return isinstance(oid, str) and self._positions.get(oid, self._last + 1) <= self._last

    def __getitem__(self, oid: str) -> LoggedCommit:
        if oid not in self:
            raise KeyError(oid)
        return self._commits[oid]

    def __iter__(self) -> Iterator[str]:
        return (oid for oid in self._commits if oid in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _PartialHistory(UpstreamHistory):
    """A part of a history; what is read or looked up serves all parts."""

    def __init__(
        self, whole: UpstreamHistory, new: str, commits: Mapping[str, LoggedCommit]
    ) -> None:
        super().__init__(whole.git, whole.old, new, whole.url)
        self._whole = whole
        self._part = commits
        self._diffs = whole._diffs

    def lines(self, quarantine: Quarantine) -> LineHistory:
        """Return what `UpstreamHistory.lines` does; its callers name the commit to begin at."""
        return self._whole.lines(quarantine)

    @functools.cached_property
    def log(self) -> CommitLog:
        """Return what `UpstreamHistory.log` does, of the whole history."""
        return self._whole.log

    @property
    def commits(self) -> Mapping[str, LoggedCommit]:
        """Return the commits of this part, children before parents."""
        return self._part

    def _beginning_with(self, name: str) -> list[str]:
        return [oid for oid in self._whole._beginning_with(name) if oid in self._part]

    # What follows has commits of other parts, too: who looks something up there asks `commits`.

    @property
    def _by_request(self) -> Mapping[str, list[str]]:
        return self._whole._by_request

    @property
    def _by_subject(self) -> Mapping[str, list[tuple[str, frozenset[str]]]]:
        return self._whole._by_subject

    @property
    def _by_number(self) -> Mapping[str, list[str]]:
        return self._whole._by_number

    @property
    def _reverting(self) -> Mapping[str, tuple[str, ...]]:
        return self._whole._reverting

    @property
    def _ages(self) -> Mapping[str, int]:
        return self._whole._ages

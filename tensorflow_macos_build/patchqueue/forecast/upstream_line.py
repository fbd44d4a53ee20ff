"""The commits on the way from a queue's base to a revision, and which of them matter to patches."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import attributes, trees
from tensorflow_macos_build.git.trees import folders_above
from tensorflow_macos_build.patchqueue.forecast import bisection
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup
from tensorflow_macos_build.patchqueue.verdict.partial_history import HistoryAlongLine

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.commit_log import PathTouch
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory


def lines_to(
    quarantine: Quarantine, whole: UpstreamHistory, revisions: Sequence[str]
) -> dict[str, UpstreamLine]:
    """Return the lines to revisions by their full ids; what two share of the way is read once."""
    if not revisions:
        return {}
    parents = bisection.FirstParents(quarantine.git, whole.old, revisions)
    ways = {oid: bisection.line_of(parents, quarantine.objects, oid) for oid in revisions}
    lines: dict[str, UpstreamLine] = {}
    for revision, commits in sorted(ways.items(), key=lambda way: -len(way[1])):
        through = (line for line in lines.values() if line.commits[: len(commits)] == commits)
        lines[revision] = UpstreamLine(quarantine, whole, commits, next(through, None))
    return lines


class UpstreamLine:
    """A line of commits (`bisection.line_of`), with what the history says of them.

    Args:
        quarantine: reads the objects.
        whole: what upstream did, up to the revision at least.
        commits: those of the line.
        longer: a line that begins with them, which then has what is known of both.

    Attributes:
        commits: those of the line, the queue's base first.
        history: what upstream did up to the revision.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        whole: UpstreamHistory,
        commits: tuple[str, ...],
        longer: UpstreamLine | None = None,
    ) -> None:
        self._quarantine = quarantine
        self.commits = commits
        self._longer = longer
        self._along: HistoryAlongLine = (
            longer._along if longer else HistoryAlongLine(whole, commits)
        )
        self.history = self.until(len(self.commits) - 1)
        self._compared: dict[str, set[int]] = {}

    def until(self, position: int) -> UpstreamHistory:
        """Return what upstream did up to a commit: what came later is no evidence there."""
        return self._along.until(position)

    def bringing(self, commits: Iterable[str]) -> set[int]:
        """Return the positions at which commits come into the line's history."""
        return self._own(self._along.bringing(commits))

    def _own(self, positions: Iterable[int]) -> set[int]:
        """Return those of positions that the line has itself."""
        return {position for position in positions if position < len(self.commits)}

    def with_moves(self, paths: Iterable[str]) -> set[str]:
        """Return paths, and those that upstream moved their files to, and these in turn."""
        known: set[str] = set()
        waiting = [*paths]
        while waiting:
            if (path := waiting.pop()) not in known:
                known.add(path)
                waiting += self.history.moved_to(path)
        return known

    def expect(self, paths: Iterable[str]) -> None:
        """Compare commits with those before them at paths that will be asked for, all at once."""
        if self._longer:
            self._longer.expect(paths)
            return
        fresh = {*paths, *self._attributes} - self._compared.keys()
        if not fresh:
            return
        self._compared |= {path: set() for path in fresh}
        positions = {self.commits[at]: at for at in self._jumps}
        pairs = [(self.commits[at], self.commits[at - 1]) for at in self._jumps]
        for oid, changes in trees.compare(self._quarantine.git, pairs, only=sorted(fresh)):
            for change in changes:
                # a path also names what is below it, where it is a folder by now
                for path in (change.path, *folders_above(change.path)):
                    if path in fresh:
                        self._compared[path].add(positions[oid])

    def changing(self, paths: Iterable[str]) -> set[int]:
        """Return the positions at which paths change, or commits come that changed them."""
        if self._longer:
            return self._own(self._longer.changing(paths))
        asked = {*paths, *self._attributes}
        self.expect(asked)
        touches = self.history.log.touches
        commits = (touch.commit for path in asked for touch in touches.get(path, ()))
        return self.bringing(commits).union(*(self._compared[path] for path in asked))

    def emptying(self, folder: str) -> set[int]:
        """Return the positions at which a folder may come or go."""
        if self._stands(folder):
            return set()
        inside = f"{folder}/"
        commits = (
            touch.commit
            for path, touches in self.history.log.touches.items()
            if path.startswith(inside)
            for touch in touches
            if _comes_or_goes(touch)
        )
        return self.bringing(commits) | {*self._jumps}

    @functools.cached_property
    def _jumps(self) -> Sequence[int]:
        """The positions whose changes the log does not show: merges, and what leads down."""
        logged = self.history.log.commits
        return [
            at
            for at in range(1, len(self.commits))
            if (commit := logged.get(self.commits[at])) is None
            or commit.parents != (self.commits[at - 1],)
        ]

    @functools.cached_property
    def _attributes(self) -> frozenset[str]:
        """The files that say how others merge, as far as upstream changes them."""
        names = (path for path in self.history.log.touches if path.endswith(attributes.NAME))
        return frozenset([attributes.NAME, *names])

    def _stands(self, folder: str) -> bool:
        """Whether a file in a folder is there all along, and so the folder is."""
        first, last = (self._files(self.commits[at], folder) for at in (0, -1))
        return any(not self.history.removals(f"{folder}/{name}") for name in first & last)

    def _files(self, commit: str, folder: str) -> set[str]:
        """Return the names of the files in a folder."""
        lookup, tree = TreeLookup(self._quarantine), self._quarantine.tree(commit)
        entry = lookup.at(tree, folder)
        if entry is None or not entry.is_tree:
            return set()
        listed = self._quarantine.objects.tree(entry.oid)
        return {name for name, below in listed.items() if not below.is_tree}


def _comes_or_goes(touch: PathTouch) -> bool:
    """Whether a commit adds a path or takes it away; of a merge, against any parent."""
    return not {*touch.facts.rpartition(b" ")[2]}.isdisjoint(b"AD")

"""Which patches of a queue wrote lines of a file: what `git blame` says, without its walks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.trees import PathChange
from tensorflow_macos_build.patchqueue.replay.conflicts import LineMaps
from tensorflow_macos_build.patchqueue.verdict import line_ranges
from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.git.commit_log import PathTouch
    from tensorflow_macos_build.git.diffs import LineRange
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.verdict.line_ranges import LineRanges


def of_queue(quarantine: Quarantine, base: str, patches: Sequence[QueueCommit]) -> LineWriters:
    """Return what finds the patches of a queue, which are commits on a base, that wrote lines."""
    last = patches[-1].commit if patches else base
    return LineWriters(quarantine, PathHistory(quarantine.git, base, last))


class LineWriters:
    """Finds the patches that wrote lines.

    Args:
        quarantine: reads the patches, and compares files.
        queue: the patches as commits, a line from the old base to the last one.
    """

    def __init__(self, quarantine: Quarantine, queue: PathHistory) -> None:
        self._quarantine = quarantine
        self._queue = queue
        self._line_maps = LineMaps(quarantine)
        self._known_moves: dict[str, Mapping[str, PathChange]] = {}

    def expect(self, paths: Iterable[str]) -> None:
        """Compare the versions of files that will be asked about, many at once."""
        sides = (touch.entries for path in paths for touch in self._queue.touches_of(path))
        self._line_maps.expect((old.oid, new.oid) for old, new in sides if old and new)

    def of(self, commit: str, path: str, lines: LineRange) -> set[str]:
        """Return the patches that wrote any lines of a file as a patch left it.

        Args:
            commit: that patch; for a commit below the queue nobody wrote any.
            path: the file.
            lines: lines in it.
        """
        if not lines.count or commit not in self._ages:
            return set()
        return self._writers(path, self._ages[commit], (lines,))

    @functools.cached_property
    def _ages(self) -> Mapping[str, int]:
        """How many patches come after each."""
        return {oid: age for age, oid in enumerate(self._queue.commits)}

    def _writers(self, path: str, age: int, left: LineRanges) -> set[str]:
        """Return who wrote lines of a file, of the patches of some age and more."""
        writers: set[str] = set()
        for touch in reversed(self._queue.touches_of(path)):
            touched_at = self._ages[touch.commit]
            if touched_at < age:
                continue
            change = self._change(path, touch)
            before = self._before(change, left)
            if _count(before) < _count(left):
                writers.add(touch.commit)
            if not before:
                break
            if change.moved_from:
                return writers | self._writers(change.moved_from, touched_at + 1, before)
            left = before
        return writers

    def _change(self, path: str, touch: PathTouch) -> PathChange:
        """Return what a patch does to a file; one that it adds may be another that it took away."""
        old, new = touch.entries
        change = PathChange(path, old, new)
        return change if old is not None else self._moves(touch.commit).get(path, change)

    def _moves(self, commit: str) -> Mapping[str, PathChange]:
        if commit not in self._known_moves:
            flags = ("-M50%", "-l0", "--diff-filter=R")
            ((_, moves),) = trees.compare(self._quarantine.git, [(commit,)], *flags)
            self._known_moves[commit] = {move.path: move for move in moves}
        return self._known_moves[commit]

    def _before(self, change: PathChange, lines: LineRanges) -> LineRanges:
        """Return where those lines were before a change that it did not write."""
        if change.old is None or change.new is None:
            return ()
        (hunks,) = self._line_maps.places([(change.old.oid, change.new.oid)])
        return line_ranges.kept(lines, hunks)


def _count(lines: LineRanges) -> int:
    return sum(stretch.count for stretch in lines)

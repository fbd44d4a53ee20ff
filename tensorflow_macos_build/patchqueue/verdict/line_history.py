"""Which commits changed lines of a file: the history read once for all, lines followed in memory.

What comes out is what `git log -L` finds, which walks the whole history for each stretch of lines:
from the newest commit back, each takes the lines to where they were before it. A merge hands them
to the first parent in which they are unchanged, and to all where there is none (line-log.c,
process_ranges_merge_commit); lines that such a merge has from none of them are its own, which git
does not show. benchmarks/line_changes.py compares what the two cost.
"""

from __future__ import annotations

import functools
import heapq
import itertools
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.recent import Recent
from tensorflow_macos_build.patchqueue.replay.conflicts import LineMaps
from tensorflow_macos_build.patchqueue.verdict import line_ranges
from tensorflow_macos_build.patchqueue.verdict.blob_hunks import BlobHunks
from tensorflow_macos_build.patchqueue.verdict.effect import PatchEffects
from tensorflow_macos_build.patchqueue.verdict.file_versions import BlobChange, FileVersions
from tensorflow_macos_build.patchqueue.verdict.first_parents import FirstParents, Stops

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.commit_log import LoggedCommit
    from tensorflow_macos_build.git.diffs import DiffHunk, LineRange
    from tensorflow_macos_build.git.hunk_places import HunkPlaces
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.verdict.line_ranges import LineRanges
    from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory

    Tracked = Mapping[str, LineRanges]
    """The lines of one stretch, by the files that they are in; more than one only by merges."""

    Stretches = dict[int, Tracked]
    """The stretches that a commit is asked for, by number."""

    _Edge = tuple[str, str]
    """A commit and one of its parents."""


class LineChange(NamedTuple):
    """A commit, and the lines that it took and brought in a stretch of a file."""

    commit: str
    took: frozenset[bytes]
    brought: frozenset[bytes]


class _Asked(NamedTuple):
    """A stretch of a commit's file whose history is asked for."""

    commit: str
    path: str
    stretch: LineRange


class _TouchedLines(NamedTuple):
    """What a hunk does where lines are asked about: it takes all its own, and brings some."""

    took: frozenset[bytes]
    brought: Sequence[bytes]


_LINES_KEPT = 1 << 20
"""Bytes of hunks whose lines are kept apart: one that changes a whole file is asked about by each
stretch of it that conflicts."""

_CHANGES_KEPT = 40_000
"""Lines in answers that are kept, some 100 bytes each: where patches are left out, later ones that
touch the same files conflict at the same lines of upstream's, and ask for them again."""


class LineHistory:
    """The history of lines between a queue's old base and its new one.

    Attributes:
        quarantine: reads the objects, and compares files.
        line_maps: what else was compared in it.
        effects: whether trees hold what patches do, by these comparisons.
    """

    def __init__(self, quarantine: Quarantine, history: PathHistory) -> None:
        self.quarantine = quarantine
        self.line_maps = LineMaps(quarantine)
        self.effects = PatchEffects(quarantine, self.line_maps)
        self._history = history
        self._versions = FileVersions(quarantine, history)
        self._hunks = BlobHunks(quarantine)
        self._lines: Recent[tuple[BlobChange, int], _TouchedLines] = Recent(_LINES_KEPT)
        self._changes: Recent[_Asked, tuple[LineChange, ...]] = Recent(_CHANGES_KEPT)
        self._sources: dict[tuple[_Edge, str], BlobChange] = {}
        self._expected: set[str] = set()

    def of_lines(
        self, new: str, path: str, stretches: Sequence[LineRange]
    ) -> list[tuple[LineChange, ...]]:
        """Return for each stretch of a file which commits changed its lines, newest first.

        Args:
            new: the commit whose file it is, which is of the history.
            path: the file.
            stretches: lines in that file.
        """
        asked = [_Asked(new, path, stretch) for stretch in stretches]
        known = {key: kept for key in asked if (kept := self._changes.get(key)) is not None}
        fresh = [key for key in dict.fromkeys(asked) if key not in known]
        if fresh:
            found = self._followed(new, path, [key.stretch for key in fresh])
            for key, changes in zip(fresh, map(tuple, found), strict=True):
                known[key] = changes
                lines = sum(len(change.took) + len(change.brought) for change in changes)
                self._changes.put(key, changes, lines + 1)
        return [known[key] for key in asked]

    def _followed(
        self, new: str, path: str, stretches: Sequence[LineRange]
    ) -> list[list[LineChange]]:
        """Follow stretches of a file back through its history, all at once."""
        lines = self._first_parents
        paths, stops = {path}, Stops()
        lines.add(stops, self._versions.changes(path))
        pending: dict[str, Stretches] = {}
        turns: list[int] = []

        def ask(commit: str, asked: Stretches) -> None:
            stop = lines.first_stop(commit, stops, self._always)
            if stop is None:
                return
            if stop not in pending:
                heapq.heappush(turns, self._turns[stop])
            _hand_on(pending, stop, asked)

        ask(new, {number: {path: (stretch,)} for number, stretch in enumerate(stretches)})
        changes: list[list[LineChange]] = [[] for _ in stretches]
        # Children come first: at a commit's turn all its children have handed their lines on.
        while turns:
            commit = self._commits[heapq.heappop(turns)]
            for number, tracked in pending.pop(commit.oid).items():
                touched, handed = self._step(commit, tracked)
                changes[number] += _changes(commit.oid, touched)
                for parent, before in handed.items():
                    for source in before.keys() - paths:
                        lines.add(stops, self._versions.changes(source))
                    paths.update(before)
                    ask(parent, {number: before})
        return changes

    @functools.cached_property
    def _commits(self) -> Sequence[LoggedCommit]:
        """The commits, children before parents."""
        return list(self._history.log.commits.values())

    @functools.cached_property
    def _turns(self) -> Mapping[str, int]:
        """The number of each commit among them."""
        return {commit.oid: turn for turn, commit in enumerate(self._commits)}

    @functools.cached_property
    def _first_parents(self) -> FirstParents:
        return FirstParents(self._history.log.commits)

    @functools.cached_property
    def _always(self) -> Stops:
        """The commits that hand on to other parents than the first, or to none."""
        stops = Stops()
        roots = (commit.oid for commit in self._commits if not commit.parents)
        self._first_parents.add(stops, [*self._versions.other_merges, *roots])
        return stops

    def _step(
        self, commit: LoggedCommit, tracked: Tracked
    ) -> tuple[tuple[_TouchedLines, ...], dict[str, Tracked]]:
        """Return what a commit does to lines, and which lines its parents are asked for."""
        if not commit.parents:
            return self._begun(commit.oid, tracked), {}
        handed: dict[str, Tracked] = {}
        by_parent: list[tuple[_TouchedLines, ...]] = []
        for number, parent in enumerate(commit.parents):
            # One parent has these lines unchanged: git follows it alone, and so does this.
            touched, before = self._across(commit, number, tracked)
            # lines that all came with this commit are in no parent
            asked: dict[str, Tracked] = {parent: before} if any(before.values()) else {}
            if not touched:
                return (), asked
            handed |= asked
            by_parent.append(touched)
        return (_merged_otherwise(by_parent) if commit.is_merge else by_parent[0]), handed

    def _begun(self, commit: str, tracked: Tracked) -> tuple[_TouchedLines, ...]:
        """Return the lines of files that a commit without parents begins with."""
        begun = [
            (BlobChange(path, self._versions.empty, self._versions.blob(commit, path)), lines)
            for path, lines in tracked.items()
        ]
        return tuple(
            self._within(change, number, lines)
            for change, lines in begun
            for number in range(len(self._hunks.places(change.old, change.new)))
        )

    def _across(
        self, commit: LoggedCommit, number: int, tracked: Tracked
    ) -> tuple[tuple[_TouchedLines, ...], Tracked]:
        """Take lines from a commit to one of its parents."""
        touched: list[_TouchedLines] = []
        before: Tracked = {}
        for path, lines in tracked.items():
            source, mapped = path, lines
            if lines and (change := self._versions.change(commit, number, path)):
                change = self._traced(commit, number, change)
                source = change.path
                mapped, numbers = line_ranges.before(lines, self._places(change))
                touched += (self._within(change, number, lines) for number in numbers)
            before = _joined(before, {source: mapped}) if before else {source: mapped}
        return tuple(touched), before

    def _within(self, change: BlobChange, number: int, lines: LineRanges) -> _TouchedLines:
        """Return all lines that a hunk takes, and those that it brings in the lines asked for."""
        whole = self._lines.get((change, number))
        if whole is None:
            hunk = self._hunks.between(change.old, change.new)[number]
            whole = _lines_of(hunk)
            self._lines.put((change, number), whole, len(hunk.text))
        first = self._hunks.places(change.old, change.new).new(number).start
        stretches = (
            whole.brought[max(0, stretch.start - first) : max(0, stretch.end - first)]
            for stretch in lines
        )
        return whole._replace(brought=[*itertools.chain.from_iterable(stretches)])

    def _traced(self, commit: LoggedCommit, number: int, change: BlobChange) -> BlobChange:
        """Find where a file came from that a commit brought: something that it took away."""
        empty = self._versions.empty
        if change.old != empty or change.new == empty:
            return change
        edge = commit.oid, commit.parents[number]
        if (edge, change.path) not in self._sources:
            self._sources[edge, change.path] = self._source(edge, change)
        return self._sources[edge, change.path]

    def _source(self, ids: _Edge, change: BlobChange) -> BlobChange:
        # As git does, which keeps this path and all deletions before it looks for renames
        # (line-log.c, queue_diffs): every other new file would be compared with each of them, too.
        gone = self._taken_away(ids)
        only = (change.path, *gone) if gone else ()
        if len(list(trees.batches(only))) > 1:  # renames are looked for among all of them at once
            only = ()
        # -l0 is no limit (git-diff-tree(1)): with more files than diff.renameLimit git finds none.
        moves = self._compare(ids, "-M50%", "-l0", "--diff-filter=R", only=only) if gone else ()
        for move in moves:
            if move.path == change.path and move.old is not None:
                return BlobChange(move.moved_from, move.old.oid, change.new)
        return change

    def _taken_away(self, ids: _Edge) -> Sequence[str]:
        commit = self._history.log.commits[ids[0]]
        if commit.is_merge:
            return [row.path for row in self._compare(ids, "--diff-filter=D")]
        return self._history.taken_away.get(commit.oid, ())

    def _compare(self, ids: _Edge, *flags: str, only: Sequence[str] = ()) -> tuple[PathChange, ...]:
        """Return what a commit changes against a parent."""
        ((_, changes),) = trees.compare(self.quarantine.git, [ids], *flags, only=only)
        return changes

    def _places(self, change: BlobChange) -> HunkPlaces:
        if change.path not in self._expected:
            self.expect([change.path])
        return self._hunks.places(change.old, change.new)

    def expect(self, paths: Iterable[str]) -> None:
        """Compare the versions of files: of one that is asked about most of them are read."""
        fresh = [path for path in dict.fromkeys(paths) if path not in self._expected]
        self._expected.update(fresh)
        self._hunks.expect(pair for path in fresh for pair in self._pairs(path))

    def _pairs(self, path: str) -> Iterator[tuple[str, str]]:
        """Yield the versions of a file before and after each commit that changes it."""
        empty = self._versions.empty
        for change in self._versions.changes(path).values():
            if change.new != empty:
                yield change.old, change.new


def _hand_on(pending: dict[str, Stretches], parent: str, asked: Stretches) -> None:
    """Let a parent be asked for stretches, besides those that other children ask it for."""
    known = pending.setdefault(parent, asked)
    if known is not asked:
        for number, tracked in asked.items():
            known[number] = _joined(known[number], tracked) if number in known else tracked


def _joined(first: Tracked, second: Tracked) -> Tracked:
    both = dict.fromkeys((*first, *second))
    return {path: line_ranges.union(first.get(path, ()), second.get(path, ())) for path in both}


def _lines_of(hunk: DiffHunk) -> _TouchedLines:
    lines = hunk.text.split(b"\n")[1:]
    took, brought = ([line[1:] for line in lines if line[:1] == sign] for sign in (b"-", b"+"))
    return _TouchedLines(frozenset(took), brought)


def _merged_otherwise(by_parent: Sequence[Sequence[_TouchedLines]]) -> tuple[_TouchedLines]:
    """Return the lines that all parents of a merge have and it has not, and the reverse.

    git shows such a merge, but no lines of it.
    """
    took = [_union([lines.took for lines in touched]) for touched in by_parent]
    brought = [_union([frozenset(lines.brought) for lines in touched]) for touched in by_parent]
    return (_TouchedLines(frozenset.intersection(*took), [*frozenset.intersection(*brought)]),)


def _changes(commit: str, touched: Sequence[_TouchedLines]) -> Iterator[LineChange]:
    """Yield the change that a commit makes, where it makes one.

    A hunk that touches lines only beside those asked for takes and brings none of them.
    """
    took = _union([lines.took for lines in touched])
    brought = _union([frozenset(lines.brought) for lines in touched])
    if took or brought:
        yield LineChange(commit, took, brought)


def _union(sets: Sequence[frozenset[bytes]]) -> frozenset[bytes]:
    # one is not copied: it may be all lines of a large file
    return sets[0] if len(sets) == 1 else frozenset[bytes]().union(*sets)

"""Which commits changed lines of a file: one walk of the history for all files, lines in memory.

What comes out is what `git log -L` finds, which walks the whole history for each stretch of lines:
from the newest commit back, each takes the lines to where they were before it. A merge hands them
to the first parent in which they are unchanged, and to all where there is none (line-log.c,
process_ranges_merge_commit). benchmarks/line_changes.py compares what the two cost.
"""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import diffs, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.patchqueue.replay import conflicts
from tensorflow_macos_build.patchqueue.verdict import line_ranges

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk, LineRange
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.verdict.line_ranges import LineRanges
    from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory

    Tracked = Mapping[str, LineRanges]


class LineChange(NamedTuple):
    """A commit, and the lines that it took and brought in a stretch of a file."""

    commit: str
    took: frozenset[bytes]
    brought: frozenset[bytes]


class _Edge(NamedTuple):
    """A commit and one of its parents."""

    commit: str
    parent: str


class _BlobChange(NamedTuple):
    """What a file was before a commit, and is after it: its path then, and the ids of the blobs."""

    path: str
    old: str
    new: str


class _TouchedLines(NamedTuple):
    """What a hunk does to lines that are asked about."""

    took: list[bytes]
    brought: list[bytes]


class LineHistory:
    """The history of lines between a queue's old base and its new one.

    Attributes:
        quarantine: reads the objects, and compares files.
    """

    def __init__(self, quarantine: Quarantine, history: PathHistory) -> None:
        self.quarantine = quarantine
        self._history = history
        self._known: set[str] = set()
        self._changes: dict[_Edge, dict[str, _BlobChange]] = {}
        self._hunks: dict[tuple[str, str], tuple[DiffHunk, ...]] = {}
        self._looked_for: set[tuple[_Edge, str]] = set()
        self._empty = quarantine.write("blob", b"")

    def read(self, paths: Iterable[str]) -> None:
        """Read what the commits did to files, all at once; `of_lines` does it for a single one."""
        fresh = tuple(path for path in dict.fromkeys(paths) if path not in self._known)
        if not fresh:
            return
        self._known.update(fresh)
        by_path = self._history.by_path
        touching = {touch.commit for path in fresh for touch in by_path.get(path, ())}
        # diff-tree has nothing for a merge without -m: each is compared with its parents here.
        touching |= self._merges
        edges = [edge for edge in self._edges if edge.commit in touching]
        for edge, changes in zip(edges, self._raw(edges, "--no-renames", only=fresh), strict=True):
            if changes:
                self._changes.setdefault(edge, {}).update(changes)
        all_changes = [change for files in self._changes.values() for change in files.values()]
        pairs = dict.fromkeys((change.old, change.new) for change in all_changes)
        self._compare([pair for pair in pairs if self._empty not in pair])

    def of_lines(self, new: str, path: str, lines: LineRange) -> list[LineChange]:
        """Return which commits changed lines of a file, newest first.

        Args:
            new: the commit whose file it is, which is of the history.
            path: the file.
            lines: the lines in that file.
        """
        self.read([path])
        pending: dict[str, Tracked] = {new: {path: (lines,)}}
        line_changes: list[LineChange] = []
        # Children come first: at a commit's turn all its children have handed their lines on.
        for commit, parents in self._commits:
            if tracked := pending.pop(commit, None):
                touched, handed = self._step(commit, parents, tracked)
                for parent, files in handed.items():
                    known = pending.get(parent)
                    pending[parent] = _joined(known, files) if known else files
                if touched:
                    line_changes.append(_as_change(commit, touched))
        # A hunk that touches lines only beside those asked for takes and brings none of them.
        return [change for change in line_changes if change.took or change.brought]

    @functools.cached_property
    def _commits(self) -> list[tuple[str, tuple[str, ...]]]:
        """The commits of the range, children before parents, and their parents."""
        argv = ("rev-list", "--topo-order", "--parents", *self._history.range)
        rows = (line.split() for line in self._history.git.line(*argv).splitlines())
        return [(commit, tuple(parents)) for commit, *parents in rows]

    def _step(
        self, commit: str, parents: Sequence[str], tracked: Tracked
    ) -> tuple[tuple[_TouchedLines, ...], dict[str, Tracked]]:
        """Return what a commit does to lines, and which lines its parents are asked for."""
        if not parents:
            return self._begun(commit, tracked), {}
        handed: dict[str, Tracked] = {}
        touched: tuple[_TouchedLines, ...] = ()
        for parent in parents:
            # One parent has these lines unchanged: git follows it alone, and so does this.
            touched, before = self._across(_Edge(commit, parent), tracked)
            if not touched:
                return (), {parent: before}
            handed[parent] = before
        # git shows no lines of a merge that differs from all its parents
        return (touched if len(parents) == 1 else ()), handed

    def _begun(self, commit: str, tracked: Tracked) -> tuple[_TouchedLines, ...]:
        """Return the lines of files that a commit without parents begins with."""
        tree = self.quarantine.tree(commit)
        entries = ((path, conflicts.TreeLookup(self.quarantine).at(tree, path)) for path in tracked)
        return tuple(
            _within(hunk, tracked[path])
            for path, entry in entries
            if entry is not None
            for hunk in self._between(_BlobChange(path, self._empty, entry.oid))
        )

    def _across(self, edge: _Edge, tracked: Tracked) -> tuple[tuple[_TouchedLines, ...], Tracked]:
        """Take lines from a commit to one of its parents."""
        changes = self._changes.get(edge)
        if not changes:
            return (), tracked
        touched: list[_TouchedLines] = []
        before: Tracked = {}
        for path, lines in tracked.items():
            source, mapped = path, lines
            if lines and path in changes:
                change = self._traced(edge, path, changes[path])
                source = change.path
                mapped, hunks = line_ranges.before(lines, self._between(change))
                touched += (_within(hunk, lines) for hunk in hunks)
            before = _joined(before, {source: mapped})
        return tuple(touched), before

    def _traced(self, edge: _Edge, path: str, change: _BlobChange) -> _BlobChange:
        """Find where a file came from that a commit brought: something that it took away."""
        if change.old != self._empty or (edge, path) in self._looked_for:
            return change
        self._looked_for.add((edge, path))
        # As git does, which keeps this path and all deletions before it looks for renames
        # (line-log.c, queue_diffs): every other new file would be compared with each of them, too.
        gone = self._raw([edge], "--no-renames", "--diff-filter=D")[0]
        only = (path, *gone)
        if len(list(trees.batches(only))) > 1:  # renames are looked for among all of them at once
            only = ()
        # -l0 is no limit (git-diff-tree(1)): with more files than diff.renameLimit git finds none.
        moved = self._raw([edge], "-M50%", "-l0", "--diff-filter=R", only=only)[0]
        source = moved.get(path, change)
        self.read([source.path])
        self._changes[edge][path] = source
        return source

    def _between(self, change: _BlobChange) -> tuple[DiffHunk, ...]:
        pair = (change.old, change.new)
        if pair not in self._hunks:
            self._compare([pair])
        return self._hunks[pair]

    @functools.cached_property
    def _edges(self) -> list[_Edge]:
        return [_Edge(commit, parent) for commit, parents in self._commits for parent in parents]

    @functools.cached_property
    def _merges(self) -> frozenset[str]:
        """Those commits of which the history by paths says nothing."""
        return frozenset(commit for commit, parents in self._commits if len(parents) > 1)

    def _raw(
        self, edges: Sequence[_Edge], *flags: str, only: Sequence[str] = ()
    ) -> list[dict[str, _BlobChange]]:
        """Return for each commit and parent what changes, by the paths after it."""
        compared = trees.compare(self.quarantine.git, edges, *flags, only=only)
        return [
            {
                change.path: _BlobChange(
                    change.moved_from or change.path, self._blob(change.old), self._blob(change.new)
                )
                for change in changes
                if change.new is None or _has_lines(change.new)
            }
            for _, changes in compared
        ]

    def _blob(self, entry: TreeEntry | None) -> str:
        """Return the id of the lines at a path; none where there is no file, or a submodule."""
        return entry.oid if entry is not None and _has_lines(entry) else self._empty

    def _compare(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Compare blobs as `git log -L` does: without heuristics, binary files as if of text."""
        fresh = [pair for pair in pairs if pair not in self._hunks]
        pairs_of_trees = [
            tuple(self.quarantine.write_tree({"f": TreeEntry("100644", oid)}) for oid in pair)
            for pair in fresh
        ]
        compared = diffs.of_trees(
            self.quarantine.git, [(old, new) for old, new in pairs_of_trees], context=0, plain=True
        )
        for pair, diff in zip(fresh, compared, strict=True):
            self._hunks[pair] = tuple(hunk for file in diff for hunk in file.hunks)


def _has_lines(entry: TreeEntry) -> bool:
    return not entry.is_submodule and not entry.is_tree


def _joined(first: Tracked, second: Tracked) -> Tracked:
    both = dict.fromkeys((*first, *second))
    return {path: line_ranges.union(first.get(path, ()), second.get(path, ())) for path in both}


def _within(hunk: DiffHunk, lines: LineRanges) -> _TouchedLines:
    """Return all lines that a hunk takes, and those that it brings in the lines asked for."""
    took, brought = (
        [line[1:].rstrip(b"\n") for line in hunk.lines if line[:1] == sign] for sign in (b"-", b"+")
    )
    numbers = (number for stretch in lines for number in range(stretch.start, stretch.end))
    inside = {number - hunk.new.start for number in numbers}
    return _TouchedLines(took, [line for at, line in enumerate(brought) if at in inside])


def _as_change(commit: str, touched: Iterable[_TouchedLines]) -> LineChange:
    took, brought = (
        frozenset(itertools.chain.from_iterable(lines)) for lines in zip(*touched, strict=True)
    )
    return LineChange(commit, took, brought)

"""The upstream commits that changed the lines which a conflict meets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import markers, trees
from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.patchqueue.replay import conflicts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.file_merges import FileVersions
    from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.replay.conflicts import PlacedHunk
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.line_history import LineChange


class Blame:
    """Finds the commits behind conflicts; one for each rebase."""

    def __init__(self, quarantine: Quarantine, history: UpstreamHistory) -> None:
        self._quarantine = quarantine
        self._history = history
        self._lines = history.lines(quarantine)
        self._lookup = conflicts.TreeLookup(quarantine)
        self._tree = quarantine.objects.commit(history.new).tree
        self._sizes: dict[str, int] = {}

    def expect(self, files: Iterable[FileVersions]) -> None:
        """Let git compare what will be asked for about files, many at once."""
        asked = [file for file in files if self._history.touches(file.path)]
        self._lines.expect(file.path for file in asked)
        upstreams = [self._lookup.at(self._tree, file.path) for file in asked]
        self._lines.line_maps.expect(
            (file.ours.oid, upstream.oid)
            for file, upstream in zip(asked, upstreams, strict=True)
            if file.ours and upstream and file.ours.oid != upstream.oid
        )

    def of_hunks(self, file: ConflictedPath, placed: Sequence[PlacedHunk]) -> list[tuple[str, ...]]:
        """Return for each hunk the commits that changed its lines, newest first.

        Those are what `git log -L` finds for the hunk's lines in the new base's file, less the
        commits that only touched the lines beside them.
        """
        entry = self._lookup.at(self._tree, file.path)
        if not placed or entry is None or not self._history.touches(file.path):
            return [()] * len(placed)
        size = self._size(entry.oid)
        if not size:  # an empty file has no lines whose history could be asked for
            return [self._history.commits_on(file.path)] * len(placed)
        stretches = [_with_neighbours(lines, size) for lines in self._lines_of(file, entry, placed)]
        changes = self._lines.of_lines(self._history.new, file.path, stretches)
        return [
            _blamed_commits(commits, placed_hunk.hunk)
            for commits, placed_hunk in zip(changes, placed, strict=True)
        ]

    def _size(self, blob: str) -> int:
        """Return how many lines a file has: patch after patch asks about the same ones."""
        if blob not in self._sizes:
            self._sizes[blob] = len(markers.split_lines(self._quarantine.objects.blob(blob)))
        return self._sizes[blob]

    def _lines_of(
        self, file: ConflictedPath, upstreams: TreeEntry, placed: Sequence[PlacedHunk]
    ) -> list[LineRange]:
        """Return where hunks are in upstream's file."""
        if file.ours is None or file.ours.oid == upstreams.oid:
            return [placed_hunk.ours for placed_hunk in placed]
        # An earlier patch changed the file: its lines are elsewhere in upstream's.
        (changed,) = self._lines.line_maps.places([(file.ours.oid, upstreams.oid)])
        return [changed.across(placed_hunk.ours) for placed_hunk in placed]

    def of_path(self, merged: MergeOutcome, file: ConflictedPath) -> tuple[str, ...]:
        """Return the commits to blame where a whole file is what conflicts.

        Where the file is gone, the commits that took it away; else all that touched it. Where git
        says nothing of a path itself (it followed a renamed folder), the paths that it names.
        """
        if file.ours is None and (removals := self._history.removals(file.path)):
            return removals
        if commits := self._history.commits_on(file.path):
            return commits
        named = [
            path for message in merged.messages if file.path in message.paths
            for path in message.paths
        ]  # fmt: skip
        # A file that the patch adds has no history; its folder, which upstream moved, has one.
        folders = _folders(named) if file.base is None else []
        paths = dict.fromkeys([*named, *folders])
        gone = dict.fromkeys(c for path in paths for c in self._history.removals(path))
        touched = dict.fromkeys(c for path in paths for c in self._history.commits_on(path))
        return tuple(gone or touched)

    def moved_to(self, commit: str, path: str) -> str:
        """Return the path that a commit moved a file to; "" when it deleted it."""
        return trees.moves(self._quarantine.git, commit).get(path, "")


def _with_neighbours(lines: LineRange, size: int) -> LineRange:
    """Widen a range by a line on each side: lines that were deleted leave only neighbours.

    `_blamed_commits` leaves out who changed nothing but these.
    """
    start = max(0, min(lines.start, size) - 1)
    return LineRange(start, max(1, min(size, lines.end + 1) - start))


def _blamed_commits(commits: Sequence[LineChange], hunk: markers.ConflictHunk) -> tuple[str, ...]:
    """Leave out the commits that only changed lines beside those in conflict.

    A commit is to blame that took a line which the patch expects, or a line that another such one
    put in its place. Where the patch expects none (both sides insert), those that brought the
    lines there are.
    """
    base = {line.rstrip(b"\n") for line in hunk.base}
    ours = {line.rstrip(b"\n") for line in hunk.ours}
    blamed: list[str] = []
    for change in reversed(commits):  # oldest first: what one brought in, a later one may take
        if change.took & base:
            blamed.insert(0, change.commit)
            base |= change.brought
    return tuple(blamed) or tuple(change.commit for change in commits if change.brought & ours)


def _folders(paths: Sequence[str]) -> list[str]:
    """Return the folders that paths are in, with a slash at the end."""
    return [path.rpartition("/")[0] + "/" for path in paths if "/" in path]

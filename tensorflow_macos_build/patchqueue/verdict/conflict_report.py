"""A conflict reported: its files, their hunks, whose commits they meet, what they follow from.

A conflict is a knock-on of an earlier patch that conflicts, too, when the lines that it meets were
written by that patch, or when upstream changed none of them, or (see `classify`) when it vanishes
with that patch resolved its way. Otherwise it is a first cause.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.patchqueue.replay import conflicts
from tensorflow_macos_build.patchqueue.verdict.blame import Blame
from tensorflow_macos_build.patchqueue.verdict.line_writers import LineWriters
from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory
from tensorflow_macos_build.patchqueue.verdict.status import ConflictReport, HunkReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.merges import ConflictedPath, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.conflicts import PlacedHunk
    from tensorflow_macos_build.patchqueue.replay.replay import ReplayStep
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

    Earlier = Sequence[tuple[QueueCommit, ReplayStep]]


class ConflictReporter:
    """Reports conflicts; one for each rebase."""

    def __init__(
        self, quarantine: Quarantine, history: UpstreamHistory, patches: Sequence[QueueCommit]
    ) -> None:
        last = patches[-1].commit if patches else history.old
        queue = PathHistory(quarantine.git, history.old, last)
        self._quarantine = quarantine
        self._history = history
        self._blame = Blame(quarantine, history)
        self._writers = LineWriters(quarantine, queue)
        self._known_diffs: dict[str, TreeDiff] = {}

    def report(self, step: ReplayStep, earlier: Earlier) -> tuple[ConflictReport, ...]:
        """Report a step's conflicting files, given the conflicting patches before it."""
        assert step.merged is not None
        return tuple(
            self._file(step, step.merged, file, earlier) for file in step.merged.conflicted
        )

    def _file(
        self, step: ReplayStep, merged: MergeResult, file: ConflictedPath, earlier: Earlier
    ) -> ConflictReport:
        before = _path_before(step, file)
        related = [pair for pair in earlier if _touches(pair[1], {before, file.path})]
        placed = conflicts.placed_hunks(self._quarantine, merged, file)
        by_hunk = self._blame.of_hunks(file, placed)
        if placed:
            follows = [
                self._hunk_follows(step.commit, before, placed_hunk, commits, related)
                for placed_hunk, commits in zip(placed, by_hunk, strict=True)
            ]
            blamed = list(dict.fromkeys(commit for commits in by_hunk for commit in commits))
        else:
            blamed = list(self._blame.of_path(merged, file))
            # Upstream did nothing here: it can only be the last patch on the file before this one.
            follows = [() if blamed or not related else (related[-1][0].name,)]
        kind, words = _kind_and_words(merged, file)
        return ConflictReport(
            file.path,
            kind,
            words,
            tuple(
                self._hunk(placed_hunk, commits)
                for placed_hunk, commits in zip(placed, by_hunk, strict=True)
            ),
            self._history.describe(blamed),
            self._moved_to(file, blamed),
            # One hunk that follows from no patch makes the file's conflict upstream's doing.
            tuple(dict.fromkeys(n for names in follows for n in names)) if all(follows) else (),
        )

    def _hunk_follows(
        self, commit: str, path: str, placed: PlacedHunk, blamed: Sequence[str], related: Earlier
    ) -> tuple[str, ...]:
        """Return the earlier conflicting patches, by name, that a hunk's conflict follows from."""
        if not related:
            return ()
        wrote = self._wrote_all(path, placed, related)
        if not wrote:
            parents = self._quarantine.objects.commit(commit).parents
            writers = self._writers.of(parents[0], path, placed.base) if parents else set()
            wrote = tuple(patch.name for patch, _ in related if patch.commit in writers)
        if wrote or blamed:
            return wrote
        # Nobody upstream changed these lines: the last patch on the file that conflicts did.
        return (related[-1][0].name,)

    def _wrote_all(self, path: str, placed: PlacedHunk, related: Earlier) -> tuple[str, ...]:
        """Return the name of the latest earlier conflicting patch that adds all lines of a hunk.

        Short lines, which are everywhere, do not count.
        """
        lines = {line.strip() for line in placed.hunk.base if len(line.strip()) > 2}
        for patch, _ in reversed(related if lines else ()):
            diff = self._diffs(patch.commit)
            added = {line[1:].strip() for file in diff if file.path == path for line in file.added}
            if lines <= added:
                return (patch.name,)
        return ()

    def _diffs(self, commit: str) -> TreeDiff:
        if commit not in self._known_diffs:
            self._known_diffs |= diffs.of_commits(self._quarantine.git, [commit])
        return self._known_diffs[commit]

    def _hunk(self, placed: PlacedHunk, commits: Sequence[str]) -> HunkReport:
        return HunkReport(
            placed.base.start + 1,
            placed.ours.start + 1,
            _readable(placed.hunk.base),
            _readable(placed.hunk.ours),
            _readable(placed.hunk.theirs),
            self._history.describe(commits),
        )

    def _moved_to(self, file: ConflictedPath, blamed: Sequence[str]) -> str:
        if file.ours is not None or not blamed:
            return ""
        return self._blame.moved_to(blamed[0], file.path)


def _path_before(step: ReplayStep, file: ConflictedPath) -> str:
    """Return a file's path before the patch; upstream may have moved it since.

    git names a conflict by the new path alone; the blob of the base says which file it was.
    """
    if file.base is not None:
        for change in step.changes:
            if change.old == file.base:
                return change.path
    return file.path


def _touches(step: ReplayStep, paths: set[str]) -> bool:
    return any(change.path in paths for change in step.changes)


def _kind_and_words(merged: MergeResult, file: ConflictedPath) -> tuple[str, str]:
    """Return git's name for a file's conflict, and its sentence; of a submodule its commits, too.

    git shows the commits of a conflicting submodule in the index only. A message without paths (of
    a merge that git did not survive) is about all files.
    """
    about = [
        message
        for message in merged.messages
        if message.is_conflict and (file.path in message.paths or not message.paths)
    ]
    kind, words = (about[0].kind, about[0].words) if about else ("CONFLICT", "")
    return kind, f"{words}: {_commits_of(file)}" if file.is_submodule else words


def _commits_of(file: ConflictedPath) -> str:
    sides = (("the base", file.base), ("upstream", file.ours), ("the patch", file.theirs))
    return ", ".join(
        f"{name} has {'commit ' if side.is_submodule else ''}{side.oid}"
        for name, side in sides
        if side is not None
    )


def _readable(lines: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(line.rstrip(b"\n").decode("utf-8", "replace") for line in lines)

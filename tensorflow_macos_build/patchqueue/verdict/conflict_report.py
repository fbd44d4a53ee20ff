"""A conflict reported: its files, their hunks, whose commits they meet, what they follow from.

A conflict is a knock-on of an earlier patch that conflicts, too, when the lines that it meets were
written by that patch, or when upstream changed none of them, or (see `classify`) when it vanishes
with that patch resolved its way. Otherwise it is a first cause.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.file_merges import FileVersions
from tensorflow_macos_build.patchqueue.replay import conflicts
from tensorflow_macos_build.patchqueue.verdict.blame import Blame
from tensorflow_macos_build.patchqueue.verdict.status import ConflictReport, HunkReport

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.merges import ConflictedPath, MergeOutcome
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.replay.conflicts import PlacedHunk
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory
    from tensorflow_macos_build.patchqueue.verdict.line_writers import LineWriters
    from tensorflow_macos_build.patchqueue.verdict.patches_by_path import PatchesByPath


_AHEAD = 160
"""Files whose comparisons are asked for before they are reported: some questions' worth of them
(`blob_diffs.AT_ONCE`), so that git is at work while the reports are made. The next are asked for
when half of them are reported."""

_INSIGNIFICANT = 2
"""Characters up to which a line (`}`, `);`) is everywhere, and no evidence."""


class ConflictReporter:
    """Reports conflicts; one for each rebase."""

    def __init__(
        self, quarantine: Quarantine, history: UpstreamHistory, writers: LineWriters
    ) -> None:
        self._quarantine = quarantine
        self._history = history
        self._blame = Blame(quarantine, history)
        self._line_maps = history.lines(quarantine).line_maps
        self._writers = writers
        self._added = _AddedLines(history)
        self._shown: dict[str, str] = {}
        self._waiting: deque[ReplayStep] = deque()
        # of what is asked for and not yet reported: how many files, in all and by patch
        self._ahead, self._files_of = 0, dict[str, int]()
        # the conflicting patches on each path, up to where the asking has come
        self._on_path: dict[str, list[str]] = {}

    def expect_files(self, files: Iterable[FileVersions]) -> None:
        """Let git compare what the reports of files in conflict need."""
        # Where both sides have a file with lines: others are looked at one by one.
        asked = [f for f in files if f.ours and f.theirs and f.ours.is_file and f.theirs.is_file]
        empty = self._quarantine.write("blob", b"")
        self._line_maps.expect(
            (
                (file.base.oid if file.base else empty, side.oid)
                for file in asked
                for side in (file.ours, file.theirs)
                if side
            ),
            "histogram",
        )
        self._blame.expect(asked)

    def expect(self, steps: Sequence[ReplayStep]) -> None:
        """Let git compare what the reports of several steps need, which are made in their order.

        The files of later ones are compared while earlier ones are reported.
        """
        self._waiting.extend(steps)
        self._go_ahead()

    def _go_ahead(self) -> None:
        """Let git compare files until enough of those are asked for that are reported next."""
        part: list[ReplayStep] = []
        while self._waiting and self._ahead < _AHEAD:
            part.append(self._waiting.popleft())
            count = self._files_of[part[-1].commit] = len(_conflicted(part[-1]))
            self._ahead += count
        self.expect_files(
            FileVersions(file.path, file.base, file.ours, file.theirs)
            for step in part
            for file in _conflicted(step)
        )
        self._expect_patches(part)

    def _expect_patches(self, part: Sequence[ReplayStep]) -> None:
        """Read the patches that steps may follow from: earlier ones on files in conflict."""
        patches: dict[str, None] = {}
        paths: dict[str, None] = {}
        for step in part:
            for file in _conflicted(step):
                path = _path_before(step, file)
                if before := self._on_path.get(path):
                    patches |= dict.fromkeys(before)
                    paths[path] = None
            for change in step.changes:
                self._on_path.setdefault(change.path, []).append(step.commit)
        self._history.expect(patches)
        self._writers.expect(paths)

    def report(self, step: ReplayStep, earlier: PatchesByPath) -> tuple[ConflictReport, ...]:
        """Report a step's conflicting files, given the conflicting patches before it."""
        assert step.merged is not None
        self._ahead -= self._files_of.pop(step.commit, 0)
        if self._waiting and self._ahead <= _AHEAD // 2:
            self._go_ahead()
        return tuple(
            self._file(step, step.merged, file, earlier) for file in step.merged.conflicted
        )

    def _file(
        self, step: ReplayStep, merged: MergeOutcome, file: ConflictedPath, earlier: PatchesByPath
    ) -> ConflictReport:
        before = _path_before(step, file)
        related = earlier.on({before, file.path})
        placed = conflicts.placed_hunks(self._quarantine, file, self._line_maps)
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
            follows = [() if blamed or not related else (related[-1].name,)]
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
        self,
        commit: str,
        path: str,
        placed: PlacedHunk,
        blamed: Sequence[str],
        related: Sequence[QueueCommit],
    ) -> tuple[str, ...]:
        """Return the earlier conflicting patches, by name, that a hunk's conflict follows from."""
        if not related:
            return ()
        last = self._added.last_of(path, placed.hunk.base, related)
        if last is not None:
            return (last.name,)
        parents = self._quarantine.objects.commit(commit).parents
        writers = self._writers.of(parents[0], path, placed.base) if parents else set()
        wrote = tuple(patch.name for patch in related if patch.commit in writers)
        if wrote or blamed:
            return wrote
        # Nobody upstream changed these lines: the last patch on the file that conflicts did.
        return (related[-1].name,)

    def _hunk(self, placed: PlacedHunk, commits: Sequence[str]) -> HunkReport:
        return HunkReport(
            placed.base.start + 1,
            placed.ours.start + 1,
            self._readable(placed.hunk.base),
            self._readable(placed.hunk.ours),
            self._readable(placed.hunk.theirs),
            self._history.describe(commits),
        )

    def _readable(self, lines: Sequence[bytes]) -> tuple[str, ...]:
        # The next patches often conflict in the same lines, which are kept once.
        decoded = (line.rstrip(b"\n").decode("utf-8", "replace") for line in lines)
        return tuple([self._shown.setdefault(line, line) for line in decoded])

    def _moved_to(self, file: ConflictedPath, blamed: Sequence[str]) -> str:
        if file.ours is not None or not blamed:
            return ""
        return self._blame.moved_to(blamed[0], file.path)


class _AddedLines:
    """Which patches add a line to a file; each patch is read once, however many hunks ask."""

    def __init__(self, history: UpstreamHistory) -> None:
        self._history = history
        self._known: dict[tuple[str, str], frozenset[bytes]] = {}

    def last_of(
        self, path: str, lines: Iterable[bytes], patches: Sequence[QueueCommit]
    ) -> QueueCommit | None:
        """Return the last of some patches that adds all of the lines to a file; None: none does.

        Short lines, which are everywhere, do not count.
        """
        significant = {bare for line in lines if len(bare := line.strip()) > _INSIGNIFICANT}
        if not significant:
            return None
        self._learn(path, [patch.commit for patch in patches])
        adding = (p for p in reversed(patches) if significant <= self._known[p.commit, path])
        return next(adding, None)

    def _learn(self, path: str, commits: Sequence[str]) -> None:
        fresh = [commit for commit in commits if (commit, path) not in self._known]
        for commit, diff in zip(fresh, self._history.changes_in(path, fresh), strict=True):
            added = frozenset(line[1:].strip() for file in diff for line in file.added)
            self._known[commit, path] = added


def _conflicted(step: ReplayStep) -> Sequence[ConflictedPath]:
    return step.merged.conflicted if step.merged else ()


def _path_before(step: ReplayStep, file: ConflictedPath) -> str:
    """Return a file's path before the patch; upstream may have moved it since.

    git names a conflict by the new path alone; the blob of the base says which file it was.
    """
    if file.base is not None:
        for change in step.changes:
            if change.old == file.base:
                return change.path
    return file.path


def _kind_and_words(merged: MergeOutcome, file: ConflictedPath) -> tuple[str, str]:
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

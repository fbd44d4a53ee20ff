"""Which paths upstream's commits touch, between a queue's old base and its new one."""

from __future__ import annotations

import functools
import itertools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import commit_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.commit_log import CommitLog, LoggedCommit, PathTouch
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange


class PathHistory:
    """The paths that the commits touch which a new base has and the old one has not.

    Args:
        git: where to ask.
        old: the old base, a full commit id.
        new: the new base, likewise.
        beside: further commits whose history is read in the same walk (`partial_history`).
    """

    def __init__(self, git: Git, old: str, new: str, *, beside: Sequence[str] = ()) -> None:
        self.git = git
        self.old = old
        self.new = new
        self._beside = beside
        self._touches: dict[str, tuple[PathTouch, ...]] = {}

    @functools.cached_property
    def log(self) -> CommitLog:
        """The commits, read when first needed: all that anybody asks of them, in one walk."""
        return commit_log.read(self.git, self.new, *self._beside, f"^{self.old}")

    @property
    def commits(self) -> Mapping[str, LoggedCommit]:
        """The commits by id, children before parents."""
        return self.log.commits

    def touches_of(self, path: str) -> tuple[PathTouch, ...]:
        """Return who touches a path, oldest first.

        A merge does not: it brings what the commits of its parents did.
        """
        if path not in self._touches:
            touches, commits = self.log.touches.get(path, ()), self.commits
            self._touches[path] = tuple(
                touch
                for touch in reversed(touches)
                if touch.commit in commits and not commits[touch.commit].is_merge
            )
        return self._touches[path]

    @functools.cached_property
    def taken_away(self) -> Mapping[str, list[str]]:
        """The paths that commits take away which their parents have."""
        gone: dict[str, list[str]] = {}
        for path, touches in self.log.touches.items():
            for touch in touches:
                if touch.removes:
                    gone.setdefault(touch.commit, []).append(path)
        return gone

    def paths_of(self, commit: str) -> frozenset[str]:
        """Return the paths that a commit changes against its parent; of a merge none."""
        logged = self.log.commits.get(commit)
        return frozenset(() if logged is None or logged.is_merge else logged.paths)

    def touches(self, path: str) -> bool:
        """Whether upstream changed a path."""
        return bool(self.touches_of(path))

    def commits_on(self, path: str) -> tuple[str, ...]:
        """Return the commits that touch a path, newest first; a folder's path ends in a slash."""
        return tuple(dict.fromkeys(touch.commit for touch in self._newest_first(path)))

    def removals(self, path: str) -> tuple[str, ...]:
        """Return the commits that take a path away, newest first; a folder ends in a slash."""
        removing = (touch.commit for touch in self._newest_first(path) if touch.removes)
        return tuple(dict.fromkeys(removing))

    def _newest_first(self, path: str) -> Iterator[PathTouch]:
        is_folder = path.endswith("/")
        inside = [known for known in self.log.touches if is_folder and known.startswith(path)]
        for known in inside if is_folder else [path]:
            yield from reversed(self.touches_of(known))

    def touching(self, paths: Iterable[str]) -> list[str]:
        """Return the commits that change any of the paths, each once."""
        commits = (touch.commit for path in paths for touch in self.touches_of(path))
        return list(dict.fromkeys(commits))

    def changing_only(self, paths: Iterable[str]) -> list[str]:
        """Return the commits that change all of the paths and no others."""
        asked = dict.fromkeys(paths)
        # each of them touches the first path, and nearly all that do have another number of paths
        touching = self.touching(itertools.islice(asked, 1))
        alike = (oid for oid in touching if len(self.log.commits[oid].paths) == len(asked))
        return [oid for oid in alike if self.paths_of(oid) == asked.keys()]

    def makes(self, commit: str, changes: Iterable[PathChange]) -> bool:
        """Whether a commit makes each of some changes, file contents by their ids."""
        return all(
            touch.entries == (change.old, change.new)
            for change in changes
            for touch in self.log.touches[change.path]
            if touch.commit == commit
        )

"""Which paths upstream's commits touch, between a queue's old base and its new one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import trees

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tensorflow_macos_build.git.repository import Git


class PathTouch(NamedTuple):
    """A commit that touches a path, and whether it takes it away."""

    commit: str
    removes: bool


class PathHistory:
    """The paths that the commits touch which a new base has and the old one has not.

    Args:
        git: where to ask.
        old: the old base, a full commit id.
        new: the new base, likewise.
    """

    def __init__(self, git: Git, old: str, new: str) -> None:
        self.git = git
        self.old = old
        self.new = new

    @property
    def range(self) -> tuple[str, str]:
        """Return the revisions as git's commands take them."""
        return (self.new, f"^{self.old}")

    @functools.cached_property
    def by_path(self) -> Mapping[str, tuple[PathTouch, ...]]:
        """Return, for each path that upstream changed, by which commits; oldest first."""
        # Read at once for the whole range: every patch asks for the commits on its paths.
        # By date alone, a parent may come behind its child where a clock was wrong
        # (git-rev-list(1)).
        commits = self.git.line("rev-list", "--reverse", "--topo-order", *self.range).split()
        touches: dict[str, list[PathTouch]] = {}
        for commit, changes in trees.by_commit(self.git, commits):
            for change in changes:
                touches.setdefault(change.path, []).append(PathTouch(commit, change.new is None))
        return {path: tuple(touching) for path, touching in touches.items()}

    @functools.cached_property
    def by_commit(self) -> Mapping[str, frozenset[str]]:
        """Return, for each commit that changes anything against its parent, which paths."""
        paths: dict[str, set[str]] = {}
        for path, touches in self.by_path.items():
            for touch in touches:
                paths.setdefault(touch.commit, set()).add(path)
        return {commit: frozenset(changed) for commit, changed in paths.items()}

    def touches(self, path: str) -> bool:
        """Whether upstream changed a path."""
        return path in self.by_path

    def commits_on(self, path: str) -> tuple[str, ...]:
        """Return the commits that touch a path, newest first; a folder's path ends in a slash."""
        return self._commits(path, only_removals=False)

    def removals(self, path: str) -> tuple[str, ...]:
        """Return the commits that take a path away, newest first; a folder ends in a slash."""
        return self._commits(path, only_removals=True)

    def _commits(self, path: str, *, only_removals: bool) -> tuple[str, ...]:
        inside = [known for known in self.by_path if known.startswith(path)]
        touches = [
            touch
            for known in (inside if path.endswith("/") else [path])
            for touch in reversed(self.by_path.get(known, ()))
            if touch.removes or not only_removals
        ]
        return tuple(dict.fromkeys(touch.commit for touch in touches))

    def touching(self, paths: Iterable[str]) -> list[str]:
        """Return the commits that change any of the paths, each once."""
        commits = (touch.commit for path in paths for touch in self.by_path.get(path, ()))
        return list(dict.fromkeys(commits))

    def changing_only(self, paths: Iterable[str]) -> list[str]:
        """Return the commits that change all of the paths and no others."""
        asked = dict.fromkeys(paths)
        return [commit for commit in self.touching(asked) if self.by_commit[commit] == set(asked)]

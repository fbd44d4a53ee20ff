"""What the commits of a history change in a file, against each of their parents."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.patchqueue.replay import conflicts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tensorflow_macos_build.git.commit_log import LoggedCommit
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.verdict.path_history import PathHistory


class BlobChange(NamedTuple):
    """What a file was in a parent of a commit, and is in it: its path then, the ids of the blobs.

    A path without lines of its own (nothing, a folder, a submodule) has the empty blob.
    """

    path: str
    old: str
    new: str

    @property
    def differs(self) -> bool:
        """Whether it is another file than before."""
        return self.old != self.new


class FileVersions:
    """The versions that files had in the commits of a history.

    The log has what a commit changes against its only parent. Merges are compared with the first
    one where a line of first parents leads to them: what they bring in is little. Any other merge,
    and what one has otherwise than another parent, is looked up in its tree when it is asked for.

    Args:
        quarantine: reads the objects.
        history: the commits.

    Attributes:
        empty: the id of the empty blob.
    """

    def __init__(self, quarantine: Quarantine, history: PathHistory) -> None:
        self.empty = quarantine.write("blob", b"")
        self._quarantine = quarantine
        self._history = history
        self._lookup = conflicts.TreeLookup(quarantine)
        self._trees: dict[str, str] = {}
        self._known: dict[str, Mapping[str, BlobChange]] = {}

    def changes(self, path: str) -> Mapping[str, BlobChange]:
        """Return the commits that change a path against their first parents, and in what.

        Those that are in `other_merges` are not among them.
        """
        if path not in self._known:
            commits = self._history.log.commits
            touches = self._history.log.touches.get(path, ())
            made = {t.commit: t.entries for t in touches if not commits[t.commit].is_merge}
            made |= self._brought_in.get(path, {})
            known = {oid: BlobChange(path, *map(self._lines, made[oid])) for oid in made}
            self._known[path] = {oid: change for oid, change in known.items() if change.differs}
        return self._known[path]

    @functools.cached_property
    def other_merges(self) -> frozenset[str]:
        """The merges that are on no line of first parents from the newest commit."""
        commits = self._history.log.commits.values()
        return frozenset(c.oid for c in commits if c.is_merge) - frozenset(self._mainline)

    @functools.cached_property
    def _mainline(self) -> Mapping[str, str]:
        """The merges from the newest commit down, each with its first parent."""
        commits, at = self._history.log.commits, self._history.new
        merges: dict[str, str] = {}
        while at in commits and (parents := commits[at].parents):
            if len(parents) > 1:
                merges[at] = parents[0]
            at = parents[0]
        return merges

    @functools.cached_property
    def _brought_in(self) -> Mapping[str, dict[str, tuple[TreeEntry | None, ...]]]:
        """What these merges change, by path."""
        brought_in: dict[str, dict[str, tuple[TreeEntry | None, ...]]] = {}
        for oid, changes in trees.compare(self._quarantine.git, self._mainline.items()):
            for change in changes:
                brought_in.setdefault(change.path, {})[oid] = (change.old, change.new)
        return brought_in

    def change(self, commit: LoggedCommit, number: int, path: str) -> BlobChange | None:
        """Return what a commit changes at a path against one of its parents; None: nothing."""
        if number == 0 and commit.oid not in self.other_merges:
            return self.changes(path).get(commit.oid)
        parent = commit.parents[number]
        change = BlobChange(path, self.blob(parent, path), self.blob(commit.oid, path))
        return change if change.differs else None

    def blob(self, commit: str, path: str) -> str:
        """Return the id of the lines at a path of a commit."""
        if commit not in self._trees:
            self._trees[commit] = self._quarantine.tree(commit)
        return self._lines(self._lookup.at(self._trees[commit], path))

    def _lines(self, entry: TreeEntry | None) -> str:
        if entry is None or entry.is_submodule or entry.is_tree:
            return self.empty
        return entry.oid

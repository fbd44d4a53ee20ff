"""Merges that are certain to conflict, which is known before git merges whole trees.

Where a conflicting patch is left out, only that it conflicts matters, and at which paths. A file
whose contents conflict on all three sides does so in the whole merge, too; so does one that a patch
changes, our side lacks, and git cannot take for renamed there. What else such a patch does may ask
for a merge of whole trees: that is made only where somebody has to know of all its conflicts.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.file_merges import FileVersions
from tensorflow_macos_build.patchqueue.replay.conflicts import TreeLookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.file_merges import FileMerger
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchTrees


class UnmadeMerge:
    """A patch's merge into a tree, of which only as much is found out as is asked for.

    Args:
        quarantine: where objects are.
        merger: what merges files.
        patch: the trees that the patch is the difference of.
        ours: the id of the tree that it is to be merged into.
        changes: what it does to each path.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        merger: FileMerger,
        patch: PatchTrees,
        ours: str,
        changes: Sequence[PathChange],
    ) -> None:
        self._merger = merger
        self._patch = patch
        self._ours = ours
        self._lookup = TreeLookup(quarantine)
        self._meeting: list[FileVersions] = []
        self._gone: dict[str, str] = {}
        self._possible: set[str] = set()
        self._known: list[str] = []
        self._added = {c.path.rpartition("/")[2] for c in changes if c.old is None}
        self._deletes = any(change.new is None for change in changes)
        for change in changes:
            self._sort(change, self._lookup.at(ours, change.path))

    def _sort(self, change: PathChange, now: TreeEntry | None) -> None:
        old, new = change.old, change.new
        if old and new and now in (old, new):
            return
        self._possible.add(change.path)
        # of links, submodules, and what becomes one, git is asked
        if old is None or new is None or not all(e.is_file for e in (old, new, now) if e):
            return
        if now is not None:
            self._meeting.append(FileVersions(change.path, old, now, new))
        elif self._has_no_file_above(change.path):
            self._gone[change.path] = old.oid

    def _has_no_file_above(self, path: str) -> bool:
        parts = path.split("/")
        above = (self._lookup.at(self._ours, "/".join(parts[:n])) for n in range(1, len(parts)))
        return all(folder is None or folder.is_tree for folder in above)

    @property
    def may_conflict(self) -> bool:
        """Whether a conflict can be certain at all; where not, nothing need be looked for."""
        return bool(self._meeting or self._gone)

    @property
    def possible(self) -> frozenset[str]:
        """The paths that the patch changes and that may be in conflict, by what is known so far."""
        return frozenset(self._possible)

    def may_move_to(self, path: str) -> bool:
        """Whether git may move a file to a path that the patch leaves alone, and find a conflict.

        Nothing is there before the patch, then. Either our side has renamed a file to it; or a
        folder was renamed, and what the other side adds there goes along under its own name.
        """
        if self._lookup.at(self._patch.before, path) is not None:
            return False
        renames = self._deletes and bool(self._added)
        along = path.rpartition("/")[2] in self._added
        return renames or along or self._lookup.at(self._ours, path) is not None

    def certain(self) -> Iterator[str]:
        """Yield paths in conflict, those first that cost least to find out; there may be others."""
        # Where the search stopped is not kept: it has all files by hand that may be moved.
        known = tuple(self._known)
        yield from known
        for path in self._look_for_conflicts():
            if path not in known:
                self._known.append(path)
                yield path

    def _look_for_conflicts(self) -> Iterator[str]:
        if self._meeting:
            made = self._merger.merge(self._ours, self._meeting)
            for file, merge in zip(self._meeting, made, strict=True):
                if merge.clean:
                    self._possible.discard(file.path)
                else:
                    yield file.path
        if self._gone:
            search, before = self._merger.renames, self._patch.before
            here, missing = search.added(before, self._ours), search.added(self._ours, before)
            yield from search.not_renamed(self._gone, here, missing)

    @functools.cached_property
    def conflicted(self) -> tuple[str, ...]:
        """All paths in conflict; git merges whole trees to know them."""
        merged = self._merger.merge_trees(self._patch.before, self._ours, self._patch.after)
        return tuple(file.path for file in merged.conflicted)

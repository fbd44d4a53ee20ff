"""The hunks between versions of files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk
    from tensorflow_macos_build.git.quarantine import Quarantine

_AT_ONCE = 100
"""Pairs of blobs that are compared at once: each is a whole file in memory only while git reads."""


class BlobHunks:
    """The hunks between pairs of blobs; all are kept.

    Args:
        quarantine: compares them.
        plain: as `git log -L` does, without heuristics, and binary files as if of text; else as
            `git blame` does.
    """

    def __init__(self, quarantine: Quarantine, *, plain: bool) -> None:
        self._quarantine = quarantine
        self._plain = plain
        self._known: dict[tuple[str, str], tuple[DiffHunk, ...]] = {}

    def between(self, old: str, new: str) -> tuple[DiffHunk, ...]:
        """Return the hunks from one blob to another."""
        self.expect([(old, new)])
        return self._known[old, new]

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Compare pairs that will be asked for, many at once."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        for start in range(0, len(fresh), _AT_ONCE):
            self._compare(fresh[start : start + _AT_ONCE])

    def _compare(self, pairs: Sequence[tuple[str, str]]) -> None:
        # Pair by pair the one file of that name in two trees: git compares no blobs by id.
        trees = tuple(
            self._quarantine.write_tree(
                {str(at): TreeEntry("100644", oid) for at, oid in enumerate(side)}
            )
            for side in zip(*pairs, strict=True)
        )
        (compared,) = diffs.of_trees(
            self._quarantine.git, [(trees[0], trees[1])], context=0, plain=self._plain
        )
        hunks = {int(file.path): file.hunks for file in compared}
        self._known |= {pair: hunks.get(at, ()) for at, pair in enumerate(pairs)}

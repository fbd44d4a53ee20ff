"""The hunks between versions of files, as `git log -L` sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import blob_diffs

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tensorflow_macos_build.git.diffs import DiffHunk
    from tensorflow_macos_build.git.quarantine import Quarantine


class BlobHunks:
    """The hunks between pairs of blobs; all are kept.

    They are compared without heuristics, and binary files as if of text.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: dict[tuple[str, str], tuple[DiffHunk, ...]] = {}

    def between(self, old: str, new: str) -> tuple[DiffHunk, ...]:
        """Return the hunks from one blob to another."""
        if (old, new) not in self._known:
            self.expect([(old, new)])
        return self._known[old, new]

    def expect(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Compare pairs that will be asked for, many at once."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._known]
        compared = blob_diffs.between(self._quarantine, fresh, plain=True)
        for pair, diff in zip(fresh, compared, strict=True):
            self._known[pair] = diff.hunks if diff else ()

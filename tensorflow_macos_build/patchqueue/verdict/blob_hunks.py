"""The hunks between versions of files, as `git log -L` sees them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import blob_diffs
from tensorflow_macos_build.git.answers import UnreadAnswers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk
    from tensorflow_macos_build.git.quarantine import Quarantine

    _Pair = tuple[str, str]
    """The ids of two blobs."""


class BlobHunks:
    """The hunks between pairs of blobs; all are kept.

    They are compared without heuristics, and binary files as if of text.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: dict[_Pair, tuple[DiffHunk, ...]] = {}
        self._asked: set[_Pair] = set()
        self._answers = UnreadAnswers()

    def between(self, old: str, new: str) -> tuple[DiffHunk, ...]:
        """Return the hunks from one blob to another."""
        if (old, new) not in self._known:
            self.expect([(old, new)])
            self._answers.read_all()
        return self._known[old, new]

    def expect(self, pairs: Iterable[_Pair]) -> None:
        """Let git compare pairs that will be asked for, many at once, while other things go on."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._asked]
        self._asked.update(fresh)
        for start in range(0, len(fresh), blob_diffs.AT_ONCE):
            part = fresh[start : start + blob_diffs.AT_ONCE]
            answer = blob_diffs.ask(self._quarantine, part, lambda diff: diff.hunks, plain=True)
            self._answers.add(functools.partial(self._learn, part, answer))

    def _learn(
        self, pairs: Sequence[_Pair], answer: Callable[[], list[tuple[DiffHunk, ...] | None]]
    ) -> None:
        self._known |= zip(pairs, (hunks or () for hunks in answer()), strict=True)

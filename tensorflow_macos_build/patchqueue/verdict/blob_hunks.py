"""The hunks between versions of files, as `git log -L` sees them."""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import blob_diffs, diffs
from tensorflow_macos_build.git.answers import UnreadAnswers
from tensorflow_macos_build.git.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk, FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine

    _Pair = tuple[str, str]
    """The ids of two blobs."""


_KEPT = 12 << 20
"""Bytes of texts whose hunks are kept as values: the next patches often meet the same files."""


class BlobHunks:
    """The hunks between pairs of blobs; what git said about all is kept, compressed.

    They are compared without heuristics, and binary files as if of text.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._texts: dict[_Pair, bytes] = {}
        self._recent: Recent[_Pair, tuple[DiffHunk, ...]] = Recent(_KEPT)
        self._asked: set[_Pair] = set()
        self._answers = UnreadAnswers()

    def between(self, old: str, new: str) -> tuple[DiffHunk, ...]:
        """Return the hunks from one blob to another."""
        hunks = self._recent.get((old, new))
        if hunks is None:
            text = zlib.decompress(self._text((old, new)))
            hunks = diffs.hunks_of(text)
            self._recent.put((old, new), hunks, len(text))
        return hunks

    def expect(self, pairs: Iterable[_Pair]) -> None:
        """Let git compare pairs that will be asked for, many at once, while other things go on."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._asked]
        self._asked.update(fresh)
        for start in range(0, len(fresh), blob_diffs.AT_ONCE):
            part = fresh[start : start + blob_diffs.AT_ONCE]
            answer = blob_diffs.ask(self._quarantine, part, _compressed, plain=True)
            self._answers.add(functools.partial(self._learn, part, answer))

    def _text(self, pair: _Pair) -> bytes:
        if pair not in self._texts:
            self.expect([pair])
            self._answers.read_all()
        return self._texts[pair]

    def _learn(self, pairs: Sequence[_Pair], answer: Callable[[], list[bytes | None]]) -> None:
        self._texts |= zip(pairs, (text or _NOTHING for text in answer()), strict=True)


def _compressed(diff: FileDiff) -> bytes:
    return zlib.compress(diff.text, 1)


_NOTHING = zlib.compress(b"")

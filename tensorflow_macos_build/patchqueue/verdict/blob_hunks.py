"""The hunks between versions of files, as `git log -L` sees them."""

from __future__ import annotations

import functools
import zlib
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import blob_diffs, diffs
from tensorflow_macos_build.git.answers import UnreadAnswers
from tensorflow_macos_build.git.hunk_places import HunkPlaces
from tensorflow_macos_build.git.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk, FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine

    _Pair = tuple[str, str]
    """The ids of two blobs."""


_KEPT = 4 << 20
"""Bytes of texts whose hunks are kept as values: the next patches often meet the same files."""


class _Compared(NamedTuple):
    """What git said about two blobs, compressed, and where the hunks are in it."""

    text: bytes
    places: HunkPlaces


class BlobHunks:
    """The hunks between pairs of blobs; what git said about all is kept, compressed.

    They are compared without heuristics, and binary files as if of text.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: dict[_Pair, _Compared] = {}
        self._recent: Recent[_Pair, tuple[DiffHunk, ...]] = Recent(_KEPT)
        self._asked: set[_Pair] = set()
        self._answers = UnreadAnswers()

    def between(self, old: str, new: str) -> tuple[DiffHunk, ...]:
        """Return the hunks from one blob to another."""
        hunks = self._recent.get((old, new))
        if hunks is None:
            text = zlib.decompress(self._compared((old, new)).text)
            hunks = diffs.hunks_of(text)
            self._recent.put((old, new), hunks, len(text))
        return hunks

    def places(self, old: str, new: str) -> HunkPlaces:
        """Return where the hunks from one blob to another are."""
        return self._compared((old, new)).places

    def expect(self, pairs: Iterable[_Pair]) -> None:
        """Let git compare pairs that will be asked for, many at once, while other things go on."""
        fresh = [pair for pair in dict.fromkeys(pairs) if pair not in self._asked]
        self._asked.update(fresh)
        for start in range(0, len(fresh), blob_diffs.AT_ONCE):
            part = fresh[start : start + blob_diffs.AT_ONCE]
            answer = blob_diffs.ask(self._quarantine, part, _compressed, plain=True)
            self._answers.add(functools.partial(self._learn, part, answer))

    def _compared(self, pair: _Pair) -> _Compared:
        if pair not in self._known:
            self.expect([pair])
            self._answers.read_until(lambda: pair in self._known)
        return self._known[pair]

    def _learn(self, pairs: Sequence[_Pair], answer: Callable[[], list[_Compared | None]]) -> None:
        self._known |= zip(pairs, (known or _NOTHING for known in answer()), strict=True)


def _compressed(diff: FileDiff) -> _Compared:
    return _Compared(zlib.compress(diff.text, 1), HunkPlaces(diff.text))


_NOTHING = _Compared(zlib.compress(b""), HunkPlaces())

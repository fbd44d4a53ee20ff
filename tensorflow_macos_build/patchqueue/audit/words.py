"""Words of programs that one tree has and a later one has not.

Only what changed between the two is read at first; the rest of the later tree is read when a word
is gone from all of that, and only until every such word has turned up elsewhere.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import contents, trees
from tensorflow_macos_build.patchqueue.audit import definitions, languages

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange

_LETTERS = (string.ascii_letters + string.digits + "_").encode()
_BLANKED = bytes(byte if byte in _LETTERS else 0x20 for byte in range(256))
"""Every byte that is in no word, as a blank: to split at these is twice as fast as a pattern."""

_STEP = 500
"""After how many files the ticker is told."""


class GoneWord(NamedTuple):
    """A word that is gone, and the paths that had it, those that defined it first."""

    word: bytes
    paths: tuple[str, ...]


class GoneWords(NamedTuple):
    """The words that are gone, and how many contents could not be read."""

    words: tuple[GoneWord, ...]
    unread: int


class WordScanner:
    """Looks for words in the programs of two trees.

    Args:
        git: the repository that has them.
        old: the id of the earlier tree; git would compare two commits the other way round.
        new: the later one.
        ticker: told how many files were read.
    """

    def __init__(self, git: Git, old: str, new: str, ticker: Ticker) -> None:
        self._git, self._old, self._new, self._ticker = git, old, new, ticker
        self._unread = 0

    def gone(self, wanted: set[bytes]) -> GoneWords:
        """Return those of the words that the old tree defines and the new one has nowhere."""
        changed = self._changed()
        now = {change.new.oid: change.path for change in changed if change.new}
        left = wanted.difference(*self._words(now, wanted))
        before = {change.old.oid: change.path for change in changed if change.old}
        had: dict[bytes, list[str]] = {}
        for path, words in zip(before.values(), self._words(before, left), strict=True):
            for word in words:
                had.setdefault(word, []).append(path)
        if had:
            self._leave_out_unchanged(had, now)
        return GoneWords(tuple(self._defined(had, before)), self._unread)

    def _changed(self) -> list[PathChange]:
        ((_, changes),) = trees.compare(self._git, [(self._old, self._new)])
        return [change for change in changes if _is_program(change.path)]

    def _leave_out_unchanged(self, had: dict[bytes, list[str]], read: Iterable[str]) -> None:
        """Take out the words that the new tree has in files that were not read yet."""
        known = set(read)
        paths = trees.files(self._git, self._new)
        rest = {
            entry.oid: ""
            for path, entry in paths.items()
            if entry.is_file and entry.oid not in known and _is_program(path.decode("latin-1"))
        }
        sought = set(had)
        for words in self._words(rest, sought):
            for word in words:
                # the set that is looked for shrinks with it, and an empty one ends the search
                sought.discard(word)
                del had[word]
            if not sought:
                return

    def _words(self, blobs: dict[str, str], wanted: set[bytes]) -> Iterator[set[bytes]]:
        """Yield which of the words each blob holds."""
        oids = list(blobs)
        for done, content in enumerate(contents.stream(self._git, oids)):
            if done % _STEP == 0:
                self._ticker(done, len(oids), "reading names", unit="files")
            self._unread += content is None
            yield wanted.intersection((content or b"").translate(_BLANKED).split())

    def _defined(self, had: dict[bytes, list[str]], before: dict[str, str]) -> Iterator[GoneWord]:
        """Yield the words, in order, that one of the files which had them defines."""
        oids = {path: oid for oid, path in before.items()}
        paths = sorted({path for paths in had.values() for path in paths})
        defining: dict[bytes, list[str]] = {word: [] for word in had}
        texts = contents.stream(self._git, [oids[path] for path in paths])
        for path, content in zip(paths, texts, strict=True):
            words = {word for word, having in had.items() if path in having}
            lines = (line for line in (content or b"").split(b"\n") if _has_any(line, words))
            for word in words & definitions.words_in(lines, enumerators=True):
                defining[word].append(path)
        for word in sorted(had):
            if first := defining[word]:
                yield GoneWord(word, tuple(dict.fromkeys([*first, *sorted(had[word])])))


def _is_program(path: str) -> bool:
    return languages.of(path) is not None


def _has_any(line: bytes, words: set[bytes]) -> bool:
    return any(word in line for word in words)


def lines_with(word: bytes, lines: Sequence[bytes]) -> list[bytes]:
    """Return the lines that hold a whole word."""
    return [line for line in lines if word in line.translate(_BLANKED).split()]

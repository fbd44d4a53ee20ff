"""What commits change: their differences, read many at once, and the significant lines in them."""

from __future__ import annotations

import functools
import zlib
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import change_ids, diffs, trees
from tensorflow_macos_build.git.answers import UnreadAnswers
from tensorflow_macos_build.git.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.repository import Git

_Key = tuple[str, tuple[str, ...]]
"""A commit, and the only files of it that count; none: all."""

_AT_ONCE = 40
"""How many commits one git compares: most are small, and a few change thousands of files."""

_TEXT_KEPT = 8 << 20
"""Bytes of differences that stay in memory, compressed to a fourth or less. A forecast asks for the
same commits at each of its replays; a wide range (TensorFlow makes thousands of commits between two
releases) must not fill it."""

_LINES_KEPT = 200_000
"""Significant lines that stay, some 150 bytes each: many patches ask the same commits."""

_INSIGNIFICANT = 3
"""Characters, the sign included, up to which a line (`}`, `);`) is everywhere and no evidence."""


class _Compressed(NamedTuple):
    """A difference that is kept: its files with their texts compressed, each on its own."""

    files: TreeDiff

    @property
    def size(self) -> int:
        return sum(len(file.text) for file in self.files)

    def of(self, path: str = "") -> TreeDiff:
        files = (file for file in self.files if path in ("", file.path))
        return tuple(replace(file, text=zlib.decompress(file.text)) for file in files)


def _compressed(diff: TreeDiff) -> _Compressed:
    # little compression: most are read once more, if ever
    return _Compressed(tuple(replace(file, text=zlib.compress(file.text, 1)) for file in diff))


def _identified(diff: TreeDiff) -> tuple[bytes, _Compressed]:
    """Return a difference's `change_ids.of`, and itself: of many nothing else is asked."""
    return change_ids.of(diff), _compressed(diff)


class CommitDiffs:
    """The differences of commits, read many at once; the latest are kept."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._known: Recent[_Key, _Compressed] = Recent(_TEXT_KEPT)
        self._lines: Recent[_Key, Counter[bytes]] = Recent(_LINES_KEPT)
        self._change_ids: dict[str, bytes] = {}
        self._asked: set[str] = set()
        self._answers = UnreadAnswers()
        self._moves: dict[str, Mapping[str, str]] = {}

    def expect(self, commits: Iterable[str]) -> None:
        """Let git compare commits that will be asked for, while other things go on."""
        fresh = [commit for commit in dict.fromkeys(commits) if commit not in self._asked]
        self._asked.update(fresh)
        for start in range(0, len(fresh), _AT_ONCE):
            answer = diffs.ask_commits(self._git, fresh[start : start + _AT_ONCE], _identified)
            self._answers.add(functools.partial(self._learn, answer))

    def _learn(self, answer: Callable[[], dict[str, tuple[bytes, _Compressed]]]) -> None:
        for commit, (change_id, diff) in answer().items():
            # A digest each: unlike differences, those of a wide range are small enough to be kept.
            self._change_ids[commit] = change_id
            self._keep((commit, ()), diff)

    def change_ids(self, commits: Sequence[str]) -> list[bytes]:
        """Return the `change_ids.of` of each commit; all are kept."""
        if not self._change_ids.keys() >= set(commits):
            self.expect(commits)
            self._answers.read_until(lambda: self._change_ids.keys() >= set(commits))
        return [self._change_ids[commit] for commit in commits]

    def moves(self, commit: str) -> Mapping[str, str]:
        """Return what `trees.moves` does; all are kept."""
        if commit not in self._moves:
            self._moves[commit] = trees.moves(self._git, commit)
        return self._moves[commit]

    def significant(self, commits: Sequence[str], only: Sequence[str] = ()) -> list[Counter[bytes]]:
        """Return the `significant_lines` of each commit; with `only`, in these files alone."""
        keys = [(commit, tuple(only)) for commit in commits]
        known = {key: lines for key in keys if (lines := self._lines.get(key)) is not None}
        fresh = [commit for commit, paths in dict.fromkeys(keys) if (commit, paths) not in known]
        for commit, diff in zip(fresh, self.of(fresh, only), strict=True):
            key, lines = (commit, tuple(only)), significant_lines(diff)
            known[key] = lines
            self._lines.put(key, lines, len(lines) + 1)
        return [known[key] for key in keys]

    def of(self, commits: Sequence[str], only: Sequence[str] = ()) -> Iterator[TreeDiff]:
        """Return what each commit changes; with `only`, in these files alone."""
        # one after the other: together they may be a large part of a range
        return (diff.of() for diff in self._read(commits, only))

    def in_file(self, commits: Sequence[str], path: str) -> Iterator[TreeDiff]:
        """Return what each commit changes in a file; the rest of it stays as it is kept."""
        return (diff.of(path) for diff in self._read(commits))

    def _read(self, commits: Sequence[str], only: Sequence[str] = ()) -> list[_Compressed]:
        waiting = self._asked.intersection(commits)
        self._answers.read_until(lambda: self._change_ids.keys() >= waiting)
        keys = [(commit, tuple(only)) for commit in commits]
        read = {key: known for key in keys if (known := self._known.get(key)) is not None}
        fresh = [commit for commit, paths in dict.fromkeys(keys) if (commit, paths) not in read]
        for start in range(0, len(fresh), _AT_ONCE):
            for commit, diff in self._compare(fresh[start : start + _AT_ONCE], only).items():
                key = commit, tuple(only)
                read[key] = _compressed(diff)
                self._keep(key, read[key])
        return [read[key] for key in keys]

    def _keep(self, key: _Key, diff: _Compressed) -> None:
        self._known.put(key, diff, diff.size + 1)

    def _compare(self, commits: Sequence[str], only: Sequence[str]) -> dict[str, TreeDiff]:
        if not only:
            return diffs.of_commits(self._git, commits)
        compared, paths = diffs.of_commits(self._git, commits, only=only), set(only)
        # A path also names what is below it, where it is a folder by now.
        return {
            commit: tuple(file for file in diff if file.path in paths)
            for commit, diff in compared.items()
        }


def significant_lines(diff: TreeDiff) -> Counter[bytes]:
    """Count the lines that a difference takes away or adds, with their signs, blank ones aside."""
    lines = (line[:1] + line[1:].strip() for file in diff for line in file.changed)
    return Counter(line for line in lines if len(line) > _INSIGNIFICANT)

"""Whether a file that one side of a merge lacks may have been renamed there.

git takes a file that a side deletes for renamed where that side adds one at least half like it
(diffcore-rename in gitdiffcore(7)). To know that there is none, it compares the file with all that
are added, which are thousands between two releases; and it does so anew for each merge. Here files
are compared once, many at a time, and what is known of one version holds for others much like it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.markers import differing, split_lines
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set

    from tensorflow_macos_build.git.quarantine import Quarantine

_RENAMED = 50
"""Per cent of likeness from which on git's merge takes a file for renamed (merge.renames)."""

_COMPARED = 25
"""Per cent of likeness that is asked for: the less, the more a file may change before it is
compared anew, and the more files there are of a size that has to be looked at."""


_ADDED_KEPT = 100_000
"""Ids of added files that are kept, some 70 bytes each, once for each folder that they are in."""


@dataclass
class _Comparison:
    """A version of a file that was compared with others.

    Attributes:
        blob: the id of its content.
        compared: the ids of those others.
        most: no other is more like it, in per cent.
        like: the ids of those that are `_COMPARED` per cent like it, or more; None: not known yet.
    """

    blob: str
    compared: frozenset[str] = frozenset()
    most: int = _COMPARED
    like: frozenset[str] | None = None


class _Folders(NamedTuple):
    """Two trees as ids; "" where there is none."""

    old: str
    new: str


class _AddedFiles(NamedTuple):
    """What is added to a folder: ids of files, and the folders below it that may have some."""

    files: frozenset[str]
    below: Sequence[_Folders]


class RenameSearch:
    """Looks for renames of single files, and remembers what it compared.

    Args:
        quarantine: where the objects are.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._comparisons: dict[str, _Comparison] = {}
        self._expected: dict[str, str] = {}
        self._added: Recent[_Folders, frozenset[str]] = Recent(_ADDED_KEPT)

    def expect(self, files: Iterable[tuple[str, str]]) -> None:
        """Take note of versions of files, paths and ids of blobs, that may be asked for."""
        self._expected.update((blob, path) for path, blob in files)

    def may_be_renamed(
        self, files: Sequence[tuple[str, str]], added: Set[str], missing: Set[str]
    ) -> bool:
        """Whether git would take one of some files for renamed to one of others.

        Args:
            files: where they were, and the ids of their contents.
            added: the ids of the others.
            missing: the ids of all files that may be renamed so; those that are expected are
                compared in one go with these.
        """
        if any(blob in added for _, blob in files):
            return True
        versions = dict(files)
        self._compare(versions, added, missing)
        unsure = {
            path: blob
            for path, blob in versions.items()
            if not self._excludes(comparison := self._comparisons[path], blob, comparison.most)
        }
        # first what need not be asked: a version of it is like one of them
        return any(self._comparisons[path].most >= _RENAMED for path in unsure) or any(
            self._is_like_one(path, blob, added) for path, blob in unsure.items()
        )

    def not_renamed(
        self, files: Mapping[str, str], added: Set[str], missing: Set[str]
    ) -> Iterator[str]:
        """Yield the paths of the files that git would take for renamed to none of some others.

        The first are those of which that is known: who wants no more has nothing compared.

        Args:
            files: the ids of their contents, by path.
            added: as for `may_be_renamed`.
            missing: likewise.
        """
        others = {path: blob for path, blob in files.items() if blob not in added}
        known = {path for path in others if self._is_compared(path, added)}
        unsure: list[str] = []
        for paths in (known, others.keys() - known):
            self._compare({path: others[path] for path in paths}, added, missing)
            # not by path: whoever goes on with this asks for other versions meanwhile
            compared = [(path, self._comparisons[path]) for path in sorted(paths)]
            for path, comparison in compared:
                if self._excludes(comparison, others[path], comparison.most):
                    yield path
                else:
                    unsure.append(path)
        for path in unsure:
            self._compare({path: others[path]}, added, set())
            if not self._is_like_one(path, others[path], added):
                yield path

    def _is_compared(self, path: str, added: Set[str]) -> bool:
        return path in self._comparisons and added <= self._comparisons[path].compared

    def _is_like_one(self, path: str, blob: str, added: Set[str]) -> bool:
        """Whether a file is like one of others; those that none of its versions is like are out."""
        comparison = self._comparisons[path]
        if not self._excludes(comparison, blob, _COMPARED):
            comparison = self._comparisons[path] = _Comparison(blob, frozenset(added))
        if comparison.like is None:
            scores = self._copies([comparison.blob], comparison.compared, _COMPARED)
            comparison.like = frozenset(scores)
            comparison.most = max(_COMPARED, *(score + 1 for score in scores.values()), 0)
        return bool(self._copies([blob], comparison.like & added, _RENAMED))

    def _excludes(self, comparison: _Comparison, blob: str, most: int) -> bool:
        """Whether a version of a file is not `_RENAMED` per cent like any that were compared.

        But for those that are more than `most` per cent like the version that was compared.

        git's likeness is the bytes of the lines that two files share, by the larger one's size
        (diffcore_count_changes in diffcore-delta.c). A version shares with a file what the one does
        that was compared, and at most its own new lines.
        """
        if comparison.blob == blob:
            return most < _RENAMED
        old, new = (self._quarantine.objects.blob(oid) for oid in (comparison.blob, blob))
        # of `\r\n` git leaves out the first, and so cuts long lines elsewhere
        if b"\r" in old or b"\r" in new:
            return False
        shared = most * max(len(old), len(new))
        return shared + 100 * _new_bytes(old, new) < _RENAMED * len(new)

    def _compare(
        self, versions: Mapping[str, str], added: Set[str], missing: Collection[str]
    ) -> None:
        """Compare files with others as far as that was not done."""
        for path, blob in versions.items():
            self._comparisons.setdefault(path, _Comparison(blob))
        together: dict[frozenset[str], list[_Comparison]] = {}
        for path in versions:
            comparison = self._comparisons[path]
            if fresh := frozenset(added - comparison.compared):
                together.setdefault(fresh, []).append(comparison)
        if together:
            more = {self._expected[blob]: blob for blob in missing if blob in self._expected}
            for path in more.keys() - self._comparisons.keys():
                self._comparisons[path] = _Comparison(more[path])
                together.setdefault(frozenset(added), []).append(self._comparisons[path])
        for fresh, comparisons in together.items():
            self._ask(comparisons, fresh)

    def _ask(self, comparisons: Sequence[_Comparison], others: frozenset[str]) -> None:
        # The likeness of two files is the same from either. So they are compared as if they were
        # copies of the others: git then names for each file what is most like it.
        scores = self._copies(others, [comparison.blob for comparison in comparisons], _COMPARED)
        # the sets are shared, for there are hundreds of comparisons with thousands of files
        unions: dict[frozenset[str], frozenset[str]] = {frozenset(): others}
        for comparison in comparisons:  # a score is cut, not rounded (similarity_index in diff.c)
            known = comparison.compared
            if known not in unions:
                unions[known] = known | others
            score = scores.get(comparison.blob, _COMPARED - 1) + 1
            comparison.compared = unions[known]
            comparison.most = max(comparison.most, score)
            comparison.like = None

    def _copies(self, old: Collection[str], new: Collection[str], per_cent: int) -> dict[str, int]:
        """Return which new files are so much like an old one, or more, and how much."""
        olds = {oid: TreeEntry("100644", oid) for oid in old}
        both = {oid: TreeEntry("100644", oid) for oid in new} | olds
        before, after = self._quarantine.write_tree(olds), self._quarantine.write_tree(both)
        scores = trees.copies(self._quarantine.git, before, after, per_cent)
        return scores | {oid: 100 for oid in new if oid in olds}

    def added(self, old: str, new: str) -> frozenset[str]:
        """Return the ids of the files of a tree that another has nothing in the place of."""
        # Between two merges of a replay few folders change: most pairs were compared before.
        known: dict[_Folders, frozenset[str]] = {}
        compared: dict[_Folders, _AddedFiles] = {}
        waiting = [_Folders(old, new)]
        while waiting:
            known |= {pair: ids for pair in waiting if (ids := self._added.get(pair)) is not None}
            fresh = [pair for pair in waiting if pair not in known]
            self._quarantine.objects.trees([oid for pair in fresh for oid in pair if oid])
            compared |= {pair: self._compare_folders(*pair) for pair in fresh}
            below = dict.fromkeys(pair for above in fresh for pair in compared[above].below)
            waiting = [pair for pair in below if pair not in compared and pair not in known]
        return self._with_below(_Folders(old, new), known, compared)

    def _with_below(
        self,
        pair: _Folders,
        known: dict[_Folders, frozenset[str]],
        compared: Mapping[_Folders, _AddedFiles],
    ) -> frozenset[str]:
        """Return what is added in a folder and below; all that is there was looked at."""
        if pair not in known:
            own, below = compared[pair]
            known[pair] = own.union(*(self._with_below(p, known, compared) for p in below))
            self._added.put(pair, known[pair], len(known[pair]) + 1)
        return known[pair]

    def _compare_folders(self, old: str, new: str) -> _AddedFiles:
        objects = self._quarantine.objects
        before = objects.tree(old) if old else {}
        files: list[str] = []
        below: list[_Folders] = []
        for name, entry in objects.tree(new).items():
            was = before.get(name)
            if entry.is_tree:
                other = was.oid if was is not None and was.is_tree else ""
                if other != entry.oid:
                    below.append(_Folders(other, entry.oid))
            elif entry.is_file and (was is None or was.is_tree):
                files.append(entry.oid)
        return _AddedFiles(frozenset(files), below)


def _new_bytes(old: bytes, new: bytes) -> int:
    """Return the bytes of the lines that a version of a file has more than another, at most."""
    olds, news = map(split_lines, differing(old, new))
    return sum(len(line) * count for line, count in (Counter(news) - Counter(olds)).items())

"""Conflicts for people: where each hunk is, whose change it meets, and what is in it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import blob_diffs, markers
from tensorflow_macos_build.git.answers import UnreadAnswers
from tensorflow_macos_build.git.diffs import LineMap, LineRange
from tensorflow_macos_build.git.hunk_places import HunkPlaces
from tensorflow_macos_build.git.objects import TreeEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff
    from tensorflow_macos_build.git.merges import ConflictedPath
    from tensorflow_macos_build.git.quarantine import Quarantine


@dataclass(frozen=True)
class PlacedHunk:
    """A conflicting region, and where its lines are.

    Attributes:
        hunk: its lines on the three sides.
        base: its lines in the file that the patch was made for.
        ours: its lines in the file as it is now.
    """

    hunk: markers.ConflictHunk
    base: LineRange
    ours: LineRange


def placed_hunks(
    quarantine: Quarantine, file: ConflictedPath, line_maps: LineMaps | None = None
) -> tuple[PlacedHunk, ...]:
    """Return a conflicted file's regions in order; none when contents are not what conflicts.

    `line_maps` has what was compared before.
    """
    if file.ours is None or file.theirs is None:
        return ()
    # a link or a submodule in conflict has no lines that git could mark
    if file.left is None or not file.left.is_file:
        return ()
    # where both sides added the file, git merges it against an empty one (merge-ort.c, merge_3way)
    base = file.base or TreeEntry("100644", quarantine.write("blob", b""))
    objects, sides = quarantine.objects, (file.left, base, file.ours)
    # at once: each is kept for where it is read below
    objects.blobs([side.oid for side in sides if side.is_file])
    marked = markers.hunks(objects.blob(file.left.oid))
    if not marked:
        return ()
    # git's ort strategy compares by histogram, whatever diff.algorithm says (git-merge(1)): only so
    # do the regions that it marks begin where changes of both sides begin here.
    to_ours, to_theirs = (line_maps or LineMaps(quarantine)).places(
        [(base.oid, file.ours.oid), (base.oid, file.theirs.oid)], "histogram"
    )
    texts = [markers.split_lines(objects.blob(side.oid)) for side in (base, file.ours)]
    placed = _place(marked, texts[0], to_ours, to_theirs)
    return tuple(_settled(placed, texts[0], texts[1]))


class LineMaps:
    """Which lines became which, between pairs of blobs; each pair is compared once."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: dict[_Compared, HunkPlaces] = {}
        self._asked: set[_Compared] = set()
        self._answers = UnreadAnswers()

    def between(self, pairs: Sequence[tuple[str, str]], algorithm: str = "myers") -> list[LineMap]:
        """Compare pairs of blobs line by line."""
        return [places.pairs() for places in self.places(pairs, algorithm)]

    def places(
        self, pairs: Sequence[tuple[str, str]], algorithm: str = "myers"
    ) -> list[HunkPlaces]:
        """Return where the hunks between pairs of blobs are."""
        keys = [_Compared(algorithm, *pair) for pair in pairs]
        if not self._known.keys() >= set(keys):
            self.expect(pairs, algorithm)
            self._answers.read_until(lambda: self._known.keys() >= set(keys))
        return [self._known[key] for key in keys]

    def expect(self, pairs: Iterable[tuple[str, str]], algorithm: str = "myers") -> None:
        """Let git compare pairs that will be asked for, many at once, while other things go on."""
        keys = dict.fromkeys(_Compared(algorithm, *pair) for pair in pairs)
        fresh = [key for key in keys if key not in self._asked]
        self._asked.update(fresh)
        for start in range(0, len(fresh), blob_diffs.AT_ONCE):
            part = fresh[start : start + blob_diffs.AT_ONCE]
            pairs_of_part = [(key.old, key.new) for key in part]
            answer = blob_diffs.ask(self._quarantine, pairs_of_part, _places, algorithm=algorithm)
            self._answers.add(functools.partial(self._learn, part, answer))

    def _learn(
        self, keys: Sequence[_Compared], answer: Callable[[], list[HunkPlaces | None]]
    ) -> None:
        self._known |= zip(keys, (places or HunkPlaces() for places in answer()), strict=True)


def _places(diff: FileDiff) -> HunkPlaces:
    return HunkPlaces(diff.text)


class _Compared(NamedTuple):
    algorithm: str
    old: str
    new: str


def _place(
    marked: Sequence[markers.ConflictHunk],
    base: Sequence[bytes],
    to_ours: HunkPlaces,
    to_theirs: HunkPlaces,
) -> tuple[PlacedHunk, ...]:
    """Find each marked region's lines in the base.

    A region covers a change of ours that meets a change of theirs; the regions are in order. Equal
    lines may stand at several such places: the first after the region before is the one.
    """
    starts = _meeting(to_ours, to_theirs)
    placed: list[PlacedHunk] = []
    after = 0
    for hunk in marked:
        size = len(hunk.base)
        fits = [
            start
            for start in starts
            if start >= after and tuple(base[start : start + size]) == hunk.base
        ]
        # without such a place git compared otherwise than here; the order at least is right
        where = LineRange(fits[0] if fits else after, size)
        after = where.end if fits else after
        placed.append(PlacedHunk(hunk, where, to_ours.across(where)))
    return tuple(placed)


def _meeting(to_ours: HunkPlaces, to_theirs: HunkPlaces) -> list[int]:
    """Return where changes of both sides begin that meet, in order."""
    # Of the two, a patch mostly has few in a file.
    theirs = map(to_theirs.old, range(len(to_theirs)))
    starts = {
        min(lines.start, to_ours.old(number).start)
        for lines in theirs
        for number in to_ours.meeting(lines)
    }
    return sorted(starts)


def _settled(
    placed: Sequence[PlacedHunk], base: Sequence[bytes], ours: Sequence[bytes]
) -> Iterator[PlacedHunk]:
    """Yield regions where their lines are, though git compared otherwise than it does here.

    Then no place where changes meet has them; where they stand next, behind the region before, is
    their place.
    """
    in_base = in_ours = 0
    for region in placed:
        where_base = _nearest(base, region.hunk.base, region.base, in_base)
        where_ours = _nearest(ours, region.hunk.ours, region.ours, in_ours)
        yield PlacedHunk(region.hunk, where_base, where_ours)
        in_base, in_ours = where_base.end, where_ours.end


def _nearest(
    text: Sequence[bytes], lines: tuple[bytes, ...], supposed: LineRange, after: int
) -> LineRange:
    """Return where lines stand in a text: within the supposed place, or else the first behind."""
    size = len(lines)

    def stands(at: int) -> bool:
        return text[at] == lines[0] and tuple(text[at : at + size]) == lines

    if not size or any(map(stands, range(supposed.start, supposed.end - size + 1))):
        return supposed
    behind = filter(stands, range(after, len(text) - size + 1))
    return next((LineRange(at, size) for at in behind), supposed)


class TreeLookup:
    """What is at a path of a tree object."""

    def __init__(self, quarantine: Quarantine) -> None:
        self._objects = quarantine.objects

    def at(self, tree: str, path: str) -> TreeEntry | None:
        """Return the entry at a path, or None."""
        *above, name = path.split("/")
        for part in above:
            entry = self._objects.tree(tree).get(part)
            if entry is None or not entry.is_tree:
                return None
            tree = entry.oid
        return self._objects.tree(tree).get(name)

"""Whether a tree holds what a patch does: the one proof that upstream has it.

A commit in upstream's history proves nothing by itself: it may be reverted, or changed, since. So
the tree is asked, file by file: where the patch adds lines they are there, in their order, where it
takes lines away they are gone; modes, links, submodules and binary files are what it makes of them.
In doubt the answer is no, and the patch is a conflict for a person to look at.
"""

from __future__ import annotations

import functools
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import markers
from tensorflow_macos_build.git.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.diffs import LineMap, LineRange
    from tensorflow_macos_build.git.merges import MergeOutcome
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.replay.conflicts import LineMaps
    from tensorflow_macos_build.patchqueue.replay.patched_tree import PatchedTree

_SIGNIFICANT = 3
"""Characters from which on a line is significant: shorter ones (`}`, blank ones) are everywhere in
a file, and only their places tell."""

_ANSWERS_KEPT = 20_000
"""Answers that are kept, some 200 bytes each."""

_FEW = 30
"""Lines that are looked for in a text one by one, before it is taken apart to count all."""


class FileTexts(NamedTuple):
    """A file's lines before the patch, after it, and in the tree."""

    base: Sequence[bytes]
    patched: Sequence[bytes]
    now: Sequence[bytes]


class _Blobs(NamedTuple):
    """The same as ids of blobs."""

    base: str
    patched: str
    now: str


class PatchEffects:
    """Whether trees hold the effects of patches; what is found out about three texts is kept.

    Replays on many revisions, and with conflicts treated otherwise, ask about the same files.

    Args:
        quarantine: reads the objects.
        line_maps: compares files.
    """

    def __init__(self, quarantine: Quarantine, line_maps: LineMaps) -> None:
        self._quarantine = quarantine
        self._line_maps = line_maps
        self._known: Recent[_Blobs, bool] = Recent(_ANSWERS_KEPT)

    def hold(self, changes: Sequence[PathChange], merged: MergeOutcome, ours: PatchedTree) -> bool:
        """Whether a tree holds the effect of a patch that was to be merged into it.

        Args:
            changes: what the patch changes.
            merged: its merge, which conflicts.
            ours: the tree that it was to be merged into.
        """
        texts = self._texts(changes, merged, ours)
        if texts is None:
            return False
        known = [self._known.get(blobs) for blobs in texts]
        if False in known:
            return False
        fresh = [blobs for blobs, answer in zip(texts, known, strict=True) if answer is None]
        for blobs in fresh:
            if not lines_may_hold(*self._quarantine.objects.blobs(blobs)):
                self._known.put(blobs, False, 1)
                return False
        answers = [lines_hold(*compared) for compared in self._compared(fresh)]
        for blobs, answer in zip(fresh, answers, strict=True):
            self._known.put(blobs, answer, 1)
        return all(answers)

    def _texts(
        self, changes: Sequence[PathChange], merged: MergeOutcome, ours: PatchedTree
    ) -> list[_Blobs] | None:
        """Return the files whose lines tell; None where something else says no already."""
        unsure = {
            path for message in merged.messages if message.is_conflict for path in message.paths
        }
        unsure |= {file.path for file in merged.conflicted}
        texts: list[_Blobs] = []
        for change in changes:
            now = ours.entry(change.path)
            if change.new is None:
                # A file that upstream moved elsewhere is gone from here, and in the conflict.
                if now is not None or change.path in unsure:
                    return None
            elif now is None or not _kind_holds(change.old, change.new, now):
                return None
            elif not _content_is_same(change.old, change.new, now):
                if not change.new.is_file:
                    return None
                base = change.old.oid if change.old and change.old.is_file else ""
                empty_or_base = base or self._quarantine.write("blob", b"")
                texts.append(_Blobs(empty_or_base, change.new.oid, now.oid))
        return texts

    def _compared(
        self, blobs: Sequence[_Blobs]
    ) -> Iterator[tuple[FileTexts, tuple[LineMap, LineMap, LineMap]]]:
        """Read files, and compare before with after the patch, after with now, before with now."""
        pairs = [
            pair
            for file in blobs
            for pair in (
                (file.base, file.patched),
                (file.patched, file.now),
                (file.base, file.now),
            )
        ]
        # Minimal, because another difference may show a line that still stands as taken and brought
        # again, which would be a doubt.
        compared = iter(self._line_maps.between(pairs, "minimal") if pairs else ())
        for file in blobs:
            maps = next(compared), next(compared), next(compared)
            yield _read(self._quarantine, file), maps


def _kind_holds(old: TreeEntry | None, new: TreeEntry, now: TreeEntry) -> bool:
    """Whether an entry's mode is what the patch makes it; any, where it only changes a file."""
    if old is not None and old.mode == new.mode and new.is_file:
        return now.is_file
    return now.mode == new.mode


def _content_is_same(old: TreeEntry | None, new: TreeEntry, now: TreeEntry) -> bool:
    # Of a patch that changes the mode alone the contents are not its doing, whatever they are.
    only_mode = old is not None and old.is_file and new.is_file and old.oid == new.oid
    return only_mode or now.oid == new.oid


def _read(quarantine: Quarantine, blobs: _Blobs) -> FileTexts:
    return FileTexts(*map(markers.split_lines, quarantine.objects.blobs(blobs)))


def lines_may_hold(base: bytes, patched: bytes, now: bytes) -> bool:
    """Whether the lines of a file, wherever they stand, leave it to a comparison what it holds.

    However files are compared, a line that only the patched one has is added by the patch, and
    taken since where there are fewer of it now; one that only the base has is removed by the patch,
    and has come since where it is there now. Most conflicts end here, and git is not asked.
    """
    before, after = (
        Counter(markers.split_lines(side)) for side in markers.differing(base, patched)
    )
    in_base, in_patched, in_now = map(_LineCounts, (base, patched, now))
    added, removed = after.keys() - before.keys(), before.keys() - after.keys()
    if any(after[line] > in_now.of(line) and not in_base.of(line) for line in added):
        return False
    come = (line for line in removed if _is_significant(line) and in_now.of(line))
    return all(map(in_patched.of, come))


class _LineCounts:
    """How often lines stand in a text, which is taken apart only where many are asked for."""

    def __init__(self, text: bytes) -> None:
        self._framed = b"\n" + text
        self._asked = 0

    def of(self, line: bytes) -> int:
        """Count a line, its end included."""
        if not line.endswith(b"\n"):  # the last one
            return int(self._framed.endswith(b"\n" + line))
        self._asked += 1
        if self._asked > _FEW:
            return self._all[line[:-1]]
        found, at = 0, self._framed.find(b"\n" + line)
        while at >= 0:  # the end of one line is also what the next one begins behind
            found, at = found + 1, self._framed.find(b"\n" + line, at + len(line))
        return found

    @functools.cached_property
    def _all(self) -> Counter[bytes]:
        return Counter(self._framed.split(b"\n")[1:-1])


def lines_hold(texts: FileTexts, compared: tuple[LineMap, LineMap, LineMap]) -> bool:
    """Whether a file holds the lines that a patch adds, and none of those that it takes away.

    Each added line has its counterpart in the file as it is now, in order, and no removed line has.
    Where equal lines stand elsewhere in the file such a counterpart may be another line; so no
    significant line that the patch adds may have been taken away since, wherever, and none that it
    removes may have come.
    """
    to_patched, since, to_now = compared
    if not (to_patched and to_now):  # binary files, whose ids differ: git compares no lines
        return False
    added, removed = _numbers(new for _, new in to_patched), _numbers(old for old, _ in to_patched)
    lost, gone = _numbers(old for old, _ in since), _numbers(old for old, _ in to_now)
    if added & lost or removed - gone:
        return False
    taken = _significant(texts.patched, lost)
    come = _significant(texts.now, _numbers(new for _, new in since))
    return not (
        _significant(texts.patched, added) & taken or _significant(texts.base, removed) & come
    )


def _numbers(ranges: Iterable[LineRange]) -> set[int]:
    return {number for lines in ranges for number in range(lines.start, lines.end)}


def _significant(lines: Sequence[bytes], numbers: set[int]) -> set[bytes]:
    return {lines[number] for number in numbers if _is_significant(lines[number])}


def _is_significant(line: bytes) -> bool:
    return len(line.strip()) >= _SIGNIFICANT

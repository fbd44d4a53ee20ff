"""A patch in units that can be kept or left out one by one: its hunks, and files as a whole.

The hunks are those with three lines of context, which is what patch files show. A file that is
added, deleted, binary, or that changes its mode is one unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs, markers, trees
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from tensorflow_macos_build.git.diffs import DiffHunk, FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange


@dataclass(frozen=True)
class PatchUnit:
    """A part of a patch.

    Attributes:
        number: its number in the patch, from 1.
        file: the difference of the file that it is of.
        hunk: the hunk; None where the file is one unit.
    """

    number: int
    file: FileDiff
    hunk: DiffHunk | None

    @property
    def line(self) -> int:
        """The number of its first line in the file that the patch was made for; 1 for a file."""
        return self.hunk.old.start + 1 if self.hunk else 1

    @property
    def diff(self) -> FileDiff:
        """What it changes, as a difference of its own."""
        text = self.hunk.text if self.hunk else self.file.text
        return diffs.FileDiff(self.file.path, self.file.header, text)


def units_of(quarantine: Quarantine, before: str, after: str) -> tuple[PatchUnit, ...]:
    """Return the units of what changes between two trees, in order."""
    (files,) = diffs.of_trees(quarantine.git, [(before, after)])
    parts: list[tuple[FileDiff, DiffHunk | None]] = []
    for file in files:
        # a header says that a file comes, goes, is binary or changes its mode
        whole = bool(file.header) or not file.hunks
        parts += [(file, None)] if whole else [(file, hunk) for hunk in file.hunks]
    return tuple(PatchUnit(number, file, hunk) for number, (file, hunk) in enumerate(parts, 1))


def bound_to(unit: PatchUnit, parts: Sequence[PatchUnit]) -> list[PatchUnit]:
    """Return the units that a unit cannot be without, itself among them.

    A file that becomes a folder, or the reverse, is one change of several paths.
    """
    bound = [unit]
    for other in bound:  # which grows: what is bound to one of them is bound to all
        bound += [more for more in parts if more not in bound and _are_nested(other, more)]
    return bound


def _are_nested(first: PatchUnit, second: PatchUnit) -> bool:
    paths = sorted((first.file.path, second.file.path), key=len)
    return paths[1].startswith(f"{paths[0]}/")


def tree_with(quarantine: Quarantine, before: str, after: str, units: Collection[PatchUnit]) -> str:
    """Return the tree that some units of a patch make of the tree before it.

    With each unit there must be those that it is bound to.
    """
    (changes,) = trees.between(quarantine.git, [(before, after)])
    by_path = {change.path: change for change in changes}
    chosen: dict[str, list[PatchUnit]] = {}
    for unit in units:
        chosen.setdefault(unit.file.path, []).append(unit)
    result = Overlay(quarantine.objects, before)
    result.change(
        {path: _entry(quarantine, by_path[path], its_units) for path, its_units in chosen.items()}
    )
    return result.write(quarantine)


def _entry(
    quarantine: Quarantine, change: PathChange, units: Sequence[PatchUnit]
) -> TreeEntry | None:
    """Return what units of one file make of it."""
    if units[0].hunk is None or change.old is None or change.new is None:
        return change.new
    sides = (quarantine.objects.blob(entry.oid) for entry in (change.old, change.new))
    old, new = map(markers.split_lines, sides)
    lines: list[bytes] = []
    done = 0
    for hunk in sorted((unit.hunk for unit in units if unit.hunk), key=lambda h: h.old.start):
        lines += old[done : hunk.old.start]
        lines += new[hunk.new.start : hunk.new.end]
        done = hunk.old.end
    content = b"".join([*lines, *old[done:]])
    return TreeEntry(change.new.mode, quarantine.write("blob", content))

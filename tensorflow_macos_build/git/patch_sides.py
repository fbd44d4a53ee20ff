"""Conflicts resolved the patch's way, provisionally: what later patches stand on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import markers
from tensorflow_macos_build.git.merges import RENAME_RENAME, is_no_folder
from tensorflow_macos_build.git.objects import TreeEntry
from tensorflow_macos_build.git.overlay import Overlay

if TYPE_CHECKING:
    from tensorflow_macos_build.git.merges import MergeOutcome, MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine


def provisional(quarantine: Quarantine, merged: MergeResult) -> str:
    """Return the tree in which every conflict is resolved the patch's way (`PatchSides`)."""
    result = Overlay(quarantine.objects, merged.tree)
    result.change(PatchSides(quarantine).of(merged))
    return result.write(quarantine)


class PatchSides:
    """What conflicts become where they are resolved the patch's way; each is resolved once.

    Args:
        quarantine: where the objects are.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: dict[tuple[TreeEntry, TreeEntry], TreeEntry] = {}

    def of(self, merged: MergeOutcome) -> dict[str, TreeEntry | None]:
        """Return what is to be at paths instead of what git left; None: nothing.

        In a conflicting hunk the patch's lines stand; a file that upstream deleted and the patch
        changes is there; a file that the patch deletes is gone; a file that both renamed has the
        patch's name. All that merged cleanly stays merged.
        """
        renamed = {p for m in merged.messages if m.kind == RENAME_RENAME for p in m.paths}
        sides: dict[str, TreeEntry | None] = {}
        for conflict in merged.conflicted:
            if not is_no_folder(conflict.left):
                continue
            if conflict.theirs is not None:
                marked = None if conflict.ours is None else conflict.left
                sides[conflict.path] = self._side(conflict.theirs, marked)
            # What only upstream has stays, but for the name that it gave a file which the patch
            # calls something else.
            elif conflict.base or conflict.path in renamed:
                sides[conflict.path] = None
        return sides

    def _side(self, theirs: TreeEntry, left: TreeEntry | None) -> TreeEntry:
        """Return the patch's side of a file; `left` is git's, with markers or without."""
        if left is None or not left.is_file or not theirs.is_file:
            return theirs
        if (theirs, left) not in self._known:
            marked, patched = (self._quarantine.objects.blob(side.oid) for side in (left, theirs))
            resolved = markers.patch_side(marked, patched)
            oid = theirs.oid if resolved is None else self._quarantine.write("blob", resolved)
            self._known[theirs, left] = TreeEntry(theirs.mode, oid)
        return self._known[theirs, left]

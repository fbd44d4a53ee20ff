"""A rebase up to the first conflict that nobody settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.patchqueue.replay.replay import whole_merges
from tensorflow_macos_build.patchqueue.worktree import conflict_tree

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeResult
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.engine import RebaseResult
    from tensorflow_macos_build.patchqueue.replay.steps import Replay


class PatchConflict(NamedTuple):
    """The conflict that a replay stopped at: the patch, and git's merge of it."""

    patch: QueueCommit
    merged: MergeResult

    @property
    def paths(self) -> tuple[str, ...]:
        """The files in conflict."""
        return tuple(file.path for file in self.merged.conflicted)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder is the work tree of this very conflict."""
        return conflict_tree.is_of(folder, self.patch.name, self.merged)


class PartialRebase(NamedTuple):
    """A rebase up to the first conflict that nobody settled; None: there is none left."""

    result: RebaseResult
    replay: Replay
    conflict: PatchConflict | None


def first_conflict(
    quarantine: Quarantine, patches: Sequence[QueueCommit], replayed: Replay
) -> PatchConflict | None:
    """Return the first conflict of a replay that nobody settled; None where there is none."""
    for position, merged in whole_merges(quarantine, replayed):
        return PatchConflict(patches[position], merged)
    return None

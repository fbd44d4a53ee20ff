"""What patches change on their old base, and what is left of it on the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.patchqueue.replay import patched_tree
from tensorflow_macos_build.patchqueue.replay.replay import StepOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.replay.replay import ReplayStep

    _Texts = tuple[TreeDiff, TreeDiff]

_AT_ONCE = 50
"""Patches that are compared at once: their differences are in memory until they are asked for."""


def is_as_it_was(step: ReplayStep) -> bool:
    """Whether ids decided for each path of a patch: its text is what it was, and is not read."""
    return step.outcome is StepOutcome.TAKEN and not step.upstream_had


class CarriedTexts:
    """The differences of patches that are carried on, read many at once and given out once.

    Args:
        quarantine: reads and compares.
        steps: the patches that may be asked about, in the order in which they are.
    """

    def __init__(self, quarantine: Quarantine, steps: Sequence[ReplayStep]) -> None:
        self._quarantine = quarantine
        carried = (StepOutcome.TAKEN, StepOutcome.MERGED)
        self._waiting = [s for s in steps if s.outcome in carried and not is_as_it_was(s)]
        self._known: dict[str, _Texts] = {}

    def of(self, step: ReplayStep) -> _Texts:
        """Return a patch's difference on its old base, and what is left of it on the new one."""
        if step.commit not in self._known:
            at = self._waiting.index(step)
            self._read(self._waiting[at : at + _AT_ONCE])
            del self._waiting[: at + _AT_ONCE]
        return self._known.pop(step.commit)

    def _read(self, steps: Sequence[ReplayStep]) -> None:
        # Only where files go can there be renames: all others are spared the search.
        moving = [step for step in steps if _may_move(step)]
        others = [step for step in steps if not _may_move(step)]
        for part, renames in ((moving, True), (others, False)):
            pairs = [pair for step in part for pair in (self._own(step), self._left(step))]
            compared = iter(diffs.of_trees(self._quarantine.git, pairs, renames=renames))
            for step in part:
                before, after = next(compared), next(compared)
                if step.merged is None:
                    after = tuple(file for file in before if file.path not in step.upstream_had)
                self._known[step.commit] = before, after

    def _own(self, step: ReplayStep) -> tuple[str, str]:
        return self._quarantine.parent_tree(step.commit), self._quarantine.tree(step.commit)

    def _left(self, step: ReplayStep) -> tuple[str, str]:
        return patched_tree.trees_of(self._quarantine, step.became)


def _may_move(step: ReplayStep) -> bool:
    return step.merged is not None and any(change.new is None for change in step.changes)

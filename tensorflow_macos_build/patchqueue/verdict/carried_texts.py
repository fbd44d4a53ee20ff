"""What patches change on their old base, and what is left of it on the new one."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.recent import Recent
from tensorflow_macos_build.patchqueue.replay import patched_tree
from tensorflow_macos_build.patchqueue.replay.steps import StepOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.git.diffs import TreeDiff
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.replay.steps import ReplayStep

    _Texts = tuple[TreeDiff, TreeDiff]

_AT_ONCE = 50
"""Patches that are compared at once: their differences are in memory until they are asked for.

While they are, git compares as many of the next."""


_BYTES_KEPT = 8 << 20
"""Bytes of the texts of differences that are remembered."""


class ComparedTrees:
    """Differences of trees, of which the latest are remembered.

    What a patch changes on its old base is the same for each new one, and mostly what is left of
    it is, too.

    Attributes:
        unchanged: by patch, the latest step that left its text as it was.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self._quarantine = quarantine
        self._known: Recent[tuple[tuple[str, str], bool], TreeDiff] = Recent(_BYTES_KEPT)
        self.unchanged: dict[str, ReplayStep] = {}

    def ask(
        self, pairs: Sequence[tuple[str, str]], *, renames: bool
    ) -> Callable[[], list[TreeDiff]]:
        """Let git compare pairs of trees; what is returned gives their differences."""
        known = {pair: self._known.get((pair, renames)) for pair in pairs}
        fresh = [pair for pair, diff in known.items() if diff is None]
        git = self._quarantine.git
        answer = diffs.ask_trees(git, fresh, list, renames=renames) if fresh else None

        def read() -> list[TreeDiff]:
            for pair, diff in zip(fresh, answer() if answer else (), strict=True):
                known[pair] = diff
                size = sum(len(hunk.text) for file in diff for hunk in file.hunks)
                self._known.put((pair, renames), diff, size)
            return [diff for diff in map(known.__getitem__, pairs) if diff is not None]

        return read


class CarriedTexts:
    """The differences of patches that are carried on, read many at once and given out once.

    Args:
        quarantine: reads and compares.
        steps: the patches that may be asked about, in the order in which they are.
        remembered: what was compared for other replays.
    """

    def __init__(
        self, quarantine: Quarantine, steps: Sequence[ReplayStep], remembered: ComparedTrees
    ) -> None:
        self._quarantine = quarantine
        self._compared = remembered
        carried = (StepOutcome.TAKEN, StepOutcome.MERGED)
        self._waiting = [s for s in steps if s.outcome in carried and self.may_be_otherwise(s)]
        self._asked: deque[Callable[[], None]] = deque()
        self._known: dict[str, _Texts] = {}
        self._ask_next()

    def may_be_otherwise(self, step: ReplayStep) -> bool:
        """Whether a patch's text has to be read, and may be another than it was."""
        if step.outcome is StepOutcome.TAKEN and not step.upstream_had:  # ids decided for each path
            return False
        # a step that was taken over from another replay is the same object
        return self._compared.unchanged.get(step.commit) is not step

    def note_unchanged(self, step: ReplayStep) -> None:
        """Take note that a patch's text is what it was; replays that take it over ask no more."""
        self._compared.unchanged[step.commit] = step

    def of(self, step: ReplayStep) -> _Texts:
        """Return a patch's difference on its old base, and what is left of it on the new one."""
        while step.commit not in self._known:
            read = self._asked.popleft()
            self._ask_next()  # git is at work on these until they are needed
            read()
        return self._known.pop(step.commit)

    def _ask_next(self) -> None:
        """Let git compare the next patches."""
        steps, self._waiting = self._waiting[:_AT_ONCE], self._waiting[_AT_ONCE:]
        # Only where files go can there be renames: all others are spared the search.
        moving = [step for step in steps if _may_move(step)]
        others = [step for step in steps if not _may_move(step)]
        kinds = ((moving, True), (others, False))
        parts = [(part, self._ask(part, renames=renames)) for part, renames in kinds if part]

        def read() -> None:
            for part, answer in parts:
                self._learn(part, answer())

        self._asked.append(read)

    def _ask(self, steps: Sequence[ReplayStep], *, renames: bool) -> Callable[[], list[TreeDiff]]:
        pairs = [pair for step in steps for pair in (self._own(step), self._left(step))]
        return self._compared.ask(pairs, renames=renames)

    def _learn(self, steps: Sequence[ReplayStep], compared: Sequence[TreeDiff]) -> None:
        texts = iter(compared)
        for step in steps:
            before, after = next(texts), next(texts)
            if step.merged is None:
                after = tuple(file for file in before if file.path not in step.upstream_had)
            self._known[step.commit] = before, after

    def _own(self, step: ReplayStep) -> tuple[str, str]:
        return self._quarantine.parent_tree(step.commit), self._quarantine.tree(step.commit)

    def _left(self, step: ReplayStep) -> tuple[str, str]:
        return patched_tree.trees_of(self._quarantine, step.became)


def _may_move(step: ReplayStep) -> bool:
    return step.merged is not None and any(change.new is None for change in step.changes)

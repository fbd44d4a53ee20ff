"""Where patches break and heal on the way to a revision, each turn tried on both sides."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.forecast import bisection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.patchqueue.forecast.dependencies import PatchDependencies
    from tensorflow_macos_build.patchqueue.forecast.prober import Prober
    from tensorflow_macos_build.patchqueue.forecast.upstream_line import UpstreamLine
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit

_SPREAD = 24
"""Commits that are tried between the first and the last one where there are too many to try all."""


@dataclass(frozen=True)
class TurnSearch:
    """The search for the turns of a queue's patches.

    Attributes:
        patches: the queue.
        dependencies: which patches decide about a patch.
        prober: tries patches on commits.
    """

    patches: Sequence[QueueCommit]
    dependencies: PatchDependencies
    prober: Prober

    def expect(self, line: UpstreamLine, positions: Iterable[int]) -> None:
        """Read at once what the searches for several patches ask of a line."""
        paths = (self._paths(line, self.dependencies.of(position)) for position in positions)
        line.expect(set().union(*paths))

    def of(
        self, patch: int, line: UpstreamLine, hints: Iterable[int], trying: Callable[[], object]
    ) -> tuple[list[int], bool]:
        """Return where a patch turns that is broken at a line's end, and whether those are all.

        Nowhere, where it was not looked for: that would take too long (`Prober.has_to_stop`).

        Args:
            patch: its position in the queue.
            line: the way there.
            hints: positions that probably break it.
            trying: called before each commit that is tried.
        """

        def breaks(position: int) -> bool:
            trying()
            return self.prober.breaks(patch, line.until(position))

        if self.prober.has_to_stop(patch):
            return [], False
        last = len(line.commits) - 1
        candidates = [at for at in self._candidates(patch, line) if 0 < at < last]
        if not self._can_try(patch, line, candidates):
            likely = {near for hint in hints for near in (hint - 1, hint)}
            spread = _spread(candidates) if self.prober.is_small(patch) else set()
            return bisection.turns(last, breaks, likely | spread), False
        for position in candidates:
            breaks(position)
        # Where git compares whole trees, a commit on any file can matter, up to the next one.
        asked = [0, *candidates, last]
        between = [
            position
            for start, end in itertools.pairwise(asked)
            if start and not self.prober.is_alone(patch, line.commits[start])
            for position in range(start + 1, end)
        ]
        all_tried = self._can_try(patch, line, between)
        return bisection.turns(last, breaks, [*asked, *(between if all_tried else ())]), all_tried

    def _can_try(self, patch: int, line: UpstreamLine, positions: Iterable[int]) -> bool:
        return self.prober.can_try(patch, [line.commits[position] for position in positions])

    def _candidates(self, patch: int, line: UpstreamLine) -> list[int]:
        """Return the positions at which what becomes of a patch can change."""
        needed = self.dependencies.of(patch)
        positions = line.changing(self._paths(line, needed))
        for folder in self.dependencies.folders(needed):
            positions |= line.emptying(folder)
        for position in needed:
            positions |= line.bringing(self._evidence(line, self.patches[position]))
        return sorted(positions)

    def _paths(self, line: UpstreamLine, needed: Iterable[int]) -> set[str]:
        return line.with_moves(self.dependencies.paths(needed))

    def _evidence(self, line: UpstreamLine, patch: QueueCommit) -> list[str]:
        """Return the commits which, once there, say that upstream has a patch, or not any more."""
        named = line.history.named_by(patch.message)
        if patch.pick:
            named += [patch.pick, *line.history.taking_back(patch.pick)]
        return named


def _spread(positions: Sequence[int]) -> set[int]:
    """Return some of the positions, from the first to the last."""
    last = len(positions) - 1
    return {positions[number * last // (_SPREAD - 1)] for number in range(_SPREAD)}

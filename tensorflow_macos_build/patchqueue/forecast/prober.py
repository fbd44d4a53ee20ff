"""Whether patches break on commits of upstream, by replays of what decides about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.patchqueue.forecast.replays import PartialReplay, PartialReplays
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

_FEW = 32
"""Patches that are replayed for one of them alone. Where more decide about it, all before it are
replayed, which serves all others on the commit, too."""

_MOST = 48
"""Commits that are tried for a patch at most, besides those of a bisection. Most patches have fewer
that can matter; a file like TensorFlow's RELEASE.md changes with hundreds."""

_MOST_WHOLE = 64
"""The same for replays that are not for one patch alone, in a whole forecast: one of 639 patches
takes 0.01 s where it meets what the one before did, and a second on a branch far away."""


class Prober:
    """Whether patches break on commits; each pair is tried once."""

    def __init__(self, replays: PartialReplays) -> None:
        self._replays = replays
        self._known: dict[tuple[int, str], bool] = {}
        self._by_trees: set[tuple[int, str]] = set()
        self._whole: dict[str, PartialReplay] = {}
        self._commits: set[str] = set()

    @property
    def commits(self) -> int:
        """The number of commits that patches were replayed on."""
        return len(self._commits)

    def can_try(self, position: int, commits: Sequence[str]) -> bool:
        """Whether a patch can be tried on each of some commits, or that would cost too much."""
        fresh = sum((position, oid) not in self._known for oid in commits)
        if self.is_small(position):
            return fresh <= _MOST
        return len(self._whole) + sum(oid not in self._whole for oid in commits) <= _MOST_WHOLE

    def has_to_stop(self, position: int) -> bool:
        """Whether a patch is not to be tried, for it would be on ever more replays of the queue."""
        return not self.is_small(position) and len(self._whole) >= _MOST_WHOLE

    def breaks(self, position: int, history: UpstreamHistory) -> bool:
        """Whether the patch at `position` conflicts, itself and not by a knock-on.

        It is put onto the commit that `history` ends with, after those earlier ones that decide
        about it; those that conflict are resolved their own way. Of several patches the last is to
        be asked about first: what is replayed for it serves those before it.
        """
        key = position, history.new
        if key not in self._known:
            self._commits.add(history.new)
            self._known[key] = self._try(position, history)
        return self._known[key]

    def is_alone(self, position: int, commit: str) -> bool:
        """Whether nothing but the files of patches decided at a commit that was tried."""
        return (position, commit) not in self._by_trees

    def is_small(self, position: int) -> bool:
        """Whether few patches decide about one, so that a try costs little."""
        return len(self._replays.dependencies.of(position)) <= _FEW

    def _try(self, position: int, history: UpstreamHistory) -> bool:
        needed = self._replays.dependencies.of(position)
        if self.is_small(position):
            alone = self._replays.of(needed, history)
            if alone.is_by_files(range(len(needed))):
                return alone.is_first_cause(len(needed) - 1)
            self._by_trees.add((position, history.new))
            # Whole trees hold all that is before the patch; where that costs too much, the others
            # are taken for as they were, unless they have to do with it.
            if history.new not in self._whole and len(self._whole) >= _MOST_WHOLE:
                return alone.is_first_cause(len(needed) - 1)
        whole = self._on(position, history)
        if not whole.is_by_files(needed):
            self._by_trees.add((position, history.new))
        return whole.is_first_cause(position)

    def _on(self, position: int, history: UpstreamHistory) -> PartialReplay:
        """Return a replay of a patch and all before it, at least."""
        known = self._whole.get(history.new)
        if known is None or len(known.replay.steps) <= position:
            known = self._replays.of(range(position + 1), history)
            self._whole[history.new] = known
        return known

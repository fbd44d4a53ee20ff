"""Whether patches break on commits of upstream: small replays, of what decides about a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.forecast.replays import PartialReplays
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory


class Prober:
    """Whether patches break on commits; each pair is tried once."""

    def __init__(self, replays: PartialReplays) -> None:
        self._replays = replays
        self._known: dict[tuple[int, str], bool] = {}
        self._by_trees: set[tuple[int, str]] = set()
        self._commits: set[str] = set()

    @property
    def commits(self) -> int:
        """The number of commits that patches were replayed on."""
        return len(self._commits)

    def breaks(self, position: int, history: UpstreamHistory) -> bool:
        """Whether the patch at `position` conflicts, itself and not by a knock-on.

        It is put onto the commit that `history` ends with, after those earlier ones that decide
        about it; those that conflict are resolved their own way.
        """
        key = position, history.new
        if key not in self._known:
            self._commits.add(history.new)
            needed = self._replays.dependencies.of(position)
            tried = self._replays.of(needed, history)
            if not tried.merged_singly or self._replays.lacks_files(needed, history):
                self._by_trees.add(key)
                # git compared whole trees, and all that is before the patch is in them.
                if len(needed) <= position:
                    tried = self._replays.of(range(position + 1), history)
            self._known[key] = tried.last_is_first_cause
        return self._known[key]

    def is_alone(self, position: int, commit: str) -> bool:
        """Whether nothing but the files of patches decided at a commit that was tried."""
        return (position, commit) not in self._by_trees

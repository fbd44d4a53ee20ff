"""Which earlier patches of a queue decide what becomes of a patch.

Those that touch what it touches, and in turn what decides about these; all others may be left out
of a replay that asks about it alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import attributes
from tensorflow_macos_build.git.trees import folders_above

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.trees import PathChange


class _Touched(NamedTuple):
    """What a patch depends on, and what it makes different for others: paths of files and folders.

    Attributes:
        needs: what it depends on.
        makes: what others may depend on.
        everywhere: whether it changes how files merge, wherever they are.
    """

    needs: frozenset[str]
    makes: frozenset[str]
    everywhere: bool


class PatchDependencies:
    """The dependencies of patches on those before them.

    Args:
        changes: what each patch does to each path, in the queue's order.
    """

    def __init__(self, changes: Sequence[tuple[PathChange, ...]]) -> None:
        self.changes = changes
        self._touched = [_touched(patch) for patch in changes]
        self._makers: dict[str, list[int]] = {}
        for position, touched in enumerate(self._touched):
            for path in touched.makes:
                self._makers.setdefault(path, []).append(position)
        self._everywhere = [at for at, touched in enumerate(self._touched) if touched.everywhere]
        self._known: dict[int, tuple[int, ...]] = {}

    def of(self, position: int) -> tuple[int, ...]:
        """Return the positions of the patches that decide about one, itself the last of them."""
        if position not in self._known:
            needed: set[int] = set()
            waiting = [position, *(at for at in self._everywhere if at < position)]
            while waiting:
                patch = waiting.pop()
                if patch not in needed:
                    needed.add(patch)
                    waiting += self._before(patch)
            self._known[position] = tuple(sorted(needed))
        return self._known[position]

    def _before(self, patch: int) -> Iterator[int]:
        for path in self._touched[patch].needs:
            yield from (maker for maker in self._makers.get(path, ()) if maker < patch)

    def paths(self, positions: Iterable[int]) -> set[str]:
        """Return the paths that patches touch."""
        return {change.path for position in positions for change in self.changes[position]}

    def folders(self, positions: Iterable[int]) -> set[str]:
        """Return the folders above files that patches add or take away."""
        return {
            folder
            for position in positions
            for change in self.changes[position]
            if change.old is None or change.new is None
            for folder in folders_above(change.path)
        }


def _touched(changes: Sequence[PathChange]) -> _Touched:
    needs: set[str] = set()
    makes: set[str] = set()
    for change in changes:
        needs.add(change.path)
        makes.add(change.path)
        above = list(folders_above(change.path))
        if change.old is None:
            # Each folder above it has to be there, or is made with it; what it makes is the next.
            needs.update(above)
            makes.update(above[:1])
        elif change.new is None:
            # With it folders may go.
            needs.update(above)
            makes.update(above)
    names = {change.path.rpartition("/")[2] for change in changes}
    return _Touched(frozenset(needs), frozenset(makes), attributes.NAME in names)

"""Differences between versions of files, as blobs; many are compared by one question to git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import TreeEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine

_AT_ONCE = 100
"""Pairs of blobs that are compared at once: their differences are in memory for that time."""


def between(
    quarantine: Quarantine,
    pairs: Sequence[tuple[str, str]],
    *,
    algorithm: str = "myers",
    plain: bool = False,
) -> Iterator[FileDiff | None]:
    """Compare pairs of blobs, without context; None where nothing differs (`diffs.of_trees`)."""
    for start in range(0, len(pairs), _AT_ONCE):
        part = pairs[start : start + _AT_ONCE]
        # Pair by pair the one file of that name in two trees: git compares no blobs by id.
        old, new = (
            quarantine.write_tree(
                {str(at): TreeEntry("100644", oid) for at, oid in enumerate(side)}
            )
            for side in zip(*part, strict=True)
        )
        (compared,) = diffs.of_trees(
            quarantine.git, [(old, new)], context=0, algorithm=algorithm, plain=plain
        )
        by_number = {int(file.path): file for file in compared}
        yield from map(by_number.get, range(len(part)))

"""Differences between versions of files, as blobs; many are compared by one question to git."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import TreeEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff, TreeDiff
    from tensorflow_macos_build.git.quarantine import Quarantine

_Read = TypeVar("_Read")

AT_ONCE = 40
"""Pairs of blobs for one question: their differences are in memory while its answer is read."""


def ask(
    quarantine: Quarantine,
    pairs: Sequence[tuple[str, str]],
    read: Callable[[FileDiff], _Read],
    *,
    algorithm: str = "myers",
    plain: bool = False,
) -> Callable[[], list[_Read | None]]:
    """Let git compare pairs of blobs without context (`diffs.of_trees`).

    What is returned gives what is read in the difference of each, or None where nothing differs.
    """
    # Pair by pair the one file of that name in two trees: git compares no blobs by id.
    old, new = (
        quarantine.write_tree({str(at): TreeEntry("100644", oid) for at, oid in enumerate(side)})
        for side in zip(*pairs, strict=True)
    )

    def read_all(compared: list[TreeDiff]) -> list[_Read | None]:
        by_number = {int(file.path): read(file) for file in compared[0]}
        return [by_number.get(at) for at in range(len(pairs))]

    return diffs.ask_trees(
        quarantine.git, [(old, new)], read_all, context=0, algorithm=algorithm, plain=plain
    )

"""Differences between versions of files, as blobs; many are compared by one question to git."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import diffs
from tensorflow_macos_build.git.objects import TreeEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tensorflow_macos_build.git.diffs import FileDiff
    from tensorflow_macos_build.git.quarantine import Quarantine

AT_ONCE = 100
"""Pairs of blobs for one question: their differences are in memory until its answer is read."""


def ask(
    quarantine: Quarantine,
    pairs: Sequence[tuple[str, str]],
    *,
    algorithm: str = "myers",
    plain: bool = False,
) -> Callable[[], list[FileDiff | None]]:
    """Let git compare pairs of blobs without context (`diffs.of_trees`).

    What is returned gives a difference for each, or None where nothing differs.
    """
    # Pair by pair the one file of that name in two trees: git compares no blobs by id.
    old, new = (
        quarantine.write_tree({str(at): TreeEntry("100644", oid) for at, oid in enumerate(side)})
        for side in zip(*pairs, strict=True)
    )
    answer = diffs.ask_trees(
        quarantine.git, [(old, new)], context=0, algorithm=algorithm, plain=plain
    )

    def differences() -> list[FileDiff | None]:
        (compared,) = answer()
        by_number = {int(file.path): file for file in compared}
        return [by_number.get(at) for at in range(len(pairs))]

    return differences

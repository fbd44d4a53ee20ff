"""Which entries of an action cache are kept when all of them are too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tensorflow_macos_build.bazel.disk_cache import CachedAction


def kept(
    actions: Iterable[CachedAction],
    last_use: Mapping[str, int],
    bound: int,
    weight: Callable[[int], int],
) -> tuple[tuple[CachedAction, ...], int]:
    """Return the most recently used entries that are within a bound, each with all its blobs.

    Where one is too much, so are all that were used before it: nothing older is kept in its place,
    for a build that needs the one mostly needs what was made just before, too.

    Args:
        actions: the entries.
        last_use: for each key when it was last used; a larger number is later.
        bound: how much all that is kept may weigh.
        weight: returns what a file of so many bytes weighs.

    Returns:
        The entries, the most recently used first, and what they weigh.
    """
    # Ties by key, so that the same entries give the same result.
    ordered = sorted(actions, key=lambda action: (-last_use[action.key], action.key))
    chosen: list[CachedAction] = []
    total, there = 0, set[str]()
    for action in ordered:
        new = [blob for blob in action.blobs if blob.digest not in there]
        more = weight(action.size) + sum(weight(blob.size) for blob in new)
        if total + more > bound:
            break
        total += more
        there.update(blob.digest for blob in new)
        chosen.append(action)
    return tuple(chosen), total

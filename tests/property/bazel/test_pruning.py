"""What is kept of a disk cache is closed, within its bound, and what was used last."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.bazel import pruning
from tensorflow_macos_build.bazel.action_results import Blob
from tensorflow_macos_build.bazel.disk_cache import CachedAction

BLOBS = [Blob(f"{number:064x}", number * 7) for number in range(12)]


@st.composite
def caches(draw: st.DrawFn) -> tuple[list[CachedAction], dict[str, int]]:
    """Actions that share blobs, and when each was used."""
    rows = draw(
        st.lists(
            st.tuples(st.integers(0, 50), st.sets(st.sampled_from(BLOBS), max_size=5)), max_size=12
        )
    )
    actions = [
        CachedAction(f"{number:064x}", size, (f"out{number}",), tuple(sorted(blobs)))
        for number, (size, blobs) in enumerate(rows)
    ]
    uses = {action.key: draw(st.integers(0, 4)) for action in actions}
    return actions, uses


def weigh(actions: list[CachedAction]) -> int:
    """Return what actions weigh with every blob that they need, each of these once."""
    blobs = {blob for action in actions for blob in action.blobs}
    sizes = [action.size for action in actions] + [blob.size for blob in blobs]
    return sum(size + 3 for size in sizes)


@given(caches(), st.integers(0, 900))
def test_what_is_kept_is_the_most_recently_used_that_fits_with_all_its_blobs(
    cache: tuple[list[CachedAction], dict[str, int]], bound: int
) -> None:
    actions, uses = cache
    kept, weight = pruning.kept(actions, uses, bound, lambda size: size + 3)
    assert weight == weigh(list(kept)) <= bound
    dropped = [action for action in actions if action not in kept]
    for action in dropped:
        assert all(uses[action.key] <= uses[other.key] for other in kept)
    if dropped:  # and the next one would have been too much
        following = min(dropped, key=lambda action: (-uses[action.key], action.key))
        assert weigh([*kept, following]) > bound
    assert pruning.kept(reversed(actions), uses, bound, lambda size: size + 3) == (kept, weight)

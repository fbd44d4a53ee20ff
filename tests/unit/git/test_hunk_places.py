"""Where hunks are, judged by what made them: difflib's stretches of two lists of lines."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.git.diffs import LineRange
from tensorflow_macos_build.git.hunk_places import HunkPlaces

if TYPE_CHECKING:
    from collections.abc import Sequence

LINES = st.lists(st.sampled_from("abcde"), max_size=12)


def stretches(old: Sequence[str], new: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    return difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()


def text_of(old: Sequence[str], new: Sequence[str]) -> bytes:
    lines = difflib.unified_diff(old, new, n=0, lineterm="")
    return "".join(f"{line}\n" for line in [*lines][2:]).encode()


@given(LINES, LINES)
def test_hunks_are_where_lines_differ(old: list[str], new: list[str]) -> None:
    changed = [s for s in stretches(old, new) if s[0] != "equal"]
    places = HunkPlaces(text_of(old, new))
    assert len(places) == len(changed)
    assert places.pairs() == tuple(
        (LineRange(old_start, old_end - old_start), LineRange(new_start, new_end - new_start))
        for _, old_start, old_end, new_start, new_end in changed
    )


@given(LINES, LINES)
def test_a_line_that_stays_was_where_the_old_file_has_it(old: list[str], new: list[str]) -> None:
    places = HunkPlaces(text_of(old, new))
    for kind, old_start, _, new_start, new_end in stretches(old, new):
        for number in range(new_start, new_end) if kind == "equal" else ():
            assert places.before(number) == old_start + number - new_start


@given(LINES, LINES, st.integers(0, 13))
def test_hunks_that_end_behind_a_line_are_the_last_ones(
    old: list[str], new: list[str], start: int
) -> None:
    places = HunkPlaces(text_of(old, new))
    hunks = enumerate(after for _, after in places.pairs())
    assert [*places.ending_behind(start)] == [hunk for hunk in hunks if hunk[1].end > start]


@given(LINES, LINES, st.integers(0, 12), st.integers(0, 12))
def test_lines_go_across_with_the_hunks_that_they_meet_in_whole(
    old: list[str], new: list[str], start: int, count: int
) -> None:
    start = min(start, len(old))
    lines = LineRange(start, min(count, len(old) - start))
    places = HunkPlaces(text_of(old, new))
    met = [number for number, (before, _) in enumerate(places.pairs()) if before.meets(lines)]
    assert [*places.meeting(lines)] == met
    there = places.across(lines)
    first = min([start, *(places.old(number).start for number in met)])
    end = max([lines.end, *(places.old(number).end for number in met)])
    # What is neither in the range nor in such a hunk stands on the same side of it as before.
    for kind, old_start, old_end, new_start, _ in stretches(old, new):
        for number in range(old_start, old_end) if kind == "equal" else ():
            now = new_start + number - old_start
            assert (first <= number < end) == (there.start <= now < there.end)
            assert (number < first) == (now < there.start)
    for number in met:
        inside = places.new(number)
        assert there.start <= inside.start
        assert inside.end <= there.end

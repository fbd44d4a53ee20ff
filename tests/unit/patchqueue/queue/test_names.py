"""File names follow the subject, keep their number, and sort as the series does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import names

SUBJECTS = st.lists(
    st.sampled_from(["a", "A", "b c", "b/c", "\u65e5\u672c", "..", "x" * 90]), max_size=30
)


@given(SUBJECTS)
def test_names_sort_as_the_queue_and_differ_on_every_file_system(subjects: list[str]) -> None:
    assigned = names.assign(subjects, [None] * len(subjects))
    assert assigned == sorted(assigned)
    assert len({name.lower() for name in assigned}) == len(subjects)
    assert all(name.isascii() and "/" not in name and name[0] != "." for name in assigned)


@given(SUBJECTS, st.integers(0, 30), st.integers(1, 8))
def test_a_patch_comes_or_goes_and_the_others_keep_their_names(
    subjects: list[str], position: int, count: int
) -> None:
    assigned = names.assign(subjects, [None] * len(subjects))
    position = min(position, len(subjects))
    new = names.assign(
        [*subjects[:position], *["new"] * count, *subjects[position:]],
        [*assigned[:position], *[None] * count, *assigned[position:]],
    )
    assert [*new[:position], *new[position + count :]] == assigned
    assert new == sorted(new)
    assert names.assign(subjects[:position], assigned[:position]) == assigned[:position]


def test_a_new_subject_renames_its_own_file_alone() -> None:
    assigned = names.assign(["one", "two"], [None, None])
    assert names.assign(["one", "deux"], list(assigned)) == [assigned[0], "00200-deux.patch"]


def test_numbers_that_ran_out_are_given_anew() -> None:
    current: list[str | None] = ["00001-a.patch", "00002-b.patch"]
    assert names.assign(["a", "x", "b"], [current[0], None, current[1]]) == [
        "00100-a.patch",
        "00200-x.patch",
        "00300-b.patch",
    ]


def test_patches_that_changed_places_move_as_few_names_as_can_be() -> None:
    one, two, three = names.assign(["1", "2", "3"], [None] * 3)
    moved = names.assign(["3", "1", "2"], [three, one, two])
    assert moved[1:] == [one, two]
    assert moved == sorted(moved)


def test_more_patches_than_five_digits_hold_still_sort() -> None:
    assigned = names.assign(["x"] * 1200, [None] * 1200)
    assert assigned == sorted(assigned)


@pytest.mark.parametrize(
    ("part", "position"),
    [("fix", 0), ("00100-fix.patch", 0), ("fix-copy", 1), ("COPY", 1), ("00300", 2)],
)
def test_a_patch_is_meant_by_its_whole_name_or_by_a_part_that_fits_no_other(
    part: str, position: int
) -> None:
    listed = ["00100-fix.patch", "00200-fix-copy.patch", "00300-tail.patch"]
    assert names.position(listed, part) == position


@pytest.mark.parametrize(
    ("part", "position"),
    [("Fix.patch", 0), ("fix.patch", 1), ("Tail", 2), ("tail", 2), ("0003-Other.patch", 3)],
)
def test_names_that_somebody_else_gave_are_taken_too(part: str, position: int) -> None:
    listed = ["Fix.patch", "fix.patch", "Long-Tail.diff", "0003-Other.patch"]
    assert names.position(listed, part) == position


@pytest.mark.parametrize(
    ("part", "expected"), [("00", "fits 2 patches"), ("tial", "00200-tail.patch")]
)
def test_a_name_that_means_no_patch_or_several_is_refused(part: str, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        names.position(["00100-fix.patch", "00200-tail.patch"], part)
    assert expected in str(caught.value)

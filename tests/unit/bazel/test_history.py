import pytest
from hypothesis import given
from hypothesis import strategies as st

from tensorflow_macos_build.bazel.history import (
    KEPT,
    PARTS,
    PastBuild,
    RunningBuild,
    dump,
    load,
    time_left,
)

EVEN = PastBuild(1000, tuple(float(part * 100) for part in range(1, PARTS + 1)))
"""2,000 seconds, two for each action."""


def run(*moments: tuple[float, int]) -> RunningBuild:
    running = RunningBuild()
    for seconds, done in moments:
        running.add(seconds, done)
    return running


def test_without_a_past_or_a_count_nothing_is_known() -> None:
    running = run((0, 0))
    assert time_left([], running, done=5, known=10, seconds=1) is None
    assert time_left([EVEN], running, done=0, known=10, seconds=1) is None
    assert time_left([EVEN], running, done=11, known=10, seconds=1) is None


def test_a_build_like_the_last_one_takes_as_long() -> None:
    running = run(*((float(second), second // 2) for second in range(1001)))
    left = time_left([EVEN], running, done=500, known=1000, seconds=1000)
    assert left == pytest.approx(1000, rel=0.02)


def test_a_machine_of_half_the_speed_takes_twice_as_long() -> None:
    running = run(*((float(second), second // 4) for second in range(2001)))
    left = time_left([EVEN], running, done=500, known=1000, seconds=2000)
    assert left == pytest.approx(2000, rel=0.3)


def test_what_was_up_to_date_at_the_start_does_not_speed_up_the_rest() -> None:
    running = run((0, 0), (1, 900), *((1 + 2.0 * n, 900 + n) for n in range(1, 61)))
    left = time_left([EVEN], running, done=960, known=1000, seconds=121)
    assert left == pytest.approx(80, rel=0.1)


def test_a_long_last_action_is_expected() -> None:
    course = (*(float(part) for part in range(1, PARTS)), 1000.0)
    assert time_left([PastBuild(20, course)], run((0, 0), (19, 19)), done=19, known=20, seconds=19)
    left = time_left([PastBuild(20, course)], run((0, 0)), done=19, known=20, seconds=19)
    assert left == pytest.approx(981, rel=0.01)


def test_one_odd_build_among_many_decides_nothing() -> None:
    odd = PastBuild(1000, (1.0,) * PARTS)
    assert time_left([EVEN, odd, EVEN], run((0, 0)), done=500, known=1000, seconds=1) == 1000


@given(
    moments=st.lists(st.integers(1, 50), min_size=1, max_size=3000),
    actions=st.integers(1, 100_000),
)
def test_a_course_never_goes_back_and_ends_with_the_build(moments: list[int], actions: int) -> None:
    running, seconds = RunningBuild(), 0.0
    for number, moment in enumerate(moments):
        seconds += moment
        running.add(seconds, number)
    course = running.course(actions, seconds).course
    assert len(course) == PARTS
    assert list(course) == sorted(course)
    assert course[-1] == seconds


def test_past_builds_come_back_from_their_file_and_not_more_than_are_kept() -> None:
    builds = [PastBuild(number, EVEN.course) for number in range(KEPT + 3)]
    assert load(dump(builds)) == tuple(builds[-KEPT:])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"3",
        b'{"format": 2, "builds": []}',
        b'{"format": 1, "builds": [{"actions": 1, "course": []}]}',
        b'{"format": 1, "builds": [{"actions": true, "course": %s}]}' % str([1] * PARTS).encode(),
        b'{"format": 1, "builds": [{"actions": 9, "course": %s}]}' % str([-1] * PARTS).encode(),
        b'{"format": 1, "builds": [{"actions": 9, "course": [%s1e999]}]}' % (b"1," * (PARTS - 1)),
        b'{"format": 1, "builds": [{"actions": 9, "course": [NaN%s]}]}' % (b",1" * (PARTS - 1)),
        b'{"format": 1, "builds": [{"actions": 9, "course": [%s1%s]}]}'
        % (b"1," * (PARTS - 1), b"0" * 400),
        b'{"format": 1, "builds": 3}',
        b"[" * 100_000,
    ],
    ids=range(13),
)
def test_what_is_no_file_on_past_builds_says_nothing(content: bytes) -> None:
    assert load(content) == ()


def test_no_length_of_a_build_takes_the_memory() -> None:
    running = RunningBuild()
    for number in range(100_000):
        running.add(float(number), number)
    assert len(running._samples) <= 513
    assert running.done_at(99_999.0)[1] > 99_000  # type: ignore[index]  # there are moments
    assert running.course(100_000, 100_000.0).course[9] == pytest.approx(50_000, rel=0.01)

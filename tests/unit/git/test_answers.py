"""Answers are read in the order in which they were asked for, and no further than they have to."""

from __future__ import annotations

import functools

from tensorflow_macos_build.git.answers import UnreadAnswers


def _asked(count: int) -> tuple[UnreadAnswers, list[int]]:
    answers, read = UnreadAnswers(), list[int]()
    for number in range(count):
        answers.add(functools.partial(read.append, number))
    return answers, read


def test_those_behind_what_is_needed_go_on_waiting() -> None:
    answers, read = _asked(5)
    answers.read_until(lambda: 2 in read)
    assert read == [0, 1, 2]
    answers.read_until(lambda: 2 in read)
    assert read == [0, 1, 2]


def test_what_never_comes_is_waited_for_to_the_last() -> None:
    answers, read = _asked(5)
    answers.read_until(lambda: False)
    assert read == [0, 1, 2, 3, 4]


def test_of_many_the_oldest_are_read_at_once() -> None:
    _, read = _asked(20)
    assert read == [0, 1, 2, 3]

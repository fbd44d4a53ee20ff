"""Work that waits, and goes on while something else is done."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from tensorflow_macos_build.git.work_beside import WorkBeside

if TYPE_CHECKING:
    from tensorflow_macos_build.git.work_beside import Steps


class Counting:
    """Counts up to three; before each number it waits until it may."""

    def __init__(self) -> None:
        self.allowed, self.done = 0, 0

    def steps(self) -> Steps[str]:
        for number in range(3):
            yield functools.partial(self._may_make, number)
            self.done = number + 1
        return "done"

    def _may_make(self, number: int) -> bool:
        return number < self.allowed


def test_work_is_begun_at_once_and_goes_on_as_far_as_it_need_not_wait() -> None:
    counting = Counting()
    work = WorkBeside(counting.steps())
    for allowed in (0, 2, 2, 3, 3):
        counting.allowed = allowed
        work.go_on()
        assert counting.done == allowed


def test_finished_it_waits_and_returns_the_same_as_often_as_it_is_asked() -> None:
    counting = Counting()
    work = WorkBeside(counting.steps())
    assert [work.finish(), work.finish()] == ["done", "done"]
    assert counting.done == 3


def test_its_rest_is_a_part_of_other_work() -> None:
    counting = Counting()

    def both(inner: WorkBeside[str]) -> Steps[list[str]]:
        return [(yield from inner.rest()), (yield from inner.rest())]

    counting.allowed = 1
    inner = WorkBeside(counting.steps())
    outer = WorkBeside(both(inner))
    outer.go_on()
    assert counting.done == 1
    assert outer.finish() == ["done", "done"]

"""How often Python looks for cycles during large work, and that it is as before after that."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from tensorflow_macos_build import cycles

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _threshold() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_few_searches_while_objects_are_made_that_stay() -> None:
    before = gc.get_stats()[0]["collections"]
    with cycles.rarely_sought():
        kept = [[number] for number in range(50_000)]
        searches = gc.get_stats()[0]["collections"] - before
    assert len(kept) == 50_000
    assert searches <= 1


def test_an_error_puts_the_threshold_back_too() -> None:
    gc.set_threshold(500, 7, 5)
    with pytest.raises(ValueError, match="x"), cycles.rarely_sought():
        raise ValueError("x")
    assert gc.get_threshold() == (500, 7, 5)


@pytest.mark.parametrize("threshold", [0, 1_000_000])
def test_who_searches_more_rarely_or_never_is_left_alone(threshold: int) -> None:
    gc.set_threshold(threshold)
    with cycles.rarely_sought():
        assert gc.get_threshold()[0] == threshold


def test_two_that_overlap_leave_the_threshold_of_before() -> None:
    gc.set_threshold(500)
    first, second = cycles.rarely_sought(), cycles.rarely_sought()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert gc.get_threshold()[0] == 500

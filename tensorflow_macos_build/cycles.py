"""Python's search for garbage that refers to itself, done rarely while there is none to find."""

from __future__ import annotations

import contextlib
import gc
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_RARE = 200_000
"""Objects that are made and kept between two searches, Python's own number being 700: as many as
mypy takes. Where there are cycles after all, memory stays bounded."""


@contextlib.contextmanager
def rarely_sought() -> Iterator[None]:
    """Let Python look for cycles rarely, unless it does so already.

    A wheel's ten thousand members, or a queue's merges, are hundreds of thousands of objects, and
    none is in a cycle; but Python goes through all of them again and again as they grow, with its
    lock held: 0.25 s of the 9 s of processor time that fusing TensorFlow's wheels takes, 0.2 s of
    as many for verifying the result, an eighth of a forecast.
    """
    before = gc.get_threshold()
    # 0 stands for never. And of two calls that overlap in time the first alone puts back.
    if not 0 < before[0] < _RARE:
        yield
        return
    gc.set_threshold(_RARE, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)

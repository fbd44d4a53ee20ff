"""Answers of git's that are given while something else is done, and read when they are needed."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST = 16
"""Answers that may wait: each is of many files or commits, and in memory until it is read."""


class UnreadAnswers:
    """Answers that nobody has read yet, in the order in which they were asked for."""

    def __init__(self) -> None:
        self._readers: deque[Callable[[], None]] = deque()

    def add(self, read: Callable[[], None]) -> None:
        """Let an answer wait, `read` being what reads it; of many, the oldest one is read."""
        self._readers.append(read)
        if len(self._readers) > _MOST:
            self._readers.popleft()()

    def read_until(self, is_known: Callable[[], bool]) -> None:
        """Read those that wait, the oldest first, until what is needed is known; or all of them."""
        while self._readers and not is_known():
            self._readers.popleft()()

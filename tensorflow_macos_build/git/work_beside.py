"""Work that waits for programs, and goes on while something else is done."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeVar

_Result = TypeVar("_Result")

Steps = Generator[Callable[[], bool], None, _Result]
"""Work, step by step: between two it yields what says whether the next one need not wait."""


class WorkBeside(Generic[_Result]):
    """Work that is begun; it goes on whenever it is given the time.

    Nothing runs by itself: who does something else meanwhile calls `go_on` now and then.

    Args:
        steps: the work.
    """

    def __init__(self, steps: Steps[_Result]) -> None:
        self._steps = steps
        self._results: list[_Result] = []
        self._step()

    def _step(self) -> None:
        try:
            self._is_ready = next(self._steps)
        except StopIteration as end:
            self._results.append(end.value)

    def go_on(self) -> None:
        """Do what need not wait."""
        while not self._results and self._is_ready():
            self._step()

    def rest(self) -> Steps[_Result]:
        """Return what is left of it, as a part of other work."""
        while not self._results:
            yield self._is_ready
            self._step()
        return self._results[0]

    def finish(self) -> _Result:
        """Do it to its end."""
        while not self._results:
            self._step()
        return self._results[0]

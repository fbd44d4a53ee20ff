"""Interrupts from the terminal: the first one ends the work, and a second one the patience.

Python's own handler raises KeyboardInterrupt wherever the main thread is, each time. A first one in
the lines that start a program leaves it at work and known to nobody, and a second one breaks off
what tidies up after the first. Here the second raises nothing: whoever waits looks at `Patience`.
The first is raised only when the `undisturbed` functions at work have come to their end.
"""

from __future__ import annotations

import functools
import signal
import sys
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType, FrameType

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Presses:
    """How often SIGINT has come to this process, and whether one of them is still to be raised."""

    count = 0
    is_due = False


_SHIELDS: set[CodeType] = set()
"""The code of `undisturbed` functions. The handler looks for it among the frames at work: a flag
would be set a moment after a function has begun."""


def install() -> None:
    """Handle interrupts so from now on, as if there had been none; in the main thread."""
    _Presses.count, _Presses.is_due = 0, False
    signal.signal(signal.SIGINT, _on_interrupt)


def undisturbed(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let no interrupt break a function off; one that comes is raised at the function's end."""

    def shield(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        finally:
            _raise_due(sys._getframe().f_back)

    _SHIELDS.add(shield.__code__)
    return functools.wraps(function)(shield)


class Patience:
    """Whether a person still waits: not after a second interrupt, nor after one that comes now.

    It is made where a wait begins.
    """

    def __init__(self) -> None:
        self._before = min(_Presses.count, 1)

    @property
    def is_lost(self) -> bool:
        """Whether what is waited for is to be ended at once."""
        return _Presses.count > self._before


def _on_interrupt(_signal: int, frame: FrameType | None) -> None:
    _Presses.count = number = _Presses.count + 1  # another may come before the next line
    # Whoever presses a third time wants out, and the first may have been lost: what is raised in a
    # finaliser goes nowhere (object.__del__).
    if number != 2:
        _Presses.is_due = True
    _raise_due(frame)


def _raise_due(frame: FrameType | None) -> None:
    """Raise an interrupt that is due, if no undisturbed function is among a frame's callers."""
    while frame is not None:
        if frame.f_code in _SHIELDS:
            return
        frame = frame.f_back
    if _Presses.is_due:
        _Presses.is_due = False
        raise KeyboardInterrupt

"""An interrupt, and a second one, at every step of a program's life: nothing is left at work.

The interpreter's own trace and profile functions press, so that no moment is left to chance: a
trace function comes between any two instructions, and a profile function at every call and return,
which is where CPython looks for signals.
"""

from __future__ import annotations

import dis
import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tensorflow_macos_build import children, interrupts, process
from tests import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

TRACED = {children.__file__, process.__file__}

SECONDS = itertools.count(1000)
"""Each `sleep` of this file sleeps for another time, and so is known by it."""

LOOKED_AFTER = ("CALL", "RESUME", "JUMP_BACKWARD", "YIELD")
"""Instructions after which CPython looks for signals (Python/ceval.c, CHECK_EVAL_BREAKER)."""


@pytest.fixture(autouse=True)
def _handled() -> Iterator[None]:
    """Handle interrupts as the command line does; end a test that hangs."""

    def hangs(_number: int, _frame: object) -> None:
        raise AssertionError("it waits for ever")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(120)
    interrupts.install()
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Press:
    """Presses once, when it has been called so often."""

    def __init__(self, moment: int) -> None:
        self.left = moment
        self._before: dict[FrameType, str] = {}

    @property
    def is_over(self) -> bool:
        return self.left <= 0

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)

    def trace(self, frame: FrameType, event: str, _argument: object) -> Any:
        """Be a trace function (sys.settrace)."""
        code = frame.f_code
        # The latter has a lock that an interrupt leaves held.
        is_traced = code.co_filename in TRACED or code.co_name == "_internal_poll"
        if not is_traced or _is_finaliser(frame):
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            if self._before.get(frame, "").startswith(LOOKED_AFTER):
                self.step()
            self._before[frame] = dis.opname[code.co_code[frame.f_lasti]]
        return self.trace

    def profile(self, _frame: FrameType, _event: str, _argument: object) -> None:
        """Be a profile function (sys.setprofile)."""
        self.step()


def _is_finaliser(frame: FrameType) -> bool:
    """Whether an interrupt would be lost: what is raised in a finaliser goes nowhere."""
    callers = (frame, frame.f_back)
    return any(caller is not None and caller.f_code.co_name == "__del__" for caller in callers)


def a_program(body: Callable[[children.Child], object]) -> None:
    """Start a program that would not end for long, do something, and leave it."""
    seconds = f"{next(SECONDS)}.{os.getpid()}"
    try:
        with process.start(["sleep", seconds]) as child:
            body(child)
    finally:
        sys.settrace(None)
        sys.setprofile(None)
        left = [line for line in processes.command_lines() if line.split()[1:] == [seconds]]
        assert not left


def at_every_moment(press: Callable[[Press], None]) -> int:
    """Press at one moment after the other, until it is too late; return how many there are."""
    for moment in itertools.count(1):
        interrupts.install()
        pressing = Press(moment)
        try:
            press(pressing)
        except KeyboardInterrupt:
            assert pressing.is_over
        else:
            assert not pressing.is_over, f"the interrupt at {moment} was lost"
            return moment
    raise AssertionError


def test_a_program_that_an_interrupt_meets_at_any_step_is_ended() -> None:
    def press(pressing: Press) -> None:
        sys.settrace(pressing.trace)
        a_program(lambda child: child.poll())

    assert at_every_moment(press) > 50


def test_a_second_interrupt_at_any_step_after_the_first_breaks_nothing_off() -> None:
    def press(pressing: Press) -> None:
        def first(_child: children.Child) -> None:
            sys.setprofile(pressing.profile)
            signal.raise_signal(signal.SIGINT)

        try:
            a_program(first)
        except KeyboardInterrupt:
            if pressing.is_over:
                raise

    assert at_every_moment(press) > 50

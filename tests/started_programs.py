"""The programs that this process starts, as the interpreter's own audit events tell them."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class StartedProgram(NamedTuple):
    """A program as it was started: its words, its folder, and its whole environment."""

    argv: list[str]
    cwd: str
    env: dict[str, str]


_listeners: list[list[StartedProgram]] = []


def _note(event: str, args: tuple[Any, ...]) -> None:
    if event == "subprocess.Popen":
        _, argv, cwd, env = args
        for programs in _listeners:
            programs.append(StartedProgram([*map(str, argv)], str(cwd), dict(env or {})))


sys.addaudithook(_note)  # which cannot be taken away again


@contextlib.contextmanager
def listening() -> Iterator[list[StartedProgram]]:
    """Collect the programs that are started in the body, in their order."""
    programs: list[StartedProgram] = []
    _listeners.append(programs)
    try:
        yield programs
    finally:
        _listeners.pop()

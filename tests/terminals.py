"""A program on a real pseudo-terminal, and what a person in front of it would see.

pyte, a terminal emulator, draws what the program writes; each state of the screen is kept.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

INTERRUPT = b"\x03"
"""What Ctrl-C sends; the terminal makes SIGINT of it (termios(3), VINTR)."""

_SECONDS = 120.0


@dataclass
class Seen:
    """What came of a program on a terminal.

    Attributes:
        columns: the terminal's width.
        status: the program's exit status.
        raw: all that it wrote.
        frames: the lines of the screen after each piece that was written.
        lines: what stands on the terminal in the end, scrolled lines too.
        is_cursor_shown: whether the cursor is to be seen in the end.
    """

    columns: int
    status: int = -1
    raw: bytes = b""
    frames: list[list[str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    is_cursor_shown: bool = True

    @property
    def text(self) -> str:
        """All lines in the end, put together where the terminal broke them at its edge."""
        return "".join(line if len(line) == self.columns else f"{line}\n" for line in self.lines)

    @property
    def torn_frames(self) -> list[list[str]]:
        """The screens on which a live display was not the one line at the end of all."""
        return [frame for frame in self.frames if _is_torn(frame)]


def _is_torn(frame: list[str]) -> bool:
    written = [line for line in frame if line]
    return any(_is_live(line) for line in written[:-1])


def _is_live(line: str) -> bool:
    """Whether a line begins with a picture of rich's spinner (a Braille pattern)."""
    return "\u2800" <= line[:1] <= "\u28ff"


def watch(
    argv: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    columns: int = 80,
    rows: int = 24,
    press_at: Callable[[str], bool] = lambda _: False,
) -> Seen:
    """Run a program on a terminal to its end; once `press_at` takes the screen, press Ctrl-C."""
    screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
    stream = pyte.ByteStream(screen)
    seen = Seen(columns)
    child, keyboard = _started(argv, cwd, env, struct.pack("HHHH", rows, columns, 0, 0))
    pressed, deadline = False, time.monotonic() + _SECONDS
    with contextlib.closing(os.fdopen(keyboard, "rb+", buffering=0)) as end:
        while time.monotonic() < deadline:
            try:
                piece = os.read(end.fileno(), 1 << 12)
            except OSError:  # EIO: nobody has the other end any more (pty(7))
                break
            if not piece:
                break
            seen.raw += piece
            stream.feed(piece)
            frame = [line.rstrip() for line in screen.display]
            seen.frames.append(frame)
            if not pressed and press_at("\n".join(frame)):
                os.write(end.fileno(), INTERRUPT)
                pressed = True
        else:
            child.kill()
    seen.status = child.wait(60)
    scrolled = ["".join(row[x].data for x in range(columns)).rstrip() for row in screen.history.top]
    seen.lines = [*scrolled, *(line.rstrip() for line in screen.display)]
    while seen.lines and not seen.lines[-1]:
        seen.lines.pop()
    seen.is_cursor_shown = not screen.cursor.hidden
    return seen


def _started(
    argv: Sequence[str], cwd: Path, env: Mapping[str, str], size: bytes
) -> tuple[subprocess.Popen[bytes], int]:
    """Start a program on a terminal of its own; return it, and the end that a person sits at."""
    keyboard, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)
    variables = {**env, "TERM": "xterm-256color"}
    for name in ("COLUMNS", "LINES", "NO_COLOR", "GITHUB_ACTIONS"):
        variables.pop(name, None)
    child = subprocess.Popen(
        argv,
        cwd=cwd,
        env=variables,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=_take_terminal,  # noqa: PLW1509 - one call to the system, and no lock
    )
    os.close(terminal)
    return child, keyboard


def _take_terminal() -> None:
    # The session that `start_new_session` has made gets this terminal, and SIGINT from it (tty(4)).
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)

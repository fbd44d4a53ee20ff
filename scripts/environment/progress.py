"""What people see of a set-up: lines, and how far an installation is."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SILENCE = 5.0
"""Seconds between two lines on the progress where there is no terminal to draw on."""


class Progress:
    """What people see of an installation: what is done now, how many packages, how long it takes.

    Args:
        total: how many packages there will be.
        log: where it is kept what a program that fails has printed.

    Attributes:
        log: the same.
        environment: where packages are installed.
    """

    def __init__(self, total: int, log: Path) -> None:
        self.log = log
        self.environment: Path | None = None
        self._total = total
        self._begun = time.monotonic()
        self._drawn = self._begun
        self._doing = ""
        self._collected: set[str] = set()
        self._is_terminal = sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"

    def step(self, doing: str) -> None:
        """Note what is done now."""
        self._doing = doing

    def read(self, line: str) -> None:
        """Take a line of pip's or uv's; what it means decides nothing but what is shown."""
        verb, _, rest = line.strip().partition(" ")
        if verb == "Collecting":
            name = rest.partition("=")[0]
            self._collected.add(name)
            self.step(f"downloading {len(self._collected)} of {self._total} packages: {name}")
        elif verb == "Downloading" and not self._collected:  # uv names the large ones
            self.step(f"downloading packages, now {rest}")
        elif verb in {"Installing", "Prepared"}:
            self.step("installing")

    def draw(self) -> None:
        """Show what is done now, where it is time to."""
        if not self._is_terminal and time.monotonic() - self._drawn < _SILENCE:
            return
        self._drawn = time.monotonic()
        text = self._doing
        if text == "installing":
            text = f"{self.installed()} of {self._total} packages are installed"
        if self._is_terminal and text:
            columns = shutil.get_terminal_size().columns
            sys.stderr.write("\r\x1b[K" + f"inv: {self.seconds()} s: {text}"[: columns - 1])
            sys.stderr.flush()
        elif text:
            say(f"{self.seconds()} s: {text}")

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        """Take the last line off the terminal at the end, however that comes."""
        try:
            yield
        finally:
            self.clear()

    def clear(self) -> None:
        """Take the line off the terminal."""
        if self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

    def installed(self) -> int:
        """Return how many packages are in the environment, pip not counted."""
        if self.environment is None:
            return 0
        folders = self.environment.glob("lib/python3*/site-packages/*.dist-info")
        return sum(not folder.name.startswith("pip-") for folder in folders)

    def seconds(self) -> int:
        """Return how long it has taken so far."""
        return int(time.monotonic() - self._begun)


def say(text: str) -> None:
    """Print a line for people, which begins with the program's name."""
    sys.stderr.write(f"inv: {text}\n")
    sys.stderr.flush()

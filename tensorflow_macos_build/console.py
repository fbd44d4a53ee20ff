"""What people see: stages, progress and errors on stderr while a task works, results on stdout.

On a terminal rich draws it, live. Elsewhere it is plain lines, and on GitHub Actions the lines of
a stage are folded into a group. Colour and live drawing happen on a terminal only, and NO_COLOR is
honoured. Elsewhere nothing is wrapped: a line is a line, however long, for grep and awk.

Every text is foreign: it may hold what rich takes for markup or for an emoji (`a.yaml:100:`), or a
terminal's commands. It is shown as it stands, with control characters as escapes.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console as RichConsole
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from tensorflow_macos_build.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType
    from rich.text import Text

_PLAIN_INTERVAL = 5.0
"""Seconds between two progress lines where there is no terminal to draw on."""

_PLAIN_WIDTH = 1 << 16
"""Columns where there is no terminal: rich breaks the cells of a table at any width it is given."""


class Ticker(Protocol):
    """What a long piece of work calls to say how far it is."""

    def __call__(self, done: int, total: int | None = None, detail: str = "") -> None:
        """Say that `done` of `total` units are finished, and what is being done now."""


def silent(done: int, total: int | None = None, detail: str = "") -> None:
    """Be the ticker of work that nobody watches."""


class _Verbatim(RichConsole):
    """A rich console that takes no text for markup, and lets none command the terminal.

    rich asks `render_str` for every plain string: lines, cells, titles. Who makes a `rich.Text`
    puts only words of this package into it.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to show for a string."""
        return super().render_str(_shown(text), **options)


class Console:
    """Where people's output goes. One instance is made by `tasks` and handed down as callbacks."""

    def __init__(self, *, quiet: bool = False, stderr: bool = True) -> None:
        self._terminal = (sys.stderr if stderr else sys.stdout).isatty()
        self._groups = os.environ.get("GITHUB_ACTIONS") == "true"
        self.rich = _Verbatim(
            stderr=stderr,
            quiet=quiet,
            markup=False,
            emoji=False,
            highlight=False,
            width=None if self._terminal else _PLAIN_WIDTH,
            soft_wrap=not self._terminal,
        )

    def line(self, text: str, style: str = "") -> None:
        """Print one line of plain text, in a rich style such as "green" or "bold red"."""
        self.rich.print(text, style=style or None)

    def table(self, found: RenderableType) -> None:
        """Print a rich table or another renderable."""
        self.rich.print(found)

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put the lines of the body under a title; a folded group on GitHub Actions."""
        self.line(f"::group::{title}" if self._groups else title, "bold")
        try:
            yield
        finally:
            if self._groups:
                self.line("::endgroup::")

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[Ticker]:
        """Show how far the body is: a live bar on a terminal, now and then a line elsewhere."""
        if self._terminal and not self.rich.quiet:
            with self._live_bar(title) as ticker:
                yield ticker
        else:
            yield self._plain_lines(title)

    @contextlib.contextmanager
    def _live_bar(self, title: str) -> Iterator[Ticker]:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[detail]}", markup=False),
        )
        with Progress(*columns, console=self.rich, transient=True) as bars:
            bar = bars.add_task(_shown(title), total=None, detail="")

            def tick(done: int, total: int | None = None, detail: str = "") -> None:
                bars.update(bar, completed=done, total=total, detail=_shown(detail))

            yield tick

    def _plain_lines(self, title: str) -> Ticker:
        last = time.monotonic()

        def tick(done: int, total: int | None = None, detail: str = "") -> None:
            nonlocal last
            if time.monotonic() - last < _PLAIN_INTERVAL:
                return
            last = time.monotonic()
            of_total = f"/{total}" if total else ""
            self.line(f"{title}: {done}{of_total} {detail}".rstrip())

        return tick


def _shown(text: str) -> str:
    return printable(text, kept="\n\t")

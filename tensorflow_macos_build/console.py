"""What people see: stages, progress and errors on stderr while a task works, results on stdout.

On a terminal rich draws it, live. Elsewhere it is plain lines, and on GitHub Actions the lines of
a stage are folded into a group. Colour and live drawing happen on a terminal only, and NO_COLOR is
honoured. Elsewhere nothing is wrapped: a line is a line, however long, for grep and awk.

Every text is foreign: it may hold what rich takes for markup or for an emoji (`a.yaml:100:`), a
terminal's commands, or a workflow's. It is shown as it stands, with those as escapes (`shown`).
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import time
from pathlib import Path
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
from rich.text import Text

from tensorflow_macos_build.errors import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

_PLAIN_INTERVAL = 5.0
"""Seconds between two progress lines where there is no terminal to draw on."""

_PLAIN_WIDTH = 1 << 16
"""Columns where there is no terminal: rich breaks the cells of a table at any width it is given."""

_MAX_SUMMARY = 1 << 20
"""Bytes of a step's summary, beyond which the runner takes none of it (docs.github.com, "Workflow
commands for GitHub Actions", step isolation and limits)."""

_WORKFLOW_COMMAND = re.compile(r"^([ \t]*):(?=:)|#(?=#\[)", re.MULTILINE)
"""Where a command to the runner of GitHub Actions may begin, `::error::` or `##[error]`: the first
at a line's start behind white space, the second anywhere (actions/runner, ActionCommand.cs)."""


def on_github_actions() -> bool:
    """Whether what is printed is read by the runner of GitHub Actions, which obeys some of it."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def shown(text: str, kept: str = "\t") -> str:
    r"""Return foreign text as it may be printed, with what would be obeyed shown by its escape.

    That is what a terminal obeys (`printable`, to which `kept` goes), and on GitHub Actions
    workflow commands: `\x3a:stop-commands::x`.
    """
    plain = printable(text, kept)
    return _WORKFLOW_COMMAND.sub(_escaped, plain) if on_github_actions() else plain


def _escaped(start: re.Match[str]) -> str:
    return r"\x23" if start[1] is None else rf"{start[1]}\x3a"


class Ticker(Protocol):
    """What a long piece of work calls to say how far it is."""

    def __call__(self, done: int, total: int | None = None, detail: str = "") -> None:
        """Note that `done` of `total` units are finished, and what is being done now."""


def silent(done: int, total: int | None = None, detail: str = "") -> None:
    """Be the ticker of work that nobody watches."""


class _Verbatim(RichConsole):
    """A rich console that takes no text for markup, and lets none command the terminal.

    rich asks `render_str` for every plain string: lines, cells, titles. Who makes a `rich.Text`
    puts only words of this package into it.
    """

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to show for a string."""
        return super().render_str(shown(text, kept="\n\t"), **options)


class Console:
    """Where people's output goes. One instance is made by `tasks` and handed down as callbacks."""

    def __init__(self, *, quiet: bool = False, stderr: bool = True) -> None:
        # Not rich's own word, which FORCE_COLOR and TTY_COMPATIBLE change.
        self._terminal = (sys.stderr if stderr else sys.stdout).isatty()
        self._groups = on_github_actions()
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

    def table(self, table: RenderableType) -> None:
        """Print a rich table or another renderable."""
        self.rich.print(table)

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Put the lines of the body under a title; a folded group on GitHub Actions.

        Groups cannot be nested there: a second one ends the first.
        """
        if not self._groups:
            self.line(title, "bold")
            yield
            return
        # The runner takes `%25`, `%0A` and `%0D` in a command's text for the characters.
        # It is a `rich.Text`, for in plain strings commands are escaped (`_Verbatim`).
        self.rich.print(Text(f"::group::{shown(title).replace('%', '%25')}"))
        try:
            yield
        finally:
            self.rich.print(Text("::endgroup::"))

    def step_summary(self, markdown: str) -> None:
        """Add to the page that GitHub Actions shows about a job; elsewhere there is none."""
        path = os.environ.get("GITHUB_STEP_SUMMARY")
        if not (self._groups and path):
            return
        content = printable(markdown, kept="\n\t").encode()
        # It is for looking at only: no work fails where it cannot be written.
        with contextlib.suppress(OSError), Path(path).open("ab") as summary:
            if summary.tell() + len(content) <= _MAX_SUMMARY:
                summary.write(content)

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
            bar = bars.add_task(shown(title), total=None, detail="")

            def tick(done: int, total: int | None = None, detail: str = "") -> None:
                bars.update(bar, completed=done, total=total, detail=shown(detail))

            yield tick

    def _plain_lines(self, title: str) -> Ticker:
        last = time.monotonic()  # not 0: work that is done at once says nothing of its progress

        def tick(done: int, total: int | None = None, detail: str = "") -> None:
            nonlocal last
            if time.monotonic() - last < _PLAIN_INTERVAL:
                return
            last = time.monotonic()
            of_total = f"/{total}" if total else ""
            self.line(f"{title}: {done}{of_total} {detail}".rstrip())

        return tick

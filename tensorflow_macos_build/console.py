"""What people see: stages, progress and errors on stderr while a task works, results on stdout.

On a terminal rich draws it, live. Elsewhere it is plain lines, and on GitHub Actions the lines of
a stage are folded into a group. Colour and live drawing happen on a terminal only, and NO_COLOR is
honoured. A line is a line, however long, for grep, awk and whoever copies it: a terminal breaks it
at its own edge, without a line's end.

Every text is foreign: it may hold what rich takes for markup or for an emoji (`a.yaml:100:`), a
terminal's commands, or a workflow's. It is shown as it stands, with those as escapes (`shown`).
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from tensorflow_macos_build import workflow_commands
from tensorflow_macos_build.errors import printable
from tensorflow_macos_build.pace import Pace, WorkProgress
from tensorflow_macos_build.workflow_commands import on_github_actions, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tensorflow_macos_build.drawing import VerbatimConsole
    from tensorflow_macos_build.workflow_commands import Annotation

_PLAIN_INTERVAL = 5.0
"""Seconds between the first two progress lines where there is no terminal to draw on."""

_PLAIN_GROWTH = 0.02
"""Of the time that work has taken, how much passes between two such lines later on: a log of one
hour has 200 of them, and one of ten 300."""

_PLAIN_WIDTH = 1 << 16
"""Columns where there is no terminal: rich breaks the cells of a table at any width it is given."""

_MAX_SUMMARY = 1 << 20
"""Bytes of a step's summary, beyond which the runner takes none of it (docs.github.com, "Workflow
commands for GitHub Actions", step isolation and limits)."""


class Ticker(Protocol):
    """What a long piece of work calls to say how far it is."""

    def __call__(
        self,
        done: int,
        total: int | None = None,
        detail: str = "",
        *,
        unit: str = "",
        phase: str = "",
    ) -> None:
        """Note that `done` of `total` units are finished, and what is being done now.

        Args:
            done: how many are finished.
            total: how many there are; None: not known.
            detail: what is being done now.
            unit: what is counted, such as `MB`, where each takes about as long as another: then a
                rate and the time that is left are shown.
            phase: which of how many parts the work is in (`in_phase`).
        """


def silent(
    done: int, total: int | None = None, detail: str = "", *, unit: str = "", phase: str = ""
) -> None:
    """Be the ticker of work that nobody watches."""


def ticker_of(tick: Callable[[WorkProgress], None]) -> Ticker:
    """Return the ticker of whoever takes progress as a value."""

    def wrapped(
        done: int, total: int | None = None, detail: str = "", *, unit: str = "", phase: str = ""
    ) -> None:
        tick(WorkProgress(done, total, detail, unit, phase))

    return wrapped


def in_phase(ticker: Ticker, number: int, count: int, name: str) -> Ticker:
    """Return a ticker for one of several parts of a work, and tell that it begins: `2/3 fetching`.

    Of a part that has parts of its own, those are told behind it.
    """
    begun = _named(ticker, f"{number}/{count} {name}")
    begun(0)
    return begun


def phase(ticker: Ticker, name: str, names: Sequence[str]) -> Ticker:
    """Return a ticker for the part of a work that has one of some names, in their order.

    Nothing is told until it is called, for that part may have nothing to do.
    """
    return _named(ticker, f"{names.index(name) + 1}/{len(names)} {name}")


def _named(ticker: Ticker, name: str) -> Ticker:
    if ticker is silent:
        return silent

    def tick(progress: WorkProgress) -> None:
        phases = ", ".join(filter(None, (name, progress.phase)))
        ticker(progress.done, progress.total, progress.detail, unit=progress.unit, phase=phases)

    return ticker_of(tick)


class Console:
    """Where people's output goes. One instance is made by `tasks` and handed down as callbacks."""

    def __init__(self, *, quiet: bool = False, stderr: bool = True) -> None:
        # Not rich's own word, which FORCE_COLOR and TTY_COMPATIBLE change.
        self._terminal = (sys.stderr if stderr else sys.stdout).isatty()
        self._groups = on_github_actions()
        self._stderr = stderr
        self._quiet = quiet

    @functools.cached_property
    def _rich(self) -> VerbatimConsole:
        from tensorflow_macos_build import drawing  # noqa: PLC0415 - rich is a third of a start

        width = None if self._terminal else _PLAIN_WIDTH
        return drawing.VerbatimConsole(stderr=self._stderr, quiet=self._quiet, width=width)

    def line(self, text: str, style: str = "") -> None:
        """Print one line of plain text, in a rich style such as "green" or "bold red"."""
        self._rich.print(text, style=style or None)

    def verbatim(self, text: str) -> None:
        """Print one line as it stands, tabs and all, for whoever copies it."""
        (sys.stderr if self._stderr else sys.stdout).write(f"{shown(text)}\n")

    @property
    def width(self) -> int | None:
        """The columns of the terminal; None where there is none."""
        return self._rich.width if self._terminal else None

    def pieces(self, pieces: Iterable[tuple[str, str]]) -> None:
        """Print one line of several texts, each in a rich style."""
        # Escaped here: pieces are printed as they are.
        self._rich.print_pieces((shown(text), style) for text, style in pieces)

    @property
    def folds(self) -> bool:
        """Whether lines of a group are folded away until somebody asks: on GitHub Actions."""
        return self._groups

    @contextlib.contextmanager
    def group(self, title: str) -> Iterator[None]:
        """Fold the lines of the body under a title, on GitHub Actions; elsewhere they are as ever.

        Groups cannot be nested there: a second one ends the first.
        """
        if not self._groups:
            yield
            return
        self._command(workflow_commands.begin_group(title))
        try:
            yield
        finally:
            self._command("::endgroup::")

    def annotation(self, annotation: Annotation) -> None:
        """Put a remark on the page that GitHub Actions shows about a job; elsewhere, nowhere."""
        if self._groups:
            self._command(workflow_commands.annotate(annotation))

    def _command(self, command: str) -> None:
        # In plain strings commands are escaped.
        self._rich.print_pieces([(command, "")])

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
        if self._terminal and not self._quiet:
            with self._live_bar(title) as ticker:
                yield ticker
        else:
            yield self._plain_lines(title)

    @contextlib.contextmanager
    def _live_bar(self, title: str) -> Iterator[Ticker]:
        from tensorflow_macos_build import drawing  # noqa: PLC0415 - as in `_rich`

        with drawing.live_bar(self._rich, title) as tick:
            yield ticker_of(tick)

    def _plain_lines(self, title: str) -> Ticker:
        begun = last = time.monotonic()  # not 0: work that is done at once says nothing of it
        pace = Pace()

        def tick(progress: WorkProgress) -> None:
            nonlocal last
            now = time.monotonic()
            figures = pace.figures(progress, now)
            if now - last < max(_PLAIN_INTERVAL, _PLAIN_GROWTH * (now - begun)):
                return
            last = now
            words = " ".join(filter(None, (figures, progress.detail)))
            self.line(f"{progress.titled(title)}: {words}")

        return ticker_of(tick)

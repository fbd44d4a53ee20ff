"""What rich draws for the console: styled lines, and a live bar on a terminal.

Apart from `console`, which every task imports: rich takes a while to import.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, TextColumn
from rich.table import Column
from rich.text import Text

from tensorflow_macos_build.pace import Pace, WorkProgress, clock
from tensorflow_macos_build.workflow_commands import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from rich.console import RenderableType
    from rich.progress import Task

_BAR_COLUMNS = 72
"""Columns from which on a terminal has room for a bar beside the counts."""


class VerbatimConsole(Console):
    """A rich console that takes no text for markup, and lets none command the terminal.

    rich asks `render_str` for every plain string: lines, cells, titles. Who makes a `rich.Text`
    puts only words of this package into it.
    """

    def __init__(self, *, stderr: bool, quiet: bool, width: int | None) -> None:
        super().__init__(
            stderr=stderr,
            quiet=quiet,
            markup=False,
            emoji=False,
            highlight=False,
            width=width,
            soft_wrap=True,
        )

    def render_str(self, text: str, **options: Any) -> Text:
        """Return the text to show for a string."""
        return super().render_str(shown(text, kept="\n\t"), **options)

    def print_pieces(self, pieces: Iterable[tuple[str, str]]) -> None:
        """Print one line of several texts, each in a rich style, as they are."""
        self.print(Text.assemble(*pieces))


@contextlib.contextmanager
def live_bar(console: Console, title: str) -> Iterator[Callable[[WorkProgress], None]]:
    """Draw a bar while the body runs; yield what it is told by how far the work is."""
    has_room = console.width >= _BAR_COLUMNS
    columns: list[ProgressColumn] = [
        _Spinner(),
        TextColumn("{task.description}", markup=False),
        *([BarColumn(bar_width=16)] if has_room else []),
        _Figures(),
        _Detail(),
    ]
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(shown(title), total=None, progress=WorkProgress())

        def tick(progress: WorkProgress) -> None:
            bars.update(
                bar,
                description=shown(progress.titled(title)),
                completed=progress.done,
                total=progress.total or None,
                progress=progress,
            )

        yield tick


class _Spinner(SpinnerColumn):
    """What turns for as long as there is work: the end of one phase is not the end of all."""

    def render(self, task: Task) -> RenderableType:
        """Return what is drawn."""
        return self.spinner.render(task.get_time())


class _Figures(ProgressColumn):
    """The counts, the rate and the time left; the time taken, where there is no rate."""

    def __init__(self) -> None:
        super().__init__(Column(no_wrap=True))
        self._pace = Pace()

    def render(self, task: Task) -> Text:
        """Return what is drawn."""
        figures = self._pace.figures(task.fields["progress"], task.get_time())
        taken = "" if figures.endswith(" left") else clock(task.elapsed or 0)
        return Text(", ".join(filter(None, (figures, taken))))


class _Detail(ProgressColumn):
    """What is being done: one line, which is cut at the terminal's edge before all else is."""

    # A column that may be wrapped is the one that rich makes narrower; its text is not wrapped.

    def render(self, task: Task) -> Text:
        """Return what is drawn."""
        words = " ".join(shown(task.fields["progress"].detail).split())
        return Text(words, no_wrap=True, overflow="ellipsis")

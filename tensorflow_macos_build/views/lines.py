"""What people are shown of a result, as values: a view makes them, and a task prints them.

A plain string is a line as it stands, a `Line` has a style besides. None is wrapped: what is in it
is copied, and a terminal breaks it at its own edge. A table fits its columns to the terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    from tensorflow_macos_build.views.tables import Table

    Part: TypeAlias = "str | Line | Table"
    """One piece of what is shown."""


# A value of its own, not markup in the text: patches and wheels have brackets of their own.
@dataclass(frozen=True)
class Line:
    """A line of text for people, in a rich style such as "green" or "bold red"."""

    text: str
    style: str = ""

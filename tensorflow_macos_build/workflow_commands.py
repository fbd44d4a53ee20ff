"""The log of a job on GitHub Actions, which its runner also reads commands from.

docs.github.com, "Workflow commands for GitHub Actions"; how they are read: actions/runner,
ActionCommand.cs, and how they are written: actions/toolkit, packages/core/src/command.ts.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from enum import Enum

from tensorflow_macos_build.errors import printable

_START = re.compile(r"^([ \t]*):(?=:)|#(?=#\[)", re.MULTILINE)
"""Where a command may begin, `::error::` or `##[error]`: the first at a line's start behind white
space, the second anywhere."""

_IN_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_IN_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})
"""What the runner takes for characters in a command's text, and in its properties."""

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<line>[0-9]{1,9}))?(?::(?P<column>[0-9]{1,9}))?")
"""A place as compilers write it: `file`, `file:line` or `file:line:column`."""

_LONGEST = 4000
"""Characters of an annotation's text: the page shows no more than 4 KiB."""


def on_github_actions() -> bool:
    """Whether what is printed is read by the runner of GitHub Actions, which obeys some of it."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def disarmed(text: str) -> str:
    r"""Return a text in which no command to the runner begins: `\x3a:stop-commands::x`."""
    return _START.sub(_escaped, text)


def shown(text: str, kept: str = "\t") -> str:
    r"""Return foreign text as it may be printed, with what would be obeyed shown by its escape.

    That is what a terminal obeys (`printable`, to which `kept` goes), and on GitHub Actions
    workflow commands: `\x3a:stop-commands::x`.
    """
    plain = printable(text, kept)
    return disarmed(plain) if on_github_actions() else plain


def _escaped(start: re.Match[str]) -> str:
    return r"\x23" if start[1] is None else rf"{start[1]}\x3a"


class Level(Enum):
    """How bad what an annotation says is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True)
class Annotation:
    """A remark that the page of a job shows, beside a line of a file where it names one.

    Attributes:
        text: the remark.
        where: `file`, `file:line` or `file:line:column`; "" for none.
        title: its heading.
        level: how bad it is.
    """

    text: str
    where: str = ""
    title: str = ""
    level: Level = Level.ERROR


_REMARK = re.compile(
    r"[ \t]*(?P<where>[^\s:]+:[0-9]+(?::[0-9]+)?): (?:fatal )?"
    r"(?:(?P<level>error|warning): )?(?P<text>.*)"
)
"""A line of a compiler, a linter or a list of mistakes (GNU Coding Standards, 4.4)."""

_MOST = 10
"""Annotations of a text: the page of a job shows ten of a step, and no more."""


def remarks(text: str, title: str = "", *, of_compiler: bool = False) -> list[Annotation]:
    """Return the remarks on lines of files that a text holds.

    Args:
        text: what a program printed, or the detail of an error.
        title: the heading of all of them.
        of_compiler: whether it has other lines of that form, so that only those count which say
            that they are an error.
    """
    matches = filter(None, map(_REMARK.fullmatch, text.splitlines()))
    annotations = (
        Annotation(match["text"], match["where"], title, Level(match["level"] or "error"))
        for match in matches
        if not of_compiler or match["level"] == "error"
    )
    return list(dict.fromkeys(annotations))[:_MOST]


def begin_group(title: str) -> str:
    """Return the command that begins a group of folded lines."""
    return f"::group::{disarmed(printable(title)).translate(_IN_DATA)}"


def annotate(annotation: Annotation) -> str:
    """Return the command that makes an annotation."""
    given = {**_place(annotation.where), "title": annotation.title}
    named = [f"{name}={_property(value)}" for name, value in given.items() if value]
    text = disarmed(printable(annotation.text[:_LONGEST], kept="\n\t")).translate(_IN_DATA)
    return f"::{' '.join([annotation.level.value, ','.join(named)]).rstrip()}::{text}"


def _place(where: str) -> dict[str, str]:
    match = _PLACE.fullmatch(where)
    if match is None:
        return {}
    return {"file": match["file"], "line": match["line"] or "", "col": match["column"] or ""}


def _property(value: str) -> str:
    return disarmed(printable(value)).translate(_IN_PROPERTY)

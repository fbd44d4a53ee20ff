"""Trailers: the `Key: value` lines that end a commit's message, by git's rules.

The rules are those of git-interpret-trailers(1) and trailer.c: the last paragraph, never the title,
whose lines are all trailers, or which holds a trailer that git itself writes and is at least one
quarter trailers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# trailer.c, git_generated_prefixes
_GENERATED = ("Signed-off-by: ", "(cherry picked from commit ")
_TRAILER = re.compile(r"([A-Za-z0-9-]+[ \t]*):(.*)")
_SPACE = " \t\v\f\r"


@dataclass(frozen=True, slots=True)
class Trailer:
    """One trailer.

    Attributes:
        key: as it is written, without the colon.
        value: without surrounding blanks, continuation lines joined by one space.
    """

    key: str
    value: str


def parse(message: str) -> tuple[Trailer, ...]:
    r"""Return the trailers of a commit's message (its title included), in order.

    >>> parse("Fix it\n\nBecause.\n\nReason: backport\nUpstream: abc\n  def\n")
    (Trailer(key='Reason', value='backport'), Trailer(key='Upstream', value='abc def'))
    """
    trailers: list[tuple[str, list[str]]] = []
    continued = False
    for line in _block(message.split("\n")):
        if line[0] in _SPACE:
            if continued:
                trailers[-1][1].append(line.strip())
            continue
        matched = _TRAILER.match(line)
        continued = matched is not None
        if matched is not None:
            trailers.append((matched[1].rstrip(), [matched[2].strip()]))
    return tuple(Trailer(key, " ".join(pieces).strip()) for key, pieces in trailers)


def value(trailers: tuple[Trailer, ...], key: str) -> str | None:
    """Return the value of the last trailer called `key`, in any case; None without one."""
    values = [trailer.value for trailer in trailers if trailer.key.lower() == key.lower()]
    return values[-1] if values else None


def added(message: str, new: Sequence[Trailer]) -> str:
    r"""Return a message with trailers at its end, as `git interpret-trailers` puts them there.

    >>> added("Fix it\n\nOwner: a\n", [Trailer("Reason", "backport")])
    'Fix it\n\nOwner: a\nReason: backport\n'
    """
    text = message.rstrip("\n")
    lines = [f"{trailer.key}: {trailer.value}".rstrip() for trailer in new]
    if not lines:
        return message
    # trailers are one paragraph: the first ones of a message need a blank line before them
    separator = "\n" if _block(text.split("\n")) else "\n\n"
    return separator.join([text, "\n".join(lines)]) + "\n"


def replaced(message: str, new: Sequence[Trailer]) -> str:
    r"""Return a message whose last trailer of each key has the new value; without one, it is added.

    So does `git interpret-trailers --where after --if-exists replace`.

    >>> replaced("Fix it\n\nOwner: a\nReason: backport\n", [Trailer("Owner", "b")])
    'Fix it\n\nOwner: b\nReason: backport\n'
    """
    for trailer in new:
        message = _with(message, trailer)
    return message


def _with(message: str, trailer: Trailer) -> str:
    lines = message.split("\n")
    start, end = _bounds(lines)
    same = [at for at in range(start, end) if _has_key(lines[at], trailer.key)]
    if not same:
        return added(message, [trailer])
    rest = same[-1] + 1
    while rest < end and lines[rest][0] in _SPACE:  # what continues the old value
        rest += 1
    line = f"{trailer.key}: {trailer.value}".rstrip()
    return "\n".join([*lines[: same[-1]], line, *lines[rest:]])


def _has_key(line: str, key: str) -> bool:
    matched = _TRAILER.match(line)
    return matched is not None and matched[1].rstrip().lower() == key.lower()


def _block(lines: list[str]) -> list[str]:
    """Return the lines of the trailer block, empty when there is none."""
    start, end = _bounds(lines)
    return lines[start:end]


def _bounds(lines: list[str]) -> tuple[int, int]:
    """Return where the trailer block begins and ends; the same where there is none."""
    title_end = _end_of_title(lines)
    end = len(lines)
    while end > title_end and not lines[end - 1].strip():
        end -= 1
    start = end
    while start > title_end and (lines[start - 1].strip() or lines[start - 1].startswith("#")):
        start -= 1
    # a message of one paragraph has no trailers, though its lines may look like some
    if start == title_end and (start == len(lines) or lines[start].strip()):
        return end, end
    return (start, end) if _is_block(lines[start:end]) else (end, end)


def _end_of_title(lines: list[str]) -> int:
    for number, line in enumerate(lines):
        if not line.startswith("#") and not line.strip():
            return number
    return len(lines)


def _is_block(block: list[str]) -> bool:
    trailers = others = continuations = 0
    generated = False
    for line in reversed(block):
        # backwards: a line that is continued is known only when what it continues is seen
        if line.startswith("#"):
            others, continuations = others + continuations, 0
        elif line.startswith(_GENERATED):
            trailers, continuations, generated = trailers + 1, 0, True
        elif _TRAILER.match(line):
            trailers, continuations = trailers + 1, 0
        elif line[0] in _SPACE:
            continuations += 1
        else:
            others, continuations = others + 1 + continuations, 0
    others += continuations
    # beside one that git wrote, a quarter of the lines is enough (trailer.c, recognized_prefix)
    if generated and trailers * 3 >= others:
        return True
    return bool(trailers) and not others

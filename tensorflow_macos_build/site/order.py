"""The order in which people expect names: `run-9` before `run-10`."""

from __future__ import annotations

import re

_DIGITS = re.compile(r"([0-9]+)")

_LONGEST = 18
"""Digits of a number in a name that count."""


def natural(name: str) -> tuple[tuple[tuple[int, str], ...], str]:
    """Return what sorts a name by its numbers, and by its characters where those are equal."""
    parts = tuple(
        (int(part[:_LONGEST]), "") if at % 2 else (-1, part)
        for at, part in enumerate(_DIGITS.split(name))
    )
    return parts, name

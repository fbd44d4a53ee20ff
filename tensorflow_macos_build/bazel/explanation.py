"""Why actions ran that the output base's action cache might have spared, in Bazel's own words.

The source is the file of `--explain=`: a line for each action that ran, such as
`Executing action 'Compiling a.cc': action command has changed.`
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_START = b"Executing action '"
_BEFORE_REASON = b"': "

_MAX_REASON = 120
_MAX_REASONS = 20
"""How long a reason may be, and how many are told apart: Bazel has less than ten, all short."""


def read(path: Path) -> tuple[tuple[str, int], ...]:
    """Return the reasons in an explanation; none when there is none that can be read."""
    try:
        if not path.is_file():
            return ()
        with path.open("rb") as stream:
            # A bound for each line: a file without line ends must not take the memory.
            return reasons(iter(lambda: stream.readline(1 << 16), b""))
    except OSError:
        return ()


def reasons(lines: Iterable[bytes]) -> tuple[tuple[str, int], ...]:
    """Return how many actions ran for each reason, the most frequent first."""
    counts: Counter[str] = Counter()
    for line in lines:
        if line.startswith(_START):
            # The last one, for an action's description may hold anything.
            _, separator, words = line.rpartition(_BEFORE_REASON)
            reason = words.strip().rstrip(b".").decode("utf-8", "replace")
            known = reason in counts or len(counts) < _MAX_REASONS
            if separator and known and 0 < len(reason) <= _MAX_REASON:
                counts[reason] += 1
    return tuple(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

"""What Bazel prints about its progress: actions done, known and running, and what is at work.

With --curses=no that is a line a time, such as
`[1,234 / 5,678] Compiling a.cc; 3s linux-sandbox ... (8 actions, 4 running)`. Bazel has no other
form of it while it works: the event stream counts actions at its end.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_COUNTS = re.compile(rb"^\[([\d,]{1,18}) / ([\d,]{1,18})\] ?(.*)", re.DOTALL)
_ABREAST = re.compile(r" \.\.\. \((\d{1,9}) actions?(?:, (\d{1,9}) running| (running))?\)$")

# `[Prepa] `, `[Sched] `: an action that is the only one at work, and does not run yet.
_PHASE = re.compile(r"\[\w+\] ")


@dataclass(frozen=True)
class BuildProgress:
    """How far the actions of a build are.

    Attributes:
        done: the actions done, those included that were up to date.
        known: the actions known so far; it grows as Bazel finds more.
        running: those that run now.
        current: the oldest of them, in Bazel's words.
    """

    done: int
    known: int
    running: int
    current: str


def parse(line: bytes) -> BuildProgress | None:
    """Return the progress in a line that Bazel prints; None in one on something else."""
    match = _COUNTS.match(line)
    if match is None:
        return None
    done, known = (int(number.replace(b",", b"") or b"0") for number in match.groups()[:2])
    text = match[3].decode("utf-8", "replace").strip()
    abreast = _ABREAST.search(text)
    if abreast is None:
        running = int(bool(text) and not _PHASE.match(text))
        return BuildProgress(done, known, running, text)
    running = int(abreast[2] or (abreast[1] if abreast[3] else 0))
    return BuildProgress(done, known, running, text[: abreast.start()])


def detail(progress: BuildProgress, left: float | None) -> str:
    """Return in one line what is shown beside the counts; `left` is in seconds, None: not known."""
    parts = [f"{progress.running} running"]
    if left is not None:
        parts.append(f"{duration(left)} left")
    return f"{', '.join(parts)}; {progress.current}"


def duration(seconds: float) -> str:
    """Return a time that is only estimated, such as `about 12 min`."""
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 100:
        return f"about {minutes} min"
    return f"about {minutes // 60} h {minutes % 60:02} min"

"""How long a build will still take, by how earlier ones of the same kind went.

Bazel's `[done / known]` says nothing of time: a build's last tenth may take half of it (the link of
a library with all of TensorFlow in it), and its first half no time at all (what is up to date is
counted as done). So the course of earlier builds is kept, as the time at which each twentieth of
the actions was done.
"""

from __future__ import annotations

import json
import statistics
from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PARTS = 20
"""How many times of a course are kept: one for each twentieth of the actions."""

KEPT = 5
"""How many builds are kept: enough that one odd build is not the median."""

_FORMAT = 1

_FOREVER = 1e9
"""Seconds, thirty years: what takes longer is no build."""

_SAMPLES = 512
"""How many moments of the running build are kept before every second one is dropped."""

_WINDOW = 0.05
"""The part of an earlier build's time over which the present speed is measured."""

_DOUBT = 0.02
"""The part of an earlier build's time for which the two are taken to be equally fast, whatever is
measured. So one action that takes minutes does not stop the clock."""


@dataclass(frozen=True)
class PastBuild:
    """The course of a build that ended well and ran most of its actions.

    Attributes:
        actions: how many there were in the end.
        course: seconds after which 1/20, 2/20 … 20/20 of them were done; the last is the whole
            time.
    """

    actions: int
    course: tuple[float, ...]

    @property
    def seconds(self) -> float:
        """The time that the actions took."""
        return self.course[-1]

    def seconds_at(self, part: float) -> float:
        """Return the time at which a part (0 to 1) of the actions was done."""
        at = min(max(part, 0.0), 1.0) * PARTS
        before = min(int(at), PARTS - 1)
        earlier = self.course[before - 1] if before else 0.0
        return earlier + (self.course[before] - earlier) * (at - before)


@dataclass
class RunningBuild:
    """How the running build goes: moments of it, not more than a bounded number."""

    _samples: list[tuple[float, int]] = field(default_factory=list)
    _spacing: int = 1
    _seen: int = 0

    def add(self, seconds: float, done: int) -> None:
        """Note that `done` actions are done `seconds` after the build began; in order of time."""
        if self._seen % self._spacing == 0:
            self._samples.append((seconds, done))
        self._seen += 1
        if len(self._samples) > _SAMPLES:
            self._samples = self._samples[::2]
            self._spacing *= 2

    def done_at(self, seconds: float) -> tuple[float, int] | None:
        """Return the last moment noted until a time: its seconds, and the actions done then."""
        index = bisect_right(self._samples, (seconds, 1 << 62))
        return self._samples[index - 1] if index else None

    def course(self, actions: int, seconds: float) -> PastBuild:
        """Return the whole build, of so many actions and seconds."""
        times = []
        for part in range(1, PARTS):
            needed = actions * part / PARTS
            after = (moment for moment, done in self._samples if done >= needed)
            times.append(min(next(after, seconds), seconds))
        return PastBuild(actions, (*times, seconds))


def load(content: bytes) -> tuple[PastBuild, ...]:
    """Return the builds in a file's content, the oldest first; none in what `dump` did not make."""
    try:
        body = json.loads(content)
        if body["format"] != _FORMAT:
            return ()
        builds = [PastBuild(row["actions"], tuple(row["course"])) for row in body["builds"]]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ()
    return tuple(builds[-KEPT:]) if all(map(_is_sound, builds)) else ()


def dump(builds: Sequence[PastBuild]) -> bytes:
    """Return a file's content that holds the newest builds; the last one is the newest."""
    rows = [
        {"actions": build.actions, "course": [round(seconds, 1) for seconds in build.course]}
        for build in builds[-KEPT:]
    ]
    return json.dumps({"format": _FORMAT, "builds": rows}, indent=1).encode()


def _is_sound(build: PastBuild) -> bool:
    numbers = [build.actions, *build.course]
    # Exactly these types: a truth value is an int of Python's.
    if len(build.course) != PARTS or not all(type(number) in (int, float) for number in numbers):
        return False
    ascending = all(earlier <= later for earlier, later in pairwise((0, *build.course)))
    return ascending and build.seconds < _FOREVER


def time_left(
    past: Sequence[PastBuild], running: RunningBuild, *, done: int, known: int, seconds: float
) -> float | None:
    """Return about how many seconds the running build still needs; None when nothing is known.

    Args:
        past: earlier builds of the same kind.
        running: the build so far.
        done: the actions done.
        known: the actions known so far.
        seconds: how long the build has run.
    """
    if not past or not 0 < done <= known:
        return None
    return statistics.median(_left(build, running, done, known, seconds) for build in past[-KEPT:])


def _left(build: PastBuild, running: RunningBuild, done: int, known: int, seconds: float) -> float:
    then = build.seconds_at(done / known)
    # Only lately: what was up to date at the start went by in no time, and the rest will not.
    start = running.done_at(seconds - build.seconds * _WINDOW)
    pace = 1.0
    if start is not None:
        lately = seconds - start[0]
        doubt = build.seconds * _DOUBT
        took_then = then - build.seconds_at(start[1] / known)
        pace = (lately + doubt) / (took_then + doubt) if took_then + doubt > 0 else 1.0
    return (build.seconds - then) * pace

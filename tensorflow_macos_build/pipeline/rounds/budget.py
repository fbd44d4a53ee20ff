"""A build's time budget, and how much of it is kept for stopping and saving."""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tensorflow_macos_build.config import Release
    from tensorflow_macos_build.pipeline.workspace import Workspace

_FORM = re.compile(r"(?:(?P<h>[0-9]{1,3})h)?(?:(?P<m>[0-9]{1,5})m)?(?:(?P<s>[0-9]{1,6})s)?")

_LONGEST_HOURS = 120
"""Five days, the longest job of a runner of one's own on GitHub."""

STOPPING_SECONDS = 5.0
"""What stopping takes: Bazel cancels its actions, and its server ends (0.1 s and 1 s by 4.2.3)."""

UNKNOWN_PACE = 1 / 40e6
"""Seconds for a byte, to write it and to read it back, where this machine has saved nothing yet."""

_DOUBT = 1.5
"""How much longer saving may take than it took before."""

_PART_OF_TIME = 0.01
"""The part of the time that may go into measuring how large the state has become."""


def parse(text: str) -> float:
    """Return the seconds of a budget such as `90s`, `45m`, `5h20m` or `1h0m30s`.

    Raises:
        UsageError: it is not of this form, is nothing, or more than five days.
    """
    match = _FORM.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    total = hours * 3600 + minutes * 60 + seconds
    if not 0 < total <= _LONGEST_HOURS * 3600:
        raise UsageError(
            f"`{text}` is no time budget",
            where="--time-budget",
            hint=f"write it as 90s, 45m or 5h20m; at most {_LONGEST_HOURS}h",
        )
    return float(total)


def reserve(size: int, pace: float) -> float:
    """Return how many seconds stopping takes, and saving a state of so many bytes.

    `pace` is how many seconds a byte took before, to be written and read back.
    """
    return STOPPING_SECONDS + _DOUBT * size * pace


@dataclass(frozen=True)
class TimeBox:
    """What a build in rounds is given.

    Attributes:
        folder: where its states are.
        deadline: when it has to stop.
    """

    folder: Path
    deadline: Deadline


def time_box(text: str, folder: Path | None, workspace: Workspace) -> TimeBox | None:
    """Return what two flags ask for: a budget, and a folder of states; None: neither is given.

    Raises:
        UsageError: the budget is none, the folder cannot be one, or the config's results would not
            be in a state.
    """
    if not text and folder is None:
        return None
    _refuse(workspace.release)
    if folder is not None:
        _refuse_no_folder(folder)
    seconds = parse(text) if text else None
    reserve_s = workspace.release.time_box.reserve_s
    deadline = Deadline(seconds, fixed_reserve=reserve_s)
    return TimeBox(folder or workspace.rounds, deadline)


def _refuse(release: Release) -> None:
    """Refuse a config whose results a saved state would not have.

    Raises:
        UsageError: it is one.
    """
    if release.remote.address:
        raise UsageError(
            "a farm's results are in its own cache, and a saved state would have none of them",
            where="remote.address",
            hint="leave --time-budget and --state-dir out: a build by the farm goes on from its "
            "cache on any machine",
        )
    if release.cache.address and not release.cache.upload:
        raise UsageError(
            "where nothing is put into the remote cache, Bazel 4 keeps nothing for a state either",
            where="cache.upload",
            hint="leave out cache.address, or set cache.upload=true",
        )


def _refuse_no_folder(folder: Path) -> None:
    """Raise a UsageError where no folder is, and none can be made: a file stands there or above.

    Raises:
        UsageError: it is so.
    """
    absolute = folder.absolute()
    nearest = next(path for path in (absolute, *absolute.parents) if os.path.lexists(path))
    if not nearest.is_dir():
        raise UsageError(
            f"{nearest} is no folder", where="--state-dir", hint="give a folder of saved states"
        )


@dataclass
class Deadline:
    """When a build has to begin to stop.

    Attributes:
        seconds: the budget, from now on; None: there is no end.
        clock: returns a time in seconds.
        fixed_reserve: what the config keeps of it; None: by what has to be saved.
    """

    seconds: float | None
    clock: Callable[[], float] = time.monotonic
    fixed_reserve: float | None = None
    _end: float = field(init=False, default=0.0)
    _reserve: float = field(init=False, default=STOPPING_SECONDS)
    _next_look: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Start the clock."""
        self._end = self.clock() + (self.seconds or 0)

    def is_reached(self) -> bool:
        """Whether there is only time left to stop and to save."""
        if self.seconds is None:
            return False
        return self.clock() >= self._end - self.reserve

    def watch(self, size: Callable[[], int], pace: float) -> None:
        """Look how much there is to save, if that costs little of the time since the last look."""
        begun = self.clock()
        if self.seconds is None or self.fixed_reserve is not None or begun < self._next_look:
            return
        self._reserve = reserve(size(), pace)
        now = self.clock()
        self._next_look = now + max(1.0, (now - begun) / _PART_OF_TIME)

    @property
    def reserve(self) -> float:
        """How many seconds are kept for the end."""
        return self._reserve if self.fixed_reserve is None else self.fixed_reserve

"""How far work is, in one line: what is counted, how fast it goes, and the time that is left."""

from __future__ import annotations

from dataclasses import dataclass

_LEAST_SECONDS = 1.0
"""How long something has to be watched before its rate says something."""


@dataclass(frozen=True)
class WorkProgress:
    """How far work is.

    Attributes:
        done: how many units are finished.
        total: how many there are; None or 0: not known.
        detail: what is being done now.
        unit: what is counted, such as `MB`, where each takes about as long as another.
        phase: which of how many parts the work is in, such as `2/3 bisecting`.
    """

    done: int = 0
    total: int | None = None
    detail: str = ""
    unit: str = ""
    phase: str = ""

    def titled(self, title: str) -> str:
        """Return the work's title and the phase it is in."""
        return f"{title} {self.phase}".rstrip()


class Pace:
    """How fast the units of a phase come, measured from the phase's first word on."""

    def __init__(self) -> None:
        self._phase: tuple[str, str] | None = None
        self._begun = 0.0
        self._first = 0

    def figures(self, progress: WorkProgress, now: float) -> str:
        """Return the counts, the rate and the time left: `35/120 MB, 3.2 MB/s, 0:26 left`.

        Args:
            progress: how far the work is.
            now: a clock's seconds.
        """
        self._follow(progress, now)
        parts = [_counts(progress), *self._estimates(progress, now - self._begun)]
        return ", ".join(filter(None, parts))

    def _follow(self, progress: WorkProgress, now: float) -> None:
        """Begin anew where another phase, or the counting of something else, has begun."""
        phase = (progress.phase, progress.unit)
        if phase != self._phase or progress.done < self._first:
            self._phase, self._begun, self._first = phase, now, progress.done

    def _estimates(self, progress: WorkProgress, seconds: float) -> list[str]:
        done = progress.done - self._first
        if not progress.unit or done <= 0 or seconds < _LEAST_SECONDS:
            return []
        rate = done / seconds
        shown = f"{_number(rate)} {progress.unit}/s"
        if not progress.total:
            return [shown]
        return [shown, f"{clock(max(0, progress.total - progress.done) / rate)} left"]


def clock(seconds: float) -> str:
    """Return a duration in the digits of a clock: `0:26`, `1:02:05`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _counts(progress: WorkProgress) -> str:
    if not progress.total and not progress.done:
        return ""
    of_total = f"/{progress.total}" if progress.total else ""
    return f"{progress.done}{of_total} {progress.unit}".rstrip()


def _number(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.1f}"

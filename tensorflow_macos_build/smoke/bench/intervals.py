"""How much faster, and how sure: a ratio of times with its interval, from sessions as blocks.

Steps of one process resemble each other more than those of two, and so do processes of one session
(the machine's heat, its other programs, where memory fell): more of them say little more. So the
sessions are drawn from with replacement, whole: a block bootstrap. Logarithms of ratios are
averaged, so that an exchange of the arms inverts the ratio and its interval.
"""

from __future__ import annotations

import math
import random
import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FEWEST_SESSIONS = 6
"""No resampling reaches beyond the smallest and the largest session, which enclose the median with
a probability of 1 - 2^(1-n): 0.94 for five sessions, 0.97 for six."""

_RESAMPLES = 5000

# The 0.975 quantile of Student's t for 1, 2, 3, … degrees of freedom; beyond, it nears 1.96.
# fmt: off
_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)
# fmt: on
_NORMAL = statistics.NormalDist()


@dataclass(frozen=True)
class RatioInterval:
    """How many times as fast one arm is as another.

    Attributes:
        ratio: the estimate: the geometric mean of the sessions' ratios.
        low: the lower end of its 95 % interval.
        high: the upper end.
        sessions: how many it rests on.
        pairs: how many pairs of processes.
    """

    ratio: float
    low: float
    high: float
    sessions: int
    pairs: int

    @property
    def side(self) -> int:
        """1 where all of the interval is above 1, -1 where it is below, else 0."""
        return (self.low > 1) - (self.high < 1)

    @property
    def reach(self) -> float:
        """How far the interval's farther end is from 1, as a factor of at least 1."""
        return math.exp(max(abs(math.log(self.low)), abs(math.log(self.high))))


def interval(sessions: Sequence[Sequence[float]]) -> RatioInterval | None:
    """Return the ratio of times with its interval; None for fewer than two sessions.

    Args:
        sessions: for each session the ratios of its pairs, each above 0.
    """
    if len(sessions) < 2:
        return None
    values = [statistics.fmean(map(math.log, ratios)) for ratios in sessions]
    low, high = _ends(_resampled(values), _tail(len(values)))
    pairs = sum(map(len, sessions))
    estimate = math.exp(statistics.fmean(values))
    return RatioInterval(estimate, math.exp(low), math.exp(high), len(values), pairs)


def _resampled(values: Sequence[float]) -> list[float]:
    """Return the means of samples drawn from the sessions, sorted."""
    count = len(values)
    # Pseudorandom with a fixed seed: the same times give the same interval.
    chance = random.Random(count)  # noqa: S311
    return sorted(sum(chance.choices(values, k=count)) / count for _ in range(_RESAMPLES))


def _tail(sessions: int) -> float:
    """Return the share of resamples that is cut off at each end.

    Percentiles of so few blocks are too narrow: a resample's spread lacks the factor
    sqrt(n / (n - 1)), and the normal quantile takes the place of Student's. The share is smaller by
    as much (Hesterberg 2015, "What teachers should know about the bootstrap", section 5.3).
    """
    student = _STUDENT[min(sessions - 1, len(_STUDENT)) - 1]
    return _NORMAL.cdf(-math.sqrt(sessions / (sessions - 1)) * student)


def _ends(ordered: Sequence[float], tail: float) -> tuple[float, float]:
    # Counted from both ends alike, so that the ends of negated values are these, negated.
    return _quantile(ordered, tail), _quantile(ordered[::-1], tail)


def _quantile(ordered: Sequence[float], share: float) -> float:
    position = share * (len(ordered) - 1)
    index = int(position)
    following = ordered[min(index + 1, len(ordered) - 1)]
    return ordered[index] + (following - ordered[index]) * (position - index)

"""Which cases a worker gets next, and what its end says of them. Pure: no process is known here."""

import collections
from typing import Any, Deque, Dict, List, NamedTuple, Optional

Ended = NamedTuple(
    "Ended", [("case", int), ("side", str), ("why", str), ("hung", bool), ("alone", bool)]
)
"""A worker's end while it called a case: on which side, how, and whether it had called no other."""


class Schedule:
    """Cases to call, in batches of which each goes to one worker.

    A worker that dies or hangs costs the case that it was at, and gives back those that it had not
    begun. A case that died behind others is tried once more alone: an earlier kernel may have
    written where it should not, and then the death is not this one's.
    """

    def __init__(self, cases: List[int], batch: int) -> None:
        self._waiting: Deque[int] = collections.deque(cases)
        self._suspects: Deque[int] = collections.deque()
        self._batch = batch
        self._fallen: Dict[int, Ended] = {}

    def take(self) -> List[int]:
        """Return the next worker's cases, at least one; none when nothing waits."""
        if self._waiting:
            count = min(self._batch, len(self._waiting))
            return [self._waiting.popleft() for _ in range(count)]
        return [self._suspects.popleft()] if self._suspects else []

    def give_back(self, batch: List[int], begun: List[int], ended: Optional[Ended]) -> bool:
        """Take back what a worker left of its batch; return whether its last case is decided.

        Args:
            batch: what the worker got.
            begun: the cases that it began, in order; the last of them may be unfinished.
            ended: how it ended in the middle of a case; None: not in one.
        """
        self._waiting.extendleft(reversed([case for case in batch if case not in set(begun)]))
        if ended is None:
            return True
        if ended.alone:
            return True
        self._suspects.append(ended.case)
        self._fallen[ended.case] = ended
        return False

    def decided(self, row: Dict[str, Any]) -> Dict[str, Any]:
        """Return a case's outcome, in view of how it ended a worker before.

        A crash on the device is kept, also where the case passes alone: something went wrong
        there. A hang is not: the machine may have been busy.
        """
        fallen = self._fallen.get(row["case"])
        if fallen is None or fallen.hung or fallen.side != "device":
            return row
        why = "%s, behind other cases; alone: %s" % (fallen.why, row["outcome"])
        return dict(row, outcome="die", why=why)

"""An old queue against a new one, patch by patch: what git range-diff says, and what it leaves out.

Patches are matched by their file name, which survives renumbering; then by their subject; then by
their text. What is compared is their meaning: object ids, `index` lines and hunk positions do not
count, so a patch that only moved is the same. A patch without a counterpart is shown whole, where
git range-diff prints its subject alone (bitcoin/bitcoin#34656).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

ALIKE = 0.5
"""How much of two patches' lines must be the same (0 to 1) for them to be taken for one patch."""

_CONTEXT = 3

# ids say nothing of what a patch means; range-diff.c leaves `index` lines out, too
_NOISE = re.compile(r"From [0-9a-f]{40} |index [0-9a-f]+\.\.[0-9a-f]+")
# at a line's start alone: TensorFlow keeps patch files, whose hunks a patch's lines may hold
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+\d+(?:,\d+)? @@")
_NUMBER = re.compile(r"^\d+-")


class PatchFate(Enum):
    """What became of a patch between the old queue and the new one."""

    SAME = "same"
    CHANGED = "changed"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class QueueEntry:
    """One patch of a queue: its file's name, its subject, and its text as UTF-8 (with escapes)."""

    name: str
    subject: str
    text: str


@dataclass(frozen=True)
class PatchPair:
    """A patch in the old queue and its counterpart in the new one.

    Attributes:
        fate: what became of it.
        old: the patch in the old queue; None when it was added.
        new: the patch in the new queue; None when it was removed.
        old_position: its position in the old queue, counted from 1.
        new_position: its position in the new queue, counted from 1.
        difference: for a changed patch the unified difference of the two meanings, for an added
            or a removed one its whole text, for an unchanged one nothing.
    """

    fate: PatchFate
    old: QueueEntry | None
    new: QueueEntry | None
    old_position: int | None
    new_position: int | None
    difference: str

    @property
    def subject(self) -> str:
        """The subject in the new queue, or in the old one when the patch is gone."""
        entry = self.new or self.old
        return entry.subject if entry else ""


def compare(old: Sequence[QueueEntry], new: Sequence[QueueEntry]) -> tuple[PatchPair, ...]:
    """Match two queues and return what became of every patch.

    The pairs come in the new queue's order; a removed patch stands behind the patch that it
    followed in the old queue.
    """
    counterpart = _match(old, new)
    pairs = [_pair(old, new, counterpart.get(after), after) for after in range(len(new))]
    gone = sorted(set(range(len(old))) - set(counterpart.values()))
    for before in gone:
        pairs.insert(_insertion_index(pairs, before), _pair(old, new, before, None))
    return tuple(pairs)


def meaning(text: str) -> list[str]:
    """Return the lines of a patch that carry meaning: no ids, hunk headers without positions."""
    # not splitlines: it takes CR and others for line ends, and a patch may change just these
    lines = (line for line in text.removesuffix("\n").split("\n") if not _NOISE.match(line))
    return [_HUNK.sub("@@", line) for line in lines]


def _match(old: Sequence[QueueEntry], new: Sequence[QueueEntry]) -> dict[int, int]:
    """Return the old position of every new position that has a counterpart."""
    # the surest first: each takes out of what the next, which guesses more, may choose from
    counterpart: dict[int, int] = {}
    for key in (_stem, _subject):
        _match_by(key, old, new, counterpart)
    _match_alike(old, new, counterpart)
    return counterpart


def _match_by(
    key: Callable[[QueueEntry], str],
    old: Sequence[QueueEntry],
    new: Sequence[QueueEntry],
    counterpart: dict[int, int],
) -> None:
    # reversed, so that of several with one key the first is left in the table
    free = {key(old[before]): before for before in reversed(_free(old, counterpart.values()))}
    for after in _free(new, counterpart):
        if key(new[after]) in free:
            counterpart[after] = free.pop(key(new[after]))


def _match_alike(
    old: Sequence[QueueEntry], new: Sequence[QueueEntry], counterpart: dict[int, int]
) -> None:
    scores = [
        (-_likeness(old[before], new[after]), before, after)
        for before in _free(old, counterpart.values())
        for after in _free(new, counterpart)
    ]
    # the most alike first, and of equals the first in the queues: the same pairs each time
    for score, before, after in sorted(scores):
        if -score >= ALIKE and after not in counterpart and before not in counterpart.values():
            counterpart[after] = before


def _free(entries: Sequence[QueueEntry], taken: Iterable[int]) -> list[int]:
    return sorted(set(range(len(entries))) - set(taken))


def _stem(entry: QueueEntry) -> str:
    return _NUMBER.sub("", entry.name)


def _subject(entry: QueueEntry) -> str:
    return entry.subject


def _likeness(old: QueueEntry, new: QueueEntry) -> float:
    # autojunk would take lines that come often for noise, in patches of 200 lines and more
    matcher = difflib.SequenceMatcher(None, _changes(old), _changes(new), autojunk=False)
    # quick_ratio is an upper bound that costs less (difflib): most pairs share next to nothing
    return matcher.ratio() if matcher.quick_ratio() >= ALIKE else 0.0


def _changes(entry: QueueEntry) -> list[str]:
    # blank lines that come and go are in most patches, and would make any two of them alike
    return [line for line in meaning(entry.text) if line[:1] in "+-" and line.strip("+-")]


def _pair(
    old: Sequence[QueueEntry], new: Sequence[QueueEntry], before: int | None, after: int | None
) -> PatchPair:
    was = None if before is None else old[before]
    now = None if after is None else new[after]
    fate, difference = _verdict(was, now)
    return PatchPair(fate, was, now, _ordinal(before), _ordinal(after), difference)


def _verdict(was: QueueEntry | None, now: QueueEntry | None) -> tuple[PatchFate, str]:
    if was is None or now is None:
        only = was or now
        return (PatchFate.ADDED if was is None else PatchFate.REMOVED), only.text if only else ""
    lines = difflib.unified_diff(
        meaning(was.text), meaning(now.text), was.name, now.name, n=_CONTEXT, lineterm=""
    )
    difference = "\n".join(lines)
    return (PatchFate.CHANGED if difference else PatchFate.SAME), difference


def _ordinal(position: int | None) -> int | None:
    return None if position is None else position + 1


def _insertion_index(pairs: Sequence[PatchPair], position: int) -> int:
    """Return the index behind the last pair whose old position is before `position`."""
    before = [
        index
        for index, pair in enumerate(pairs)
        if pair.old_position is not None and pair.old_position <= position
    ]
    return before[-1] + 1 if before else 0

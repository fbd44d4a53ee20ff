"""Which upstream commit breaks a patch: bisection along a line of commits, in memory.

The line goes from a queue's base to a revision along first parents, so that a merged branch counts
as one commit. Where the base is not in the revision's history (releases are tagged on branches of
their own), the line first goes down from the base to where the two histories meet: a patch can
break there, too, for lack of a commit that the base's branch has of its own.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.repository import Git


class BreakKind(Enum):
    """How a commit of upstream breaks a patch; or heals it, the other way round."""

    PRESENT = "by"
    """With the commit the patch conflicts, with its first parent it does not."""
    MISSING = "without"
    """The reverse: the revision lacks the commit, which only the branch of the queue's base has."""
    BETWEEN = "up-to"
    """First parents do not connect the base with the revision: it is this commit, or one that it
    has and the commit before it on the line has not."""


class FirstParents:
    """The first parents of commits, read at once for all revisions as far as a base lacks them.

    Args:
        git: where to ask.
        base: the base.
        revisions: the revisions that lines are asked for to.
    """

    def __init__(self, git: Git, base: str, revisions: Sequence[str]) -> None:
        self._git = git
        self.base = base
        rows = git.line("rev-list", "--first-parent", "--parents", *revisions, f"^{base}")
        self._above = {oid: parents[:1] for oid, *parents in map(str.split, rows.splitlines())}

    def of(self, commit: str, known: str) -> list[str]:
        """Return a commit and its first parents, newest first, as far as one has not got them."""
        if known != self.base:
            return self._git.line("rev-list", "--first-parent", commit, f"^{known}").split()
        line: list[str] = []
        above = [commit]
        while above and above[0] in self._above:
            line += above
            above = self._above[above[0]]
        return line


def line_of(parents: FirstParents, objects: ObjectReader, revision: str) -> tuple[str, ...]:
    """Return the commits on the way from a base to a revision, both included (see the module).

    Where the two lines of first parents begin at different roots, they are put side by side.
    """
    down: list[str] = []
    up: list[str] = []
    # One turn is not always enough: a line may enter the other's history by a merge's second
    # parent, and go on from there beside it.
    low, high = parents.base, revision
    while low != high:
        if more := parents.of(high, low):
            up += more
            if not (above := objects.commit(more[-1]).parents):
                return (*down, low, *reversed(up))
            high = above[0]
        elif more := parents.of(low, high):
            down += more
            if not (above := objects.commit(more[-1]).parents):
                return (*down, high, *reversed(up))
            low = above[0]
    return (*down, low, *reversed(up))


def turns(last: int, holds: Callable[[int], bool], asked: Iterable[int]) -> list[int]:
    """Return positions at which something turns: it holds there and not before, or the reverse.

    It does not hold at 0 and holds at `last`. Each of the positions was tried, and so was the one
    before it. Where it turns only at positions of `asked`, those are all.

    Args:
        last: a position where it holds.
        holds: whether it holds at a position.
        asked: the positions to ask about; others only where those are not enough.
    """
    turned: list[int] = []
    before, state = 0, False
    for position in sorted({position for position in asked if 0 < position < last} | {last}):
        if (position == last or holds(position)) != state:
            turned.append(_turn(before, position, holds, to=not state))
            state = not state
        before = position
    return turned


def _turn(before: int, position: int, holds: Callable[[int], bool], *, to: bool) -> int:
    """Return where something turns that is otherwise `before` than at `position`, there on `to`."""
    # It is expected to turn at the position itself: then one answer ends the search.
    guess = position - 1
    while position - before > 1:
        if holds(guess) is to:
            position = guess
        else:
            before = guess
        guess = (before + position) // 2
    return position


def cause_of(objects: ObjectReader, line: Sequence[str], position: int) -> tuple[BreakKind, str]:
    """Return what a turn between two neighbours of a line is due to: its kind, and the commit.

    Args:
        objects: reads commits.
        line: as `line_of` gives it.
        position: that of the second neighbour.
    """
    before, after = line[position - 1], line[position]
    if objects.commit(after).parents[:1] == (before,):
        return BreakKind.PRESENT, after
    if objects.commit(before).parents[:1] == (after,):
        return BreakKind.MISSING, before
    return BreakKind.BETWEEN, after

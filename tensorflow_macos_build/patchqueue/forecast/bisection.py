"""Which upstream commit breaks a patch: bisection along a line of commits, in memory.

The line goes from a queue's base to a revision along first parents, so that a merged branch counts
as one commit. Where the base is not in the revision's history (releases are tagged on branches of
their own), the line first goes down from the base to where the two histories meet: a patch can
break there, too, for lack of a commit that the base's branch has of its own.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.rebase.resolver import ConflictResolver
from tensorflow_macos_build.patchqueue.replay.replay import OnConflict, replay
from tensorflow_macos_build.patchqueue.verdict.classify import StatusClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tensorflow_macos_build.git.file_merges import FileMerger
    from tensorflow_macos_build.git.objects import ObjectReader
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.queue.model import QueueCommit
    from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
    from tensorflow_macos_build.patchqueue.replay.replay import Replay
    from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory


class BreakKind(Enum):
    """How a commit of upstream breaks a patch."""

    PRESENT = "by"
    """With the commit the patch conflicts, with its first parent it does not."""
    MISSING = "without"
    """The reverse: the revision lacks the commit, which only the branch of the queue's base has."""
    BETWEEN = "up-to"
    """First parents do not connect the base with the revision: it is this commit, or one that it
    has and the commit before it on the line has not."""


class Prober:
    """Whether patches break on commits; each commit is replayed once, for all patches.

    Args:
        quarantine: the quarantine that holds the patches.
        patches: the queue.
        decisions: what people decided about conflicts.
        merger: what merges files: between commits most of them meet the same.
    """

    def __init__(
        self,
        quarantine: Quarantine,
        patches: Sequence[QueueCommit],
        decisions: Decisions,
        merger: FileMerger,
    ) -> None:
        self._quarantine = quarantine
        self._merger = merger
        self._patches = patches
        self._decisions = decisions
        self._replays: dict[str, tuple[Replay, StatusClassifier]] = {}
        self._known: dict[tuple[int, str], bool] = {}

    @property
    def commits(self) -> int:
        """The number of commits that were replayed on."""
        return len(self._replays)

    def breaks(self, position: int, commit: str, history: UpstreamHistory) -> bool:
        """Whether the patch at `position` conflicts on a commit, itself and not by a knock-on.

        Only it and the patches before it are replayed; those that conflict are resolved their own
        way. `history` reaches at least up to the commit.
        """
        if (position, commit) not in self._known:
            replayed, classifier = self._replay(position, commit, history)
            self._known[position, commit] = classifier.is_first_cause(replayed, position)
        return self._known[position, commit]

    def _replay(
        self, position: int, commit: str, history: UpstreamHistory
    ) -> tuple[Replay, StatusClassifier]:
        # A replay of more patches serves for fewer: what comes later changes nothing before it.
        known = self._replays.get(commit)
        if known is None or len(known[0].steps) <= position:
            patches = self._patches[: position + 1]
            part = history.until(commit)  # what upstream did later is no evidence yet
            resolver = ConflictResolver(self._quarantine, part, patches, self._decisions)
            commits = [patch.commit for patch in patches]
            replayed = replay(
                self._quarantine, commit, commits, resolver=resolver, merger=self._merger
            )
            # PROVISIONAL is what `replay` does unless it is told otherwise, and so it was done
            # here.
            classifier = StatusClassifier(
                self._quarantine,
                part,
                patches,
                OnConflict.PROVISIONAL,
                resolver,
                merger=self._merger,
            )
            known = self._replays[commit] = replayed, classifier
        return known


def line_of(git: Git, objects: ObjectReader, base: str, revision: str) -> tuple[str, ...]:
    """Return the commits on the way from a base to a revision, both included (see the module).

    Where the two lines of first parents begin at different roots, they are put side by side.
    """
    down: list[str] = []
    up: list[str] = []
    # One turn is not always enough: a line may enter the other's history by a merge's second
    # parent, and go on from there beside it.
    low, high = base, revision
    while low != high:
        if more := _first_parents(git, high, low):
            up += more
            if not (parents := objects.commit(more[-1]).parents):
                return (*down, low, *reversed(up))
            high = parents[0]
        elif more := _first_parents(git, low, high):
            down += more
            if not (parents := objects.commit(more[-1]).parents):
                return (*down, high, *reversed(up))
            low = parents[0]
    return (*down, low, *reversed(up))


def _first_parents(git: Git, commit: str, known: str) -> list[str]:
    """Return a commit and its first parents, newest first, as far as `known` has not got them."""
    return git.line("rev-list", "--first-parent", commit, f"^{known}").split()


def first_true(last: int, holds: Callable[[int], bool], hints: Iterable[int] = ()) -> int:
    """Find a position from 1 to `last` at which something holds, and one before it does not.

    It does not hold at 0, holds at `last`, and is asked about as few others as a bisection
    needs; with a good hint the search is over at once. Where it changes once, this is where.

    Args:
        last: a position where it holds.
        holds: whether it holds at a position.
        hints: positions where it may begin to hold.
    """
    no, yes = 0, last
    # Each hint and the position before it: if it is right, these two answers end the search.
    guesses = sorted({position for hint in hints for position in (hint - 1, hint)})
    while yes - no > 1:
        guesses = [position for position in guesses if no < position < yes]
        guess = guesses[len(guesses) // 2] if guesses else (no + yes) // 2
        if holds(guess):
            yes = guess
        else:
            no = guess
    return yes


def break_between(
    objects: ObjectReader, line: Sequence[str], position: int
) -> tuple[BreakKind, str, str]:
    """Return what a change between two neighbours of a line is due to.

    Args:
        objects: reads commits.
        line: as `line_of` gives it.
        position: that of the second neighbour.

    Returns:
        its kind, the commit that it is due to, and the neighbour on which the patch does not break.
    """
    before, after = line[position - 1], line[position]
    if objects.commit(after).parents[:1] == (before,):
        return BreakKind.PRESENT, after, before
    if objects.commit(before).parents[:1] == (after,):
        return BreakKind.MISSING, before, before
    return BreakKind.BETWEEN, after, before

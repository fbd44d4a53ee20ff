"""Merges of single files that wait for a git, and the questions by which running gits make them.

A merge often rests on another one, and so on: the longest such chain says how soon all can be made.
So the files with the longest ones go first, and of the others as many go with them as let all
chains end at about one time.
"""

from __future__ import annotations

import heapq
import itertools
import math
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import merges, running_merges
from tensorflow_macos_build.git.overlay import tree_of_paths
from tensorflow_macos_build.git.running import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeOutput, Sides, Stages
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.running_merges import RunningMergers, RunningMerges

ALONE = "the-file-that-is-merged"
"""The end of the path of a file whose own has no say in how it is merged."""

_GITS = 2
"""Gits that merge at once."""

_AT_ONCE = 64
"""Files of a question: what rests on the first of them waits for the last one."""

_FEW = 8
"""Files that git merges in little more than twice the time that a question of one takes."""

_WORTH_ANOTHER = 40
"""Files that another git is started for: it reads on its own what many are made of."""


class MergeRules(NamedTuple):
    """By which rules a file is merged.

    Attributes:
        attributes: the folder with the .gitattributes that count; None where they say nothing.
        unite: whether it is a union of lines.
        by_path: whether they are rules for its own path; else they are for any.
    """

    attributes: Path | None = None
    unite: bool = False
    by_path: bool = False


class Kind(NamedTuple):
    """What files have in common that lie side by side in one merge.

    Attributes:
        rules: by which they are merged.
        by_default: whether conflicts are marked as git does by default; else in diff3 style.
        both_add: whether both sides add them. git takes a file that a side deletes for renamed to
            one that this side adds, and so such files do not lie beside others.
    """

    rules: MergeRules
    by_default: bool
    both_add: bool

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags before git's command."""
        return merges.BY_DEFAULT if self.by_default else ()


class Urgency(NamedTuple):
    """How soon a merge is to be made.

    Attributes:
        rank: those of a lower one are all made before.
        chain: how many merges may rest on one another from here on; of a rank, long chains go
            first.
    """

    rank: int = 0
    chain: int = 1


class Question(NamedTuple):
    """Files that git merges in one go.

    Attributes:
        kind: what they have in common.
        files: the files.
        paths: what each is called there.
    """

    kind: Kind
    files: Sequence[Stages]
    paths: Sequence[str]

    @classmethod
    def of(cls, kind: Kind, files: Sequence[Stages]) -> Question:
        """Return the question for files of a kind; it is one file, where its path counts."""
        if kind.rules.by_path:
            return cls(kind, files, [file.path for file in files])
        return cls(kind, files, [f"{number}-{ALONE}" for number in range(len(files))])

    def commits(self, quarantine: Quarantine) -> Sides:
        """Return throw-away commits of trees that hold the files alone."""
        base, ours, theirs = (
            tree_of_paths(quarantine, dict(zip(self.paths, sides, strict=True)))
            for sides in zip(*((f.base, f.ours, f.theirs) for f in self.files), strict=True)
        )
        return merges.sides(quarantine, base, ours, theirs)


class _Line:
    """Files of a kind that wait, the most urgent first.

    Attributes:
        work: how many merges are left, those that rest on these and on what is asked for included.
    """

    def __init__(self) -> None:
        self.work = 0
        self._heap: list[tuple[int, int, int, Stages]] = []
        self._numbers = itertools.count()  # of two that are as urgent the earlier one goes first

    def __len__(self) -> int:
        return len(self._heap)

    @property
    def urgency(self) -> tuple[int, int]:
        """That of the first one, the lowest being the most urgent."""
        return self._heap[0][:2]

    def put(self, file: Stages, urgency: Urgency) -> None:
        entry = urgency.rank, -urgency.chain, next(self._numbers), file
        heapq.heappush(self._heap, entry)
        self.work += urgency.chain

    def take(self, gits: int, idle: int, most: int) -> tuple[list[Stages], int]:
        """Take the files of the next question, all of one rank; return them and their work.

        Where each question to a git holds the next merge of the longest chain, all else comes to
        its end with it when as many go with it as its length goes into this git's part of the work.
        A question costs as much as some files do: few go together, if no git is idle for that.

        Args:
            gits: how many there are.
            idle: how many of them merge nothing.
            most: files of a question.
        """
        rank, chain = self.urgency
        share = math.ceil(self.work / (gits * -chain))
        size = min(most, max(share, min(_FEW, math.ceil(len(self) / idle))))
        taken: list[Stages] = []
        work = 0
        while len(taken) < size and self._heap and self._heap[0][0] == rank:
            _, chain, _, file = heapq.heappop(self._heap)
            taken.append(file)
            work -= chain
        return taken, work


class MergeQueue:
    """Merges of files that wait for a git, and those that gits make.

    Args:
        quarantine: where the objects are.
        mergers: the gits.
    """

    def __init__(self, quarantine: Quarantine, mergers: RunningMergers) -> None:
        self._quarantine, self._mergers = quarantine, mergers
        self._lines: dict[Kind, _Line] = {}
        self._asked: dict[RunningMerges, tuple[Question, int]] = {}

    def put(self, kind: Kind, file: Stages, urgency: Urgency) -> None:
        """Let a file wait."""
        self._lines.setdefault(kind, _Line()).put(file, urgency)

    def has_answered(self) -> bool:
        """Whether `receive` need not wait."""
        self._feed()
        return not self._asked or any(git.has_answered() for git in self._asked)

    def receive(self) -> tuple[Question, MergeOutput] | None:
        """Return what the first git says that answers.

        None: nothing is asked; or a git has ended, for it lacked an object, say, and what was asked
        and what waits is forgotten.
        """
        self._feed()
        if not self._asked:
            return None
        git = running_merges.first_to_answer(self._asked)
        try:
            output = git.receive()
        except Ended:
            self._forget()
            return None
        question, work = self._asked.pop(git)
        self._lines[question.kind].work -= work
        return question, output

    def _feed(self) -> None:
        """Ask gits that are free for what is the most urgent."""
        while len(self._asked) < _GITS:
            kinds = [kind for kind, line in self._lines.items() if line]
            kinds.sort(key=lambda kind: self._lines[kind].urgency)
            free = ((kind, git) for kind in kinds if (git := self._free(kind)))
            kind, git = next(free, (None, None))
            if kind is None or git is None:
                return
            self._ask(kind, git)

    def _free(self, kind: Kind) -> RunningMerges | None:
        """Return a git that is free for files of a kind, unless they had better wait for one."""
        running = self._mergers.running(kind.rules.attributes, kind.flags)
        all_merge = bool(running) and all(git in self._asked for git in running)
        if all_merge and len(self._lines[kind]) < _WORTH_ANOTHER:
            return None
        return self._mergers.free(kind.rules.attributes, kind.flags)

    def _ask(self, kind: Kind, git: RunningMerges) -> None:
        gits = self._mergers.running(kind.rules.attributes, kind.flags)
        idle = sum(git not in self._asked for git in gits)
        most = 1 if kind.rules.by_path else _AT_ONCE
        files, work = self._lines[kind].take(len(gits), idle, most)
        question = Question.of(kind, files)
        pair = question.commits(self._quarantine)
        self._quarantine.publish(pair)
        self._asked[git] = question, work
        try:
            git.send(pair)
        except Ended:
            self._forget()

    def _forget(self) -> None:
        self._lines.clear()
        self._asked.clear()
        self._mergers.forget()

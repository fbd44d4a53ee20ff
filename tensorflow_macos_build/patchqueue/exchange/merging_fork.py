"""A fork that merges upstream as patches on the newest upstream that it has.

Each step of the fork's line is replayed on that base, with the patch's side of what conflicts
there. A merge of upstream is taken out: what is left of it is the change to what the fork's tree
is then, moved onto the base in one merge. After the last such merge nothing has to be moved, and
each tree is the fork's own (docs/adr/0010-merges-of-upstream-taken-out.md).
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import merges, patch_sides
from tensorflow_macos_build.patchqueue.exchange.sources import Imported
from tensorflow_macos_build.patchqueue.formats import write
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.queue import commit_range, squashed
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
from tensorflow_macos_build.patchqueue.replay import replay
from tensorflow_macos_build.patchqueue.replay.steps import StepOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.exchange.fork_line import ForkLine, ForkStep
    from tensorflow_macos_build.patchqueue.formats.patch import Header

    Named = tuple[str, str]

_SHORT = 12
"""Digits of an id in a message: enough for a repository of TensorFlow's size."""


def as_patches(quarantine: Quarantine, line: ForkLine, ticker: Ticker) -> Imported:
    """Return the steps of a fork's line as patches on the newest upstream that it has.

    Args:
        quarantine: sees the fork; the trees between the patches are written to it.
        line: the fork's line.
        ticker: told how many of its commits are done.

    Raises:
        WorkFailed: the patches do not end at the fork's tree.
    """
    tree = quarantine.tree(line.base)
    mover = _Mover(quarantine, line.base, tree, len(line.steps), ticker)
    for taken, group in itertools.groupby(line.steps, lambda step: (step.level, step.before)):
        mover.take(list(group), is_settled=taken[0] == line.base)
    if mover.tree != quarantine.tree(line.tip):
        raise WorkFailed(f"the patches make {mover.tree}, which is not the fork's tree")
    return mover.imported(line)


@dataclass
class _Mover:
    """The patches so far.

    Attributes:
        quarantine: where trees are written.
        base: upstream's commit that the patches apply to.
        tree: what they make of it.
        total: how many commits the line has.
        ticker: told how many are done.
    """

    quarantine: Quarantine
    base: str
    tree: str
    total: int
    ticker: Ticker
    done: int = 0
    steps: list[PatchStep] = field(default_factory=list)
    empty: list[Named] = field(default_factory=list)
    merges: list[Named] = field(default_factory=list)
    upstream_merges: list[Named] = field(default_factory=list)
    conflicted: list[Named] = field(default_factory=list)

    def take(self, group: Sequence[ForkStep], *, is_settled: bool) -> None:
        """Take steps between which no upstream was merged, or merges of it alone."""
        if is_settled:
            for step in group:
                self._add(step, self.quarantine.tree(step.commit))
        elif group[0].takes_upstream:
            for step in group:
                self._add(step, self._moved(step))
        else:
            self._replay(group)

    def imported(self, line: ForkLine) -> Imported:
        """Return all patches, and what is to be said of them."""
        return Imported(
            tuple(self.steps),
            tuple(self.empty),
            tuple(self.merges),
            base=self.base,
            upstream_merges=tuple(self.upstream_merges),
            conflicted=tuple(self.conflicted),
            notes=tuple(_notes(line)),
        )

    def _moved(self, step: ForkStep) -> str:
        """Return the fork's tree at a commit with all of upstream merged that came later."""
        trees = [self.quarantine.tree(oid) for oid in (step.level, self.base, step.commit)]
        merged = merges.merge(self.quarantine, *trees)
        return merged.tree if merged.clean else patch_sides.provisional(self.quarantine, merged)

    def _replay(self, group: Sequence[ForkStep]) -> None:
        # A commit of two trees each: the difference to the parent on the fork's line is wanted,
        # and a merge's first parent may be another one.
        commits = [self._difference(step) for step in group]
        done = replay.replay(self.quarantine, self.tree, commits, write_trees=True)
        for step, outcome in zip(group, done.steps, strict=True):
            if outcome.outcome is StepOutcome.CONFLICT:
                self.conflicted.append(self._named(step))
            self._add(step, outcome.after)

    def _difference(self, step: ForkStep) -> str:
        before, after = self.quarantine.tree(step.parent), self.quarantine.tree(step.commit)
        # The message makes it another commit than one of the same trees: each has its own answer.
        parent = self.quarantine.write_commit(before)
        return self.quarantine.write_commit(after, [parent], message=f"{step.commit}\n".encode())

    def _add(self, step: ForkStep, after: str) -> None:
        """Add a step that leads to a tree."""
        self.done += 1
        self.ticker(self.done, self.total, "moving the fork's commits", unit="commits")
        named = self._named(step)
        if step.takes_upstream:
            self.upstream_merges.append(named)
        if after == self.tree:
            if not step.takes_upstream:
                self.empty.append(named)
            return
        if step.is_merge and not step.takes_upstream:
            self.merges.append(named)
        self.steps.append(PatchStep(self._header(step), self.tree, after))
        self.tree = after

    def _named(self, step: ForkStep) -> Named:
        return step.commit, commit_range.header_of(
            self.quarantine.objects.commit(step.commit)
        ).subject

    def _header(self, step: ForkStep) -> Header:
        """Return a patch's author and message: the commit's own, and what a merge brought."""
        header = commit_range.header_of(self.quarantine.objects.commit(step.commit))
        parts = [header.body]
        if step.takes_upstream:
            short = step.level[:_SHORT]
            parts = [f"What {step.commit[:_SHORT]} changes beside upstream's own changes:"]
            parts += [f"* {header.subject}"]
            header = replace(header, subject=f"Resolve the merge of upstream {short}")
        if step.brought:
            parts.append(squashed.body(self.quarantine.objects, step.brought, header.author))
        if len(parts) == 1:
            return header
        text = "\n\n".join(filter(None, parts))
        _, body = clean_message(f"{header.subject}\n\n{text}\n")
        return replace(header, body=write.shielded(body))


def _notes(line: ForkLine) -> list[str]:
    """Return what cannot be told apart in a line's patches."""
    mixed = [step.commit[:_SHORT] for step in line.steps if step.takes_upstream and step.brought]
    apart = {oid: step.commit for step in line.steps for oid in step.apart}
    notes = []
    if mixed:
        notes.append(
            f"{len(mixed)} merges of upstream brought commits of the fork as well, and one patch "
            f"has them and the resolutions: {_some(mixed)}"
        )
    if apart:
        names = [oid[:_SHORT] for oid in apart]
        notes.append(
            f"upstream's {_some(names)} are not in the history of {line.base[:_SHORT]}: "
            "the patches hold what they brought"
        )
    return notes


def _some(names: Sequence[str], most: int = 5) -> str:
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")

"""The line of a fork that merges upstream: its own commits in order, and what upstream each has.

Upstream's commits are those in the history of the commit that the fork is measured by; all others
are the fork's. The line follows first parents, but where a merge's first parent is upstream's (the
fork was merged into a release, and not the reverse) the fork's own parent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.patchqueue.queue import commit_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.repository import Git

    Parents = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class ForkStep:
    """One commit of the line.

    Attributes:
        commit: its full id.
        parent: that of the commit before it; upstream's for the first one.
        brought: the fork's other commits that it merges, in no order.
        is_merge: whether it has several parents.
        before: the newest commit of upstream that `parent` has.
        level: the newest commit of upstream that it has itself.
        apart: commits of upstream that it has and that are not in the history of `level`.
    """

    commit: str
    parent: str
    brought: tuple[str, ...]
    is_merge: bool
    before: str
    level: str
    apart: tuple[str, ...] = ()

    @property
    def takes_upstream(self) -> bool:
        """Whether it merges newer commits of upstream."""
        return self.level != self.before


@dataclass(frozen=True)
class ForkLine:
    """A fork's line.

    Attributes:
        base: the newest commit of upstream that the fork has.
        tip: the fork's last commit.
        steps: its commits from where it left upstream, oldest first.
        own: the parents of each commit that is the fork's, parents before children.
    """

    base: str
    tip: str
    steps: tuple[ForkStep, ...]
    own: Parents


def read(git: Git, upstream: str, fork: str, ticker: Ticker) -> ForkLine:
    """Read the line of a fork.

    Args:
        git: a repository that has both.
        upstream: names a commit of upstream; what is in its history is upstream's.
        fork: names the fork's last commit.
        ticker: told how many commits of the line are read.

    Raises:
        UsageError: a name is unknown, or the fork has nothing of upstream.
    """
    known, tip = commit_range.resolve(git, upstream), commit_range.resolve(git, fork)
    order = ("--topo-order", "--reverse", "--parents")
    listed = git.out("rev-list", *order, f"{known}..{tip}").decode().splitlines()
    rows = [row.split(" ") for row in listed]
    own = {commit: tuple(parents) for commit, *parents in rows}
    commits, start = _line(own, tip)
    if not start:
        raise UsageError(
            f"`{fork}` does not stand on upstream: its line begins with a commit of its own",
            where=f"commit {commits[0]}",
            hint="import its sources with --tree",
        )
    steps = _Levels(git, own, start).steps(commits, ticker)
    return ForkLine(steps[-1].level if steps else start, tip, steps, own)


def _line(own: Parents, tip: str) -> tuple[list[str], str]:
    """Return the line's commits, and upstream's commit that it stands on; "" for none."""
    line: list[str] = []
    commit = tip
    while commit in own:
        line.append(commit)
        parents = own[commit]
        commit = next((parent for parent in parents if parent in own), "".join(parents[:1]))
    return line[::-1], commit


class _Levels:
    """Walks a line, and keeps which commits of the fork and of upstream it has met."""

    def __init__(self, git: Git, own: Parents, start: str) -> None:
        self._git = git
        self._own = own
        self._met: set[str] = set()
        self._upstream = {start}
        self._heads = [start]

    def steps(self, commits: Sequence[str], ticker: Ticker) -> tuple[ForkStep, ...]:
        """Return the line's steps, in order."""
        steps: list[ForkStep] = []
        parent, before = self._heads[0], self._heads[0]
        for commit in commits:
            brought, merged = self._new(commit)
            self._raise(merged)
            level, *apart = self._heads
            others = tuple(other for other in brought if other != commit)
            is_merge = len(self._own[commit]) > 1
            steps.append(ForkStep(commit, parent, others, is_merge, before, level, tuple(apart)))
            parent, before = commit, level
            ticker(len(steps), len(commits), "the fork's line", unit="commits")
        return tuple(steps)

    def _new(self, commit: str) -> tuple[list[str], set[str]]:
        """Return the fork's and upstream's commits that nothing before this one had."""
        brought: list[str] = []
        merged: set[str] = set()
        waiting = [commit]
        while waiting:
            name = waiting.pop()
            if name not in self._own:
                merged.add(name)
            elif name not in self._met:
                self._met.add(name)
                brought.append(name)
                waiting += self._own[name]
        return brought, merged - self._upstream

    def _raise(self, merged: set[str]) -> None:
        """Let the newest commits of upstream be among those that were merged, too."""
        if not merged:
            return
        self._upstream |= merged
        # One of them is in the history of the others, or else two lines of upstream were merged,
        # and the newer one counts.
        heads = [*self._heads, *sorted(merged)]
        independent = self._git.out("merge-base", "--independent", *heads).decode().split()
        if len(independent) > 1:
            sort = ("rev-list", "--no-walk=sorted", *sorted(independent))
            independent = self._git.out(*sort).decode().split()
        self._heads = independent

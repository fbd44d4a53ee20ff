"""A fork's net change, one patch a topic: the files below a folder, or those that patterns take.

Each says who made it and by which commits. What the fork changed and changed back is in none.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build.config import tree as documents
from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.patchqueue.exchange.sources import Imported
from tensorflow_macos_build.patchqueue.formats import write
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import one_line
from tensorflow_macos_build.patchqueue.queue import commit_range, partial, picks, squashed
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.patchqueue.exchange.fork_line import ForkLine

    TopicOf = Callable[[str], str]

TOP = "the top folder"
"""The topic of files that are in no folder."""

REST = "everything else"
"""The topic of files that no pattern takes."""

MOST_LEVELS = 20
_CHUNK = 250
"""Commits whose changes are in memory at a time: one of TensorFlow's may have 10,000 files."""


def by_folder(levels: int) -> TopicOf:
    """Return what names a path's topic by so many folders from the top.

    Raises:
        UsageError: the number makes no sense.
    """
    if not 0 < levels <= MOST_LEVELS:
        raise UsageError(f"topics have 1 to {MOST_LEVELS} levels of folders, not {levels}")

    def topic(path: str) -> str:
        return "/".join(path.split("/")[:-1][:levels]) or TOP

    return topic


def read_file(path: Path) -> TopicOf:
    """Read a file of topics: YAML, a pattern or a list of them by a topic's name.

    A pattern is one of fnmatch(3), or a folder; the first topic that takes a path has it.

    Raises:
        UsageError: it cannot be read, or is something else.
    """
    table, problems = documents.read_file(path, str(path))
    if problems:
        raise documents.ConfigError(problems)
    patterns = {name: _patterns(value) for name, value in table.items.items()}

    def topic(changed: str) -> str:
        return next(
            (name for name, wanted in patterns.items() if picks.fits(changed, wanted)), REST
        )

    return topic


def _patterns(value: documents.Tree) -> tuple[str, ...]:
    match value:
        case documents.Scalar(text=str(pattern)):
            return (pattern,)
        case documents.Items(items=items) if items:
            return tuple(pattern for item in items for pattern in _patterns(item))
    raise UsageError("a topic has a pattern of paths, or a list of them", where=str(value.source))


def as_patches(
    quarantine: Quarantine, line: ForkLine, topic_of: TopicOf, ticker: Ticker
) -> Imported:
    """Return a fork's net change against the newest upstream that it has, a patch a topic.

    Args:
        quarantine: sees the fork; the trees between the patches are written to it.
        line: the fork's line.
        topic_of: names a path's topic.
        ticker: told how many of the fork's commits are read.

    Raises:
        WorkFailed: the patches do not end at the fork's tree.
    """
    before, wanted = quarantine.tree(line.base), quarantine.tree(line.tip)
    (changes,) = trees.between(quarantine.git, [(before, wanted)]) or ((),)
    groups = grouped(changes, topic_of)
    made_by = _Contributions.read(quarantine, line, groups, ticker)
    steps: list[PatchStep] = []
    for name, group in groups.items():
        after = partial.tree(quarantine, before, group)
        steps.append(PatchStep(made_by.header(quarantine, name), before, after))
        before = after
    if before != wanted:
        raise WorkFailed(f"the patches make {before}, which is not the fork's tree")
    return Imported(tuple(steps), base=line.base, notes=tuple(made_by.notes(line)))


def grouped(changes: Iterable[PathChange], topic_of: TopicOf) -> dict[str, list[PathChange]]:
    """Return changes by topic, in an order in which the topics can be made one after the other.

    What makes room goes with what needs the room: a file that became a folder, or the reverse, is
    one change of several paths.
    """
    listed = list(changes)
    topics = {change.path: topic_of(change.path) for change in listed}
    kept = sorted(change.path for change in listed if change.new is not None)
    gone = {change.path for change in listed if change.new is None}
    # the topics' own order decides who comes first, and so needs the room
    for path in sorted(kept, key=lambda path: (topics[path], path), reverse=True):
        for folder in _above(path):
            if folder in gone:
                topics[folder] = topics[path]
    files = set(kept)
    for path in gone:
        for folder in _above(path):
            if folder in files:
                topics[path] = topics[folder]
    ordered = sorted(listed, key=lambda change: (topics[change.path], change.path))
    return {
        name: list(group)
        for name, group in itertools.groupby(ordered, lambda change: topics[change.path])
    }


def _above(path: str) -> Iterator[str]:
    return itertools.islice(itertools.accumulate(path.split("/"), "{}/{}".format), path.count("/"))


@dataclass
class _Contributions:
    """Which commits made each topic's change.

    Attributes:
        by_topic: their ids, newest first.
        scattered: how many commits are in several topics.
        gone: how many left nothing in the files that differ.
    """

    by_topic: dict[str, list[str]] = field(default_factory=dict)
    scattered: int = 0
    gone: int = 0
    tip: str = ""

    @classmethod
    def read(
        cls,
        quarantine: Quarantine,
        line: ForkLine,
        groups: Mapping[str, Sequence[PathChange]],
        ticker: Ticker,
    ) -> _Contributions:
        """Find the fork's commits, merges aside, that touch the files of each topic."""
        topics = {change.path: name for name, group in groups.items() for change in group}
        commits = [oid for oid, parents in line.own.items() if len(parents) < 2][::-1]
        made = cls({name: [] for name in groups}, tip=line.tip)
        for first in range(0, len(commits), _CHUNK):
            chunk = commits[first : first + _CHUNK]
            for commit, changes in trees.by_commit(quarantine.git, chunk):
                made._add(commit, {topics[c.path] for c in changes if c.path in topics})
            ticker(first + len(chunk), len(commits), "the fork's commits", unit="commits")
        return made

    def _add(self, commit: str, names: set[str]) -> None:
        for name in names:
            self.by_topic[name].append(commit)
        self.scattered += len(names) > 1
        self.gone += not names

    def header(self, quarantine: Quarantine, name: str) -> Header:
        """Return a topic's author (who made most commits of it), date, subject and message."""
        objects = quarantine.objects
        commits = self.by_topic[name]
        # of a change that merges alone made, the fork's last commit says who and when
        headers = [commit_range.header_of(objects.commit(oid)) for oid in commits or [self.tip]]
        author = Counter(header.author for header in headers).most_common(1)[0][0]
        subject = f"Change {one_line(name)}"
        text = squashed.body(objects, commits, author) if commits else ""
        _, body = clean_message(f"{subject}\n\n{text}\n")
        return Header(author, headers[0].date, subject, write.shielded(body))

    def notes(self, line: ForkLine) -> Iterator[str]:
        """Yield what cannot be told apart."""
        if self.scattered:
            yield f"{self.scattered} commits changed files of several topics, and are named in each"
        if self.gone:
            yield f"{self.gone} commits left nothing in the files that differ from upstream"
        if any(step.is_merge for step in line.steps):
            yield "what merges changed themselves is in the patches, and nobody is named for it"

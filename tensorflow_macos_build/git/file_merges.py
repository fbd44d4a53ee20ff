"""Three-way merges of single files, of which one running git makes thousands.

A file that is there on all three sides of a merge has no part in a rename, for git pairs paths that
a side deletes with paths that it adds (diffcore-rename in gitdiffcore(7)). So its contents merge in
a tree that holds nothing else as they do in the whole one: by `git merge-tree --write-tree`, which
so reads and compares two files and not two trees of thousands. Whether a file that one side lacks
merges alone depends on what else the sides do: that is the caller's to know. Many files share such
a tree, in which none can be renamed to another.

Of attributes only the driver's name says how a file is merged. So files of one driver merge under
any names, and the same three contents are merged once, wherever they are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import merges, patch_sides
from tensorflow_macos_build.git.merge_queue import (
    ALONE,
    Kind,
    MergeQueue,
    MergeRules,
    Question,
    Urgency,
)
from tensorflow_macos_build.git.merges import Stages
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.git.renames import RenameSearch
from tensorflow_macos_build.git.running_merges import RunningMergers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeMessage, MergeOutput, MergeResult
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.trees import PathChange

_NUMBERED = re.compile(rf"\d+-{ALONE}")
"""The path, beside others, of a file whose own has no say in how it is merged."""


class FileVersions(NamedTuple):
    """The three versions of a plain file that are to be merged.

    Attributes:
        path: where it is.
        base: None where both sides add it.
        ours: None where our side deletes it.
        theirs: None where their side deletes it.
    """

    path: str
    base: TreeEntry | None
    ours: TreeEntry | None
    theirs: TreeEntry | None


class FileMerge(NamedTuple):
    """What git made of them.

    Attributes:
        entry: the resulting file; with conflicts, it holds diff3 markers.
        clean: whether it needs nobody.
        messages: what git says about it.
    """

    entry: TreeEntry
    clean: bool
    messages: tuple[MergeMessage, ...]


class _Key(NamedTuple):
    """What decides how a file is merged."""

    rules: MergeRules
    file: Stages

    def kind(self, *, by_default: bool) -> Kind:
        return Kind(self.rules, by_default, self.file.base is None)


@dataclass
class _Pending:
    """A merge that git is to make.

    Attributes:
        urgency: how soon.
        then: who is given it.
        first: what git made in the first style, where it is asked for the other one.
    """

    urgency: Urgency
    then: list[Callable[[FileMerge], object]] = field(default_factory=list)
    first: FileMerge | None = None


_ANY = MergeRules()


class FileMerger:
    """Merges files in a quarantine, and remembers how they came out.

    Args:
        quarantine: where the objects are.

    Attributes:
        renames: looks for renames of files that a side lacks.
        sides: resolves conflicts the patch's way.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self.renames = RenameSearch(quarantine)
        self.sides = patch_sides.PatchSides(quarantine)
        self._quarantine = quarantine
        self._merged: dict[_Key, FileMerge] = {}
        self._mergers = RunningMergers(quarantine)
        self._queue = MergeQueue(quarantine, self._mergers)
        self._pending: dict[_Key, _Pending] = {}
        self._expected: dict[str, None] = {}
        self._rules_in: dict[Path, dict[str, MergeRules]] = {}

    def expect(self, changes: Iterable[PathChange]) -> None:
        """Take note of changes that may have to be merged."""
        for change in changes:
            self._expected[change.path] = None
            if change.old is not None and change.old.is_file:
                self.renames.expect([(change.path, change.old.oid)])

    def merge_trees(self, base: str, ours: str, theirs: str) -> MergeResult:
        """Merge whole trees, as `merges.merge` does.

        Raises:
            WorkFailed: git could not merge at all (a missing object).
        """
        return merges.merge(self._quarantine, base, ours, theirs, asking=self._mergers.ask)

    def merge(self, tree: str, files: Sequence[FileVersions]) -> list[FileMerge]:
        """Merge files as the attributes of a tree, our side's, say.

        Raises:
            WorkFailed: git could not merge them at all (a missing object).
        """
        keys = self._keys(tree, files)
        fresh = [key for key in dict.fromkeys(keys) if key not in self._merged]
        for key in fresh:
            self._expect(key, Urgency())
        for key in fresh:
            while key in self._pending:
                self.receive()
            if key not in self._merged:  # a git has ended, for it lacked an object
                self._merged[key] = self._alone(key)
        return [_named(self._merged[key], file.path) for key, file in zip(keys, files, strict=True)]

    def expect_merge(
        self,
        tree: str,
        file: FileVersions,
        then: Callable[[FileMerge], object],
        urgency: Urgency,
    ) -> None:
        """Let git merge a file while other things go on; it is done as `receive` and `go_on` are.

        Args:
            tree: that whose attributes count.
            file: the file.
            then: given what `known` returns from then on; it is not, where an object is missing.
            urgency: how soon it is needed.
        """
        (key,) = self._keys(tree, [file])
        self._expect(key, urgency).then.append(then)

    def receive(self) -> bool:
        """Wait for what a git answers first; return whether there was anything to wait for."""
        answer = self._queue.receive()
        if answer is None:
            self._pending.clear()
            return False
        self._learn(*answer)
        return True

    def go_on(self) -> None:
        """Receive what has come, and let gits go on."""
        while self._pending and self._queue.has_answered():
            self.receive()

    def finish(self) -> None:
        """Wait until git has made all that it is to make."""
        while self.receive():
            pass

    def known(self, tree: str, file: FileVersions) -> FileMerge | None:
        """Return what `merge` would, but for the names in messages, where git need not be asked."""
        (key,) = self._keys(tree, [file])
        return self._merged.get(key)

    def _keys(self, tree: str, files: Sequence[FileVersions]) -> list[_Key]:
        """Return what decides how each file is merged."""
        rules = self._rules(tree, [file.path for file in files])
        return [
            _Key(rule, Stages(file.path if rule.by_path else ALONE, *file[1:]))
            for rule, file in zip(rules, files, strict=True)
        ]

    def _rules(self, tree: str, paths: Sequence[str]) -> list[MergeRules]:
        """Return the rules for each path.

        A driver that is none of git's own is not run, and git merges texts, as it does where the
        attributes name none.
        """
        folder = self._quarantine.attributes_folder(tree)
        if folder is None:
            return [_ANY] * len(paths)
        known = self._rules_in.setdefault(folder, {})
        if fresh := [path for path in paths if path not in known]:
            drivers = self._quarantine.attribute("merge", tree, fresh, expected=self._expected)
            known |= zip(
                fresh, (self._by_driver(folder, driver) for driver in drivers), strict=True
            )
        return [known[path] for path in paths]

    def _by_driver(self, attributes: Path, driver: str) -> MergeRules:
        match driver:
            case "union":
                return MergeRules(self._quarantine.uniting, unite=True)
            # `-merge`, which is binary; or `merge=unset`, the name of a driver
            case "binary" | "unset":
                return MergeRules(attributes, by_path=True)
            case _:
                return _ANY

    def _expect(self, key: _Key, urgency: Urgency) -> _Pending:
        pending = self._pending.get(key)
        if pending is None:
            pending = self._pending[key] = _Pending(urgency)
            self._queue.put(key.kind(by_default=key.rules.unite), key.file, urgency)
        return pending

    def _learn(self, question: Question, output: MergeOutput) -> None:
        """Take note of merges; those that conflict may have to be made in the other style."""
        kind, made = question.kind, _merges(self._quarantine, question, output)
        keys = {_Key(kind.rules, file): merge for file, merge in made.items()}
        again: list[_Key] = []
        if kind.by_default is kind.rules.unite:
            again = self._doubtful(keys)
        for key in again:
            pending = self._pending[key]
            pending.first = keys.pop(key)
            other = key.kind(by_default=not kind.by_default)
            self._queue.put(other, key.file, pending.urgency)
        for key, merge in keys.items():
            pending = self._pending.pop(key)
            self._merged[key] = _better(key, pending.first, merge)
            for then in pending.then:
                then(self._merged[key])

    def _doubtful(self, made: Mapping[_Key, FileMerge]) -> list[_Key]:
        """Return the files whose conflict may be none in the other style."""
        conflicting = [key for key, merge in made.items() if not merge.clean]
        # at once: also for whom the patch's side is taken
        sides = (side for key in conflicting for side in (made[key].entry, key.file.theirs))
        self._quarantine.objects.blobs([side.oid for side in sides if side is not None])
        return [key for key in conflicting if self._is_doubtful(key, made[key])]

    def _is_doubtful(self, key: _Key, merge: FileMerge) -> bool:
        return key.rules.unite or merges.may_be_clean(self._quarantine, merge.entry)

    def _alone(self, key: _Key) -> FileMerge:
        """Return a merge by a git of its own, which says what it lacks."""
        first = self._ask_alone(key, by_default=key.rules.unite)
        if first.clean or not self._is_doubtful(key, first):
            return first
        return _better(key, first, self._ask_alone(key, by_default=not key.rules.unite))

    def _ask_alone(self, key: _Key, *, by_default: bool) -> FileMerge:
        question = Question.of(key.kind(by_default=by_default), [key.file])
        git = self._quarantine.git_with(key.rules.attributes)
        output = merges.ask(git, question.commits(self._quarantine), *question.kind.flags)
        assert output is not None, "git survives a merge without renames"
        return _merges(self._quarantine, question, output)[key.file]


def _better(key: _Key, first: FileMerge | None, other: FileMerge) -> FileMerge:
    """Return what counts of a merge in both styles, diff3 being the better one to read."""
    return other if first is None or key.rules.unite or other.clean else first


def _merges(
    quarantine: Quarantine, question: Question, output: MergeOutput
) -> dict[Stages, FileMerge]:
    tree = Overlay(quarantine.objects, output.tree)
    conflicted = {stages.path for stages in output.unmerged}
    said: dict[str, list[MergeMessage]] = {}
    for message in output.messages:
        for path in message.paths:
            said.setdefault(path, []).append(message)
    made: dict[Stages, FileMerge] = {}
    for file, path in zip(question.files, question.paths, strict=True):
        messages = tuple(said.get(path, ()))
        clean = path not in conflicted and not any(m.is_conflict for m in messages)
        entry = tree.entry(path)
        assert entry is not None, "a side changed it, and so it stays"
        made[file] = FileMerge(entry, clean, messages)
    return made


def _named(merge: FileMerge, path: str) -> FileMerge:
    """Return a merge with the file's path in what git says about it."""
    messages = (
        replace(message, paths=(path,), words=_NUMBERED.sub(lambda _: path, message.words))
        for message in merge.messages
    )
    return merge._replace(messages=tuple(messages))

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
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.overlay import Overlay, tree_of_paths
from tensorflow_macos_build.git.renames import RenameSearch
from tensorflow_macos_build.git.running import Ended
from tensorflow_macos_build.git.running_merges import AT_ONCE, RunningMergers
from tensorflow_macos_build.git.work_beside import WorkBeside

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeMessage, MergeOutput, MergeResult, Sides
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.git.trees import PathChange
    from tensorflow_macos_build.git.work_beside import Steps

_ALONE = "the-file-that-is-merged"
"""The path in small trees of a file whose own has no say in how it is merged."""

_NUMBERED = re.compile(rf"\d+-{_ALONE}")
"""Its path beside others."""

_HALF = 20
"""Files that a second git merges meanwhile, at least: it reads on its own what many are made of."""


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


class _Rules(NamedTuple):
    """By which rules a file is merged.

    Attributes:
        attributes: the folder with the .gitattributes that count; None where they say nothing.
        unite: whether it is a union of lines.
        by_path: whether they are rules for its own path; else they are for any.
    """

    attributes: Path | None = None
    unite: bool = False
    by_path: bool = False


_ANY = _Rules()


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
        self.sides = merges.PatchSides(quarantine)
        self._quarantine = quarantine
        self._merged: dict[tuple[_Rules, FileVersions], FileMerge] = {}
        self._mergers = RunningMergers(quarantine)
        self._expected: dict[str, None] = {}
        self._rules_in: dict[Path, dict[str, _Rules]] = {}
        self._beside: list[WorkBeside[object]] = []

    def begin(self, steps: Steps[object]) -> None:
        """Begin work that merges; it goes on beside, until it is finished."""
        self._beside.append(WorkBeside(steps))

    def go_on(self) -> None:
        """Let what goes on beside do what need not wait."""
        for work in self._beside:
            work.go_on()

    def finish(self) -> None:
        """Finish what goes on beside."""
        while self._beside:
            self._beside.pop().finish()

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
        WorkBeside(self.steps(tree, files)).finish()
        keys = self._keys(tree, files)
        return [_named(self._merged[key], file.path) for key, file in zip(keys, files, strict=True)]

    def steps(self, tree: str, files: Sequence[FileVersions]) -> Steps[None]:
        """Make merges known, step by step."""
        fresh: dict[_Rules, dict[FileVersions, None]] = {}
        for rules, file in self._keys(tree, files):
            if (rules, file) not in self._merged:
                fresh.setdefault(rules, {})[file] = None
        asked = {rules: WorkBeside(self._make(rules, [*files])) for rules, files in fresh.items()}
        for rules, work in asked.items():
            made = yield from work.rest()
            self._merged |= zip(((rules, file) for file in fresh[rules]), made, strict=True)

    def known(self, tree: str, file: FileVersions) -> FileMerge | None:
        """Return what `merge` would, but for the names in messages, where git need not be asked."""
        (key,) = self._keys(tree, [file])
        return self._merged.get(key)

    def _keys(self, tree: str, files: Sequence[FileVersions]) -> list[tuple[_Rules, FileVersions]]:
        """Return what decides how each file is merged."""
        rules = self._rules(tree, [file.path for file in files])
        return [
            (rule, file if rule.by_path else FileVersions(_ALONE, *file[1:]))
            for rule, file in zip(rules, files, strict=True)
        ]

    def _rules(self, tree: str, paths: Sequence[str]) -> list[_Rules]:
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

    def _by_driver(self, attributes: Path, driver: str) -> _Rules:
        match driver:
            case "union":
                return _Rules(self._quarantine.uniting, unite=True)
            # `-merge`, which is binary; or `merge=unset`, the name of a driver
            case "binary" | "unset":
                return _Rules(attributes, by_path=True)
            case _:
                return _ANY

    def _make(self, rules: _Rules, files: Sequence[FileVersions]) -> Steps[list[FileMerge]]:
        style, other = (merges.BY_DEFAULT, ()) if rules.unite else ((), merges.BY_DEFAULT)
        asked = yield from self._ask(rules, style, files)
        made = dict(zip(files, asked, strict=True))
        conflicting = [file for file, merge in made.items() if not merge.clean]
        again = conflicting if rules.unite else self._doubtful(made, conflicting)
        asked = yield from self._ask(rules, other, again)
        for file, merge in zip(again, asked, strict=True):
            if rules.unite or merge.clean:
                made[file] = merge
        return [*made.values()]

    def _doubtful(
        self, made: Mapping[FileVersions, FileMerge], conflicting: Sequence[FileVersions]
    ) -> list[FileVersions]:
        """Return the files whose conflict may be none by default."""
        doubtful: list[FileVersions] = []
        for start in range(0, len(conflicting), AT_ONCE):
            part = conflicting[start : start + AT_ONCE]
            self._quarantine.objects.blobs([made[file].entry.oid for file in part])
            doubtful += [f for f in part if merges.may_be_clean(self._quarantine, made[f].entry)]
        return doubtful

    def _ask(
        self, rules: _Rules, flags: tuple[str, ...], files: Sequence[FileVersions]
    ) -> Steps[list[FileMerge]]:
        if rules.by_path:
            groups = [[file] for file in files]
        else:  # all are called the same, and lie side by side here
            files = [f._replace(path=f"{number}-{f.path}") for number, f in enumerate(files)]
            groups = _groups(files)
        made: dict[str, FileMerge] = {}
        for start in range(0, len(groups), AT_ONCE):
            part = groups[start : start + AT_ONCE]
            merged = yield from self._merge_groups(rules, flags, part)
            for group, of_group in zip(part, merged, strict=True):
                made |= _of_files(self._quarantine, group, of_group)
        return [made[file.path] for file in files]

    def _merge_groups(
        self, rules: _Rules, flags: tuple[str, ...], groups: Sequence[Sequence[FileVersions]]
    ) -> Steps[list[MergeOutput]]:
        sides = [_commits(self._quarantine, group) for group in groups]
        self._quarantine.publish(oid for pair in sides for oid in pair)
        gits = 2 if sum(map(len, groups)) >= 2 * _HALF else 1
        try:
            running = self._mergers.free(rules.attributes, flags, gits)
            for number, merger in enumerate(running):
                merger.send(sides[number::gits])
            outputs: list[MergeOutput] = []
            for at in range(len(sides)):
                merger = running[at % gits]
                yield merger.has_answered
                outputs.append(merger.receive())
        except Ended:  # it lacked an object, say: asked for one merge, git says which
            self._mergers.forget()
            git = self._quarantine.git_with(rules.attributes)
            return [_singly(git, pair, flags) for pair in sides]
        return outputs


def _singly(git: Git, sides: Sides, flags: Sequence[str]) -> MergeOutput:
    output = merges.ask(git, sides, *flags)
    assert output is not None, "git survives a merge without renames"
    return output


def _groups(files: Sequence[FileVersions]) -> list[list[FileVersions]]:
    """Return the files that git can merge in one go: none of them has a part in a rename.

    git takes a file that a side deletes for renamed to one that this side adds. So those that a
    side deletes, and those that both add, do not lie side by side. Many are two groups.
    """
    changed = [file for file in files if file.base is not None]
    added = [file for file in files if file.base is None]
    halves = [changed[::2], changed[1::2]] if len(changed) >= 2 * _HALF else [changed]
    return [group for group in (*halves, added) if group]


def _commits(quarantine: Quarantine, files: Sequence[FileVersions]) -> Sides:
    """Return throw-away commits of trees that hold some files alone."""
    base, ours, theirs = (
        tree_of_paths(
            quarantine, {file.path: side for file, side in zip(files, sides, strict=True)}
        )
        for sides in zip(*((file.base, file.ours, file.theirs) for file in files), strict=True)
    )
    return merges.sides(quarantine, base, ours, theirs)


def _of_files(
    quarantine: Quarantine, files: Sequence[FileVersions], merged: MergeOutput
) -> dict[str, FileMerge]:
    tree = Overlay(quarantine.objects, merged.tree)
    conflicted = {stages.path for stages in merged.unmerged}
    said: dict[str, list[MergeMessage]] = {}
    for message in merged.messages:
        for path in message.paths:
            said.setdefault(path, []).append(message)
    made: dict[str, FileMerge] = {}
    for file in files:
        entry = tree.entry(file.path)
        assert entry is not None, "a side changed it, and so it stays"
        messages = tuple(said.get(file.path, ()))
        clean = file.path not in conflicted and not any(m.is_conflict for m in messages)
        made[file.path] = FileMerge(entry, clean, messages)
    return made


def _named(merge: FileMerge, path: str) -> FileMerge:
    """Return a merge with the file's path in what git says about it."""
    messages = (
        replace(message, paths=(path,), words=_NUMBERED.sub(lambda _: path, message.words))
        for message in merge.messages
    )
    return merge._replace(messages=tuple(messages))

"""Three-way merges of single files, of which one running git makes thousands.

A file that is there on all three sides of a merge has no part in a rename, for git pairs paths that
a side deletes with paths that it adds (diffcore-rename in gitdiffcore(7)). So its contents merge in
a tree that holds nothing else as they do in the whole one: by `git merge-tree --write-tree`, which
so reads and compares two files and not two trees of thousands. Whether a file that one side lacks
merges alone depends on what else the sides do: that is the caller's to know. Files that are there
on all sides share such a tree, for there they do not meet.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.git.objects import TreeEntry, decode_path
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.git.renames import RenameSearch
from tensorflow_macos_build.git.running import Ended

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tensorflow_macos_build.git.merges import MergeMessage, MergeOutput, Sides
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git

_ALONE = "the-file-that-is-merged"
"""The path in small trees of a file whose own has no say in how it is merged."""

_NUMBERED = re.compile(rf"\d{{3}}-{_ALONE}")
"""Its path beside others."""

_PADDING = "padding" * 2000
"""The path of a file whose merge is asked for only because git's answer names it often.

`git merge-tree --stdin` flushes its output at its end alone; it holds back no more than a buffer,
of 4 to 64 KiB (setvbuf(3)). What follows an answer pushes it out.
"""

_AT_ONCE = 100
"""Merges asked for before an answer is read: their ids have to fit into a pipe (pipe(7))."""


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
        flags: options of git's.
    """

    attributes: Path | None
    flags: tuple[str, ...] = ()


class FileMerger:
    """Merges files in a quarantine, and remembers how they came out.

    Args:
        quarantine: where the objects are.

    Attributes:
        renames: looks for renames of files that a side lacks.
    """

    def __init__(self, quarantine: Quarantine) -> None:
        self.renames = RenameSearch(quarantine)
        self._quarantine = quarantine
        self._merged: dict[tuple[_Rules, FileVersions], FileMerge] = {}
        self._mergers: dict[_Rules, _RunningMerges] = {}
        self._expected: dict[str, None] = {}
        self._ruled: dict[Path, dict[str, bool]] = {}

    def expect(self, files: Sequence[tuple[str, str]]) -> None:
        """Take note of files, paths and ids of blobs, that may have to be merged."""
        self.renames.expect(files)
        self._expected.update((path, None) for path, _ in files)

    def merge(self, tree: str, files: Sequence[FileVersions]) -> list[FileMerge]:
        """Merge files as the attributes of a tree, our side's, say.

        Raises:
            WorkFailed: git could not merge them at all (a missing object).
        """
        folder = self._quarantine.attributes_folder(tree)
        ruled = self._ruled_paths(folder, tree, [file.path for file in files])
        merged: dict[str, FileMerge] = {}
        for attributes in dict.fromkeys((folder, None)):
            group = [f for f in files if (f.path in ruled) == (attributes is not None)]
            # a union of lines is a driver that attributes name
            unites = attributes is not None and self._quarantine.unites(tree)
            done = self._merge_by(attributes, group, unites=unites)
            merged |= zip((file.path for file in group), done, strict=True)
        return [merged[file.path] for file in files]

    def _ruled_paths(self, folder: Path | None, tree: str, paths: Sequence[str]) -> set[str]:
        """Return the paths for which attributes name a driver of merges, as no others do.

        A file that they name none for merges as if there were no attributes.
        """
        if folder is None:
            return set()
        known = self._ruled.setdefault(folder, {})
        if not known.keys() >= set(paths):
            asked = [path for path in dict.fromkeys((*paths, *self._expected)) if path not in known]
            values = self._quarantine.attribute("merge", tree, asked)
            known |= {p: value != "unspecified" for p, value in zip(asked, values, strict=True)}
        return {path for path in paths if known[path]}

    def _merge_by(
        self, attributes: Path | None, files: Sequence[FileVersions], *, unites: bool
    ) -> list[FileMerge]:
        marked = _Rules(attributes)
        if not unites:
            return self._merge(marked, files)
        done = self._merge(_Rules(attributes, merges.BY_DEFAULT), files)
        unclean = [file for file, merge in zip(files, done, strict=True) if not merge.clean]
        shown = iter(self._merge(marked, unclean))
        return [merge if merge.clean else next(shown) for merge in done]

    def _merge(self, rules: _Rules, files: Sequence[FileVersions]) -> list[FileMerge]:
        # without rules by path, the same three contents merge in the same way wherever they are
        keys = [(rules, file if rules.attributes else file._replace(path=_ALONE)) for file in files]
        asked = [key for key in dict.fromkeys(keys) if key not in self._merged]
        for start in range(0, len(asked), _AT_ONCE):
            part = asked[start : start + _AT_ONCE]
            made = self._ask(rules, [file for _, file in part])
            self._merged |= zip(part, made, strict=True)
        return [_named(self._merged[key], file.path) for key, file in zip(keys, files, strict=True)]

    def _ask(self, rules: _Rules, files: Sequence[FileVersions]) -> list[FileMerge]:
        git = self._quarantine.git_with(rules.attributes)
        if not rules.attributes:  # all are called the same, and lie side by side here
            files = [f._replace(path=f"{number:03}-{f.path}") for number, f in enumerate(files)]
        groups = _groups(files)
        sides = [_commits(self._quarantine, group) for group in groups]
        if rules not in self._mergers:
            padding = _commits(self._quarantine, [_padding(self._quarantine)])
            self._quarantine.publish(padding)
            self._mergers[rules] = _RunningMerges(git, rules.flags, padding)
        self._quarantine.publish(oid for pair in sides for oid in pair)
        try:
            answers = self._mergers[rules].ask(sides)
        except Ended:  # it lacked an object, say: asked for one merge, git says which
            del self._mergers[rules]
            answers = [_singly(git, pair, rules.flags) for pair in sides]
        made: dict[str, FileMerge] = {}
        for group, merged in zip(groups, answers, strict=True):
            made |= _of_files(self._quarantine, group, merged)
        return [made[file.path] for file in files]


class _RunningMerges:
    """One `git merge-tree --stdin`, which goes on running."""

    def __init__(self, git: Git, flags: Sequence[str], padding: Sides) -> None:
        assert git.running is not None, "a quarantine has one"
        argv = git.argv(*flags, "merge-tree", "--write-tree", "--messages", "--stdin")
        self._running = git.running.start(argv, git.work_tree, git.environment())
        self._padding = padding
        self._owes_padding = False

    def ask(self, asked: Sequence[Sides]) -> list[MergeOutput]:
        """Return the merges of pairs of commits, in order.

        Raises:
            Ended: git has ended.
        """
        lines = "".join(f"{ours} {theirs}\n" for ours, theirs in (*asked, self._padding))
        self._running.send(lines.encode())
        if self._owes_padding:
            self._read(self._padding)
        self._owes_padding = True
        return [self._read(sides) for sides in asked]

    def _read(self, sides: Sides) -> MergeOutput:
        tokens = iter(lambda: decode_path(self._running.up_to(b"\0")), None)
        return merges.read_output(tokens, sides, clean=next(tokens) == "1")


def _singly(git: Git, sides: Sides, flags: Sequence[str]) -> MergeOutput:
    output = merges.ask(git, sides, *flags)
    assert output is not None, "git survives a merge without renames"
    return output


def _groups(files: Sequence[FileVersions]) -> list[list[FileVersions]]:
    """Return the files that git can merge in one go: none of them has a part in a rename."""
    sides = [(file.base, file.ours, file.theirs) for file in files]
    on_all_sides = [file for file, of in zip(files, sides, strict=True) if all(of)]
    others = [[file] for file, of in zip(files, sides, strict=True) if not all(of)]
    return [on_all_sides, *others] if on_all_sides else others


def _commits(quarantine: Quarantine, files: Sequence[FileVersions]) -> Sides:
    """Return throw-away commits of trees that hold some files alone."""
    base, ours, theirs = (
        _tree_of(quarantine, {file.path: side for file, side in zip(files, sides, strict=True)})
        for sides in zip(*((file.base, file.ours, file.theirs) for file in files), strict=True)
    )
    return merges.sides(quarantine, base, ours, theirs)


def _tree_of(quarantine: Quarantine, entries: Mapping[str, TreeEntry | None]) -> str:
    tree = Overlay(quarantine.objects, quarantine.write_tree({}))
    tree.change({path: entry for path, entry in entries.items() if entry is not None})
    return tree.write(quarantine)


def _padding(quarantine: Quarantine) -> FileVersions:
    versions = (quarantine.write("blob", content) for content in (b"", b"ours", b"theirs"))
    return FileVersions(_PADDING, *(TreeEntry("100644", oid) for oid in versions))


def _of_files(
    quarantine: Quarantine, files: Sequence[FileVersions], merged: MergeOutput
) -> dict[str, FileMerge]:
    tree = Overlay(quarantine.objects, merged.tree)
    conflicted = {conflict.path for conflict in merged.conflicted}
    made: dict[str, FileMerge] = {}
    for file in files:
        entry = tree.entry(file.path)
        assert entry is not None, "a side changed it, and so it stays"
        messages = tuple(message for message in merged.messages if file.path in message.paths)
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

"""How a tree's own .gitattributes say that files are merged.

`git rebase` reads gitattributes(5) from its work tree, which holds the tree that a pick lands on.
git 2.39 has no other way to be told them (`--attr-source` came with 2.41, and git-merge-tree(1) in
a bare repository looks at none), so the .gitattributes of a tree are put into a scratch folder that
git takes for its work tree. A tree whose files say nothing of merges needs none.

What a driver of `merge.<name>.driver` would run is not run: where an attribute names one, git falls
back to its merge of texts. Filters and line ends play no part in a merge, which is of blobs.
"""

from __future__ import annotations

import functools
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git.objects import decode_path, encode_path

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.objects import ObjectReader

NAME = ".gitattributes"
"""The name of the files that gitattributes(5) is about."""

BUILT_IN = frozenset({"text", "binary", "union", "set", "unset", "unspecified"})
"""Values of the attribute `merge`, as git-check-attr(1) prints them, for which git runs nothing."""

_UNION = re.compile(rb"\bmerge=union\b")
_OF_MERGES = re.compile(rb"\b(?:merge|binary|conflict-marker-size)\b")
_LONGEST_NAME = 255  # NAME_MAX of Linux and macOS
_LONGEST_PATH = os.pathconf("/", "PC_PATH_MAX") // 2
"""A whole path has 4,096 bytes on Linux, 1,024 on macOS; the scratch folder's is a part of it."""

_DEEPEST = 256
"""Folders above a file that counts; a deeper one is nobody's, and no work tree need hold it."""

_AttributeFiles = tuple[tuple[str, str], ...]
"""The .gitattributes of a tree: their paths, and the ids of their blobs."""


class _MergeRules(NamedTuple):
    """What some .gitattributes say of merges.

    Attributes:
        folder: the folder that holds them; None where they say nothing.
        unite: whether they ask for a union of lines anywhere.
    """

    folder: Path | None
    unite: bool


class TreeAttributes:
    """Folders that hold the .gitattributes of trees, each made when it is first asked for.

    Args:
        objects: reads trees and blobs.
        scratch: a folder to make them in.
    """

    def __init__(self, objects: ObjectReader, scratch: Path) -> None:
        self._objects = objects
        self._scratch = scratch
        self._in_tree: dict[str, _AttributeFiles] = {}
        self._rules: dict[_AttributeFiles, _MergeRules] = {}

    def folder(self, tree: str) -> Path | None:
        """Return the folder with a tree's .gitattributes; None: they say nothing of merges."""
        return self._rules_of(tree).folder

    @functools.cached_property
    def uniting(self) -> Path:
        """The folder with attributes by which all files are merged by a union of their lines."""
        folder = self._scratch / "union"
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(b"* merge=union\n")
        return folder

    def unite(self, tree: str) -> bool:
        """Whether a tree's .gitattributes ask for a union of lines anywhere."""
        return self._rules_of(tree).unite

    def _rules_of(self, tree: str) -> _MergeRules:
        # most trees of a replay have the same .gitattributes, and so one folder
        files = self._files(tree)
        if files not in self._rules:
            contents = {path: self._objects.blob(oid) for path, oid in files if _is_short(path)}
            text = b"\n".join(contents.values())
            folder = self._write(contents) if _OF_MERGES.search(text) else None
            self._rules[files] = _MergeRules(folder, unite=_UNION.search(text) is not None)
        return self._rules[files]

    def _files(self, tree: str, depth: int = 0) -> _AttributeFiles:
        """Return the .gitattributes of a tree; folders that were seen before are not read again."""
        if tree not in self._in_tree:
            entries = self._objects.tree(tree)
            own = entries.get(NAME)
            files = [(NAME, own.oid)] if own is not None and own.is_file else []
            for name, entry in entries.items():
                if entry.is_tree and _is_usual(name) and depth < _DEEPEST:
                    inside = self._files(entry.oid, depth + 1)
                    files += [(f"{name}/{path}", oid) for path, oid in inside]
            self._in_tree[tree] = tuple(files)
        return self._in_tree[tree]

    def _write(self, contents: dict[str, bytes]) -> Path:
        folder = self._scratch / str(len(self._rules))
        for path, content in contents.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        return folder


def _is_usual(name: str) -> bool:
    """Whether a folder can be made in a work tree; git checks out no other (read-cache.c)."""
    size = len(encode_path(name))
    return name.casefold() not in {".", "..", ".git"} and size <= _LONGEST_NAME


def _is_short(path: str) -> bool:
    return len(encode_path(path)) <= _LONGEST_PATH


def parse_check_attr(out: bytes) -> tuple[str, ...]:
    """Return the values in what `git check-attr -z` prints: path, attribute, value, and so on."""
    return tuple(decode_path(out).split("\0")[2::3])

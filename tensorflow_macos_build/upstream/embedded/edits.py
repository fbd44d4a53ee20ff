"""The words that the history is written in: commits made of edits, and branches off `main`.

Edits name what a person did, so that a history reads as one. Each edit is a function from a tree to
a tree; a tree is a mapping from paths to (mode, content), as git stores them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from typing_extensions import assert_never

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Mode(Enum):
    """How git stores a file (git-fast-import(1), `filemodify`)."""

    FILE = "100644"
    EXECUTABLE = "100755"
    LINK = "120000"


@dataclass(frozen=True)
class EmbeddedFile:
    """One file of a tree; the content of a link is its target."""

    mode: Mode
    content: bytes


Tree: TypeAlias = dict[str, EmbeddedFile]


@dataclass(frozen=True)
class Person:
    """Who wrote a commit."""

    name: str
    email: str


@dataclass(frozen=True)
class Write:
    """Make a file, or give it wholly new content; text is UTF-8 with line ends as given."""

    path: str
    content: str | bytes
    mode: Mode = Mode.FILE


@dataclass(frozen=True)
class Replace:
    """Change the one place where `old` stands in a text file."""

    path: str
    old: str
    new: str


@dataclass(frozen=True)
class Cut:
    """Take text away: from where `start` stands up to where `end` follows it, or to the end."""

    path: str
    start: str
    end: str = ""


@dataclass(frozen=True)
class Move:
    """Move a file, or all files of a folder, to another path."""

    source: str
    target: str


@dataclass(frozen=True)
class Delete:
    """Take a file, or all files of a folder, away."""

    path: str


@dataclass(frozen=True)
class SetMode:
    """Make a file executable, or no longer so."""

    path: str
    mode: Mode


@dataclass(frozen=True)
class Plant:
    """Make the files of a tree that is read when it is needed: what an import begins with."""

    read: Callable[[], Tree]


Edit: TypeAlias = Write | Replace | Cut | Move | Delete | SetMode | Plant


@dataclass(frozen=True)
class EmbeddedCommit:
    """One commit on the branch that it stands in.

    Attributes:
        subject: its first line.
        author: who wrote it, and committed it.
        date: ISO 8601 with an offset from UTC, such as "2024-03-07T09:12:00+01:00".
        edits: what it does, in order.
        body: the rest of its message, without the empty line between.
    """

    subject: str
    author: Person
    date: str
    edits: tuple[Edit, ...]
    body: str = ""

    @property
    def message(self) -> str:
        """The whole message, with a final newline."""
        return f"{self.subject}\n\n{self.body}\n" if self.body else f"{self.subject}\n"


@dataclass(frozen=True)
class EmbeddedRelease:
    """A branch that leaves `main` where this stands in the history, and ends in a tag.

    The tag is annotated, by the author and at the date of the branch's last commit.
    """

    branch: str
    tag: str
    commits: tuple[EmbeddedCommit, ...]


class EditFails(ValueError):
    """An edit does not fit the tree that it meets."""


def apply(edits: tuple[Edit, ...], tree: Tree) -> Tree:
    """Return the tree that the edits make of `tree`.

    Raises:
        EditFails: an edit names what is not there, or what is there twice.
    """
    result = dict(tree)
    for edit in edits:
        _apply_one(edit, result)
    return result


def _apply_one(edit: Edit, tree: Tree) -> None:
    match edit:
        case Write(path, content, mode):
            tree[path] = EmbeddedFile(
                mode, content.encode() if isinstance(content, str) else content
            )
        case Replace(path, old, new):
            tree[path] = EmbeddedFile(_at(tree, path).mode, _replaced(path, tree[path], old, new))
        case Cut(path, start, end):
            tree[path] = EmbeddedFile(_at(tree, path).mode, _cut(path, tree[path], start, end))
        case Move(source, target):
            for path in list(_under(tree, source)):
                tree[target + path[len(source) :]] = tree.pop(path)
        case Delete(path):
            for gone in list(_under(tree, path)):
                del tree[gone]
        case SetMode(path, mode):
            tree[path] = EmbeddedFile(mode, _at(tree, path).content)
        case Plant(read):
            tree.update(read())
        case _:
            assert_never(edit)


def _at(tree: Tree, path: str) -> EmbeddedFile:
    if path not in tree:
        raise EditFails(f"{path}: no such file")
    return tree[path]


def _replaced(path: str, entry: EmbeddedFile, old: str, new: str) -> bytes:
    count = entry.content.count(old.encode())
    if count != 1:
        raise EditFails(f"{path}: found {count} times, not once: {old!r}")
    return entry.content.replace(old.encode(), new.encode())


def _cut(path: str, entry: EmbeddedFile, start: str, end: str) -> bytes:
    before, first, rest = entry.content.partition(start.encode())
    _, last, after = rest.partition(end.encode()) if end else (b"", b"end", b"")
    if not first or not last:
        raise EditFails(f"{path}: not found: {start!r} to {end!r}")
    return before + end.encode() + after


def _under(tree: Tree, path: str) -> Iterator[str]:
    names = [name for name in tree if name == path or name.startswith(path + "/")]
    if not names:
        raise EditFails(f"{path}: no such file or folder")
    yield from names

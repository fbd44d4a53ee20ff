"""git's objects as values: trees, commits and blobs, read through one running git.

Formats: git-cat-file(1), BATCH OUTPUT, and, for the objects' own, git's user manual ("The Object
Database").
"""

from __future__ import annotations

import functools
import re
from typing import IO, TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git.repository import Git, ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Mapping

TREE_MODE = "40000"
"""The mode of a folder in a tree object; git-diff-tree prints it as 040000."""

SUBMODULE_MODE = "160000"

_TREES_CACHED = 8192


class TreeEntry(NamedTuple):
    """What a tree holds under one name: the mode as git writes it in trees, and the object's id."""

    mode: str
    oid: str

    @property
    def is_tree(self) -> bool:
        """Whether this is a folder."""
        return self.mode == TREE_MODE

    @property
    def is_file(self) -> bool:
        """Whether this is a file, executable or not; a symbolic link is none."""
        return self.mode.startswith("100")

    @property
    def is_submodule(self) -> bool:
        """Whether this is a submodule: the object is a commit of another repository."""
        return self.mode == SUBMODULE_MODE


def decode_path(path: bytes) -> str:
    """Return git's bytes (a path, a message's line) as text; bytes that are no UTF-8 survive."""
    return path.decode("utf-8", "surrogateescape")


def encode_path(path: str) -> bytes:
    """Give back the bytes that `text` was given."""
    return path.encode("utf-8", "surrogateescape")


class ObjectReader:
    """One `git cat-file --batch` process: objects by id or by any name that git understands."""

    def __init__(self, git: Git, requests: IO[bytes], replies: IO[bytes]) -> None:
        self._git, self._requests, self._replies = git, requests, replies

    def read(self, name: str) -> tuple[str, bytes]:
        """Return an object's type (blob, tree, commit, tag) and its content.

        Raises:
            ObjectMissing: there is no such object.
        """
        found = self._ask(name)
        if found is None and self._git.server and OBJECT_ID.fullmatch(name):
            self._git.bring([name])
            found = self._ask(name)
        if found is None:
            raise ObjectMissing(name, self._git)
        return found

    def _ask(self, name: str) -> tuple[str, bytes] | None:
        self._requests.write(encode_path(name) + b"\n")
        self._requests.flush()
        head = self._replies.readline().split()
        if len(head) != 3 or not head[2].isdigit():
            return None
        content = self._replies.read(int(head[2]) + 1)
        return head[1].decode(), content[:-1]

    def blob(self, oid: str) -> bytes:
        """Return a blob's content."""
        return self._expect(oid, "blob")

    def commit(self, oid: str) -> Commit:
        """Read a commit."""
        return parse_commit(oid, self._expect(oid, "commit"))

    def tree(self, oid: str) -> Mapping[str, TreeEntry]:
        """Return a tree's own entries by name."""
        return self._trees(oid)

    @functools.cached_property
    def _trees(self) -> functools._lru_cache_wrapper[Mapping[str, TreeEntry]]:
        return functools.lru_cache(_TREES_CACHED)(
            lambda oid: parse_tree(self._expect(oid, "tree"), len(oid) // 2)
        )

    def _expect(self, oid: str, kind: str) -> bytes:
        found, content = self.read(oid)
        if found != kind:
            raise WorkFailed(f"the object {oid} is a {found}, not a {kind}")
        return content


class Commit(NamedTuple):
    """A commit's own fields, as they stand in it.

    `author` and `committer` are the raw header values (`Name <mail> seconds zone`).
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: str
    committer: str
    message: bytes

    @property
    def subject(self) -> str:
        """Return the message's first paragraph on one line, as git-log(1) shows it."""
        paragraph = self.message.strip(b"\n").split(b"\n\n", 1)[0]
        return " ".join(decode_path(paragraph).split("\n"))


def parse_commit(oid: str, content: bytes) -> Commit:
    """Read a commit object's content."""
    head, _, message = content.partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.split(b"\n"):
        if not line.startswith(b" "):  # a continued header (gpgsig) says nothing here
            name, _, value = decode_path(line).partition(" ")
            fields.setdefault(name, []).append(value)
    return Commit(
        oid,
        fields["tree"][0],
        tuple(fields.get("parent", ())),
        fields["author"][0],
        fields["committer"][0],
        message,
    )


@functools.cache
def _tree_rows(width: int) -> re.Pattern[bytes]:
    return re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % width, re.DOTALL)


def parse_tree(content: bytes, width: int) -> dict[str, TreeEntry]:
    """Read a tree object's content; `width` is an object id's size in bytes."""
    rows = _tree_rows(width).findall(content)
    return {
        name.decode("utf-8", "surrogateescape"): TreeEntry(mode.decode(), oid.hex())
        for mode, name, oid in rows
    }


def emit_tree(entries: Mapping[str, TreeEntry]) -> bytes:
    """Write a tree object's content: entries in git's order, in which a folder's name ends in /."""
    rows = []
    for text_name, (mode, oid) in entries.items():
        name = text_name.encode("utf-8", "surrogateescape")
        place = name + b"/" if mode == TREE_MODE else name
        rows.append((place, b"%s %s\0%s" % (mode.encode(), name, bytes.fromhex(oid))))
    rows.sort()
    return b"".join([row for _, row in rows])


OBJECT_ID = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
"""What a full object id looks like (SHA-1 or SHA-256)."""

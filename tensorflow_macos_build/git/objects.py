"""git's objects as values: trees, commits and blobs, read through one running git.

Formats: git-cat-file(1), BATCH OUTPUT, and, for the objects' own, git's user manual ("The Object
Database").
"""

from __future__ import annotations

import contextlib
import functools
import re
import stat
from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import environment, object_ids
from tensorflow_macos_build.git.recent import Recent
from tensorflow_macos_build.git.repository import ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tensorflow_macos_build.children import Child
    from tensorflow_macos_build.git.repository import Git

TREE_MODE = "40000"
"""The mode of a folder in a tree object; git-diff-tree prints it as 040000."""

SUBMODULE_MODE = "160000"

_ENTRIES_KEPT = 100_000
"""Entries of the trees that a reader keeps, some 330 bytes each. TensorFlow has 35,000 (2.22)."""

_BLOBS_KEPT = 16 << 20
"""Bytes of blobs that a reader keeps: later patches often touch the same files again."""

_AT_ONCE = 100
"""Objects asked for at once: their ids have to fit into a pipe, 16 KiB of it on macOS."""

_COMMITS_KEPT = 2000
"""Commits that a reader keeps: each patch of a queue is also the parent of the next one."""


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
    """Return the bytes that `decode_path` made text of."""
    return path.encode("utf-8", "surrogateescape")


class ObjectReader:
    """Reads objects through one running git, and remembers trees and the latest blobs.

    Args:
        git: the repository that is asked.
        child: `git cat-file --batch`, or `git fast-import`, which answers `cat-blob` in the same
            form and also knows the blobs that it was just given.
        verb: what comes before an object's id to ask for it.
        unwritten: kind and content of objects, by id, that are nowhere yet.
    """

    def __init__(
        self,
        git: Git,
        child: Child,
        verb: str = "",
        unwritten: Mapping[str, tuple[str, bytes]] | None = None,
    ) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        self._git, self._verb = git, verb
        self._unwritten = {} if unwritten is None else unwritten
        self._requests, self._replies = child.stdin, child.stdout
        self._trees: Recent[str, Mapping[str, TreeEntry]] = Recent(_ENTRIES_KEPT)
        self._blobs: Recent[str, bytes] = Recent(_BLOBS_KEPT)
        self._commits: Recent[str, Commit] = Recent(_COMMITS_KEPT)

    def read(self, name: str) -> tuple[str, bytes]:
        """Return the type (blob, tree, commit, tag) and content of an object, by any name of it.

        Raises:
            ObjectMissing: there is no such object.
        """
        answer = self._unwritten.get(name) or self._ask(name)
        if answer is None and self._git.server and object_ids.is_full(name):
            self._git.bring([name])
            answer = self._ask(name)
        if answer is None:
            raise ObjectMissing(name, self._git)
        return answer

    def blob(self, oid: str) -> bytes:
        """Return a blob's content."""
        content = self._blobs.get(oid)
        if content is None:
            content = self._expect(oid, "blob")
            self.remember(oid, content)
        return content

    def blobs(self, oids: Sequence[str]) -> list[bytes]:
        """Return the contents of blobs, which git is asked for at once.

        It makes the next one ready while the one before is read.
        """
        for oid, content in self._ask_ahead(
            [o for o in oids if self._blobs.get(o) is None], "blob"
        ):
            self.remember(oid, content)
        return [self.blob(oid) for oid in oids]

    def trees(self, oids: Sequence[str]) -> list[Mapping[str, TreeEntry]]:
        """Return the entries of trees, which git is asked for at once."""
        for oid, content in self._ask_ahead(
            [o for o in oids if self._trees.get(o) is None], "tree"
        ):
            self.remember_tree(oid, parse_tree(content, len(oid) // 2))
        return [self.tree(oid) for oid in oids]

    def _ask_ahead(self, oids: Iterable[str], kind: str) -> Iterator[tuple[str, bytes]]:
        """Yield the contents of objects; of those that are of another kind, or missing, none."""
        fresh = [*dict.fromkeys(oid for oid in oids if oid not in self._unwritten)]
        for start in range(0, len(fresh), _AT_ONCE):
            part = fresh[start : start + _AT_ONCE]
            self._send(part)
            for oid, answer in [(oid, self._receive()) for oid in part]:
                if answer is not None and answer[0] == kind:
                    yield oid, answer[1]

    def remember(self, oid: str, content: bytes) -> None:
        """Keep a blob's content for a later `blob`, and forget the oldest ones."""
        self._blobs.put(oid, content, len(content))

    def commit(self, oid: str) -> Commit:
        """Return a commit's own fields."""
        commit = self._commits.get(oid)
        if commit is None:
            commit = parse_commit(oid, self._expect(oid, "commit"))
            self._commits.put(oid, commit, 1)
        return commit

    def tree(self, oid: str) -> Mapping[str, TreeEntry]:
        """Return a tree's own entries by name."""
        tree = self._trees.get(oid)
        if tree is None:
            tree = parse_tree(self._expect(oid, "tree"), len(oid) // 2)
            self.remember_tree(oid, tree)
        return tree

    def remember_tree(self, oid: str, entries: Mapping[str, TreeEntry]) -> None:
        """Keep a tree's entries, which nobody changes any more, for a later `tree`."""
        self._trees.put(oid, entries, len(entries))

    def _expect(self, oid: str, kind: str) -> bytes:
        actual, content = self.read(oid)
        if actual != kind:
            raise WorkFailed(f"the object {oid} is a {actual}, not a {kind}")
        return content

    def _ask(self, name: str) -> tuple[str, bytes] | None:
        self._send([name])
        return self._receive()

    def _send(self, names: Iterable[str]) -> None:
        self._requests.write(encode_path("".join(f"{self._verb}{name}\n" for name in names)))
        self._requests.flush()

    def _receive(self) -> tuple[str, bytes] | None:
        # `<id> <type> <size>`; else `<name> missing`, where the name itself may hold blanks
        head = self._replies.readline().split()
        if len(head) != 3 or not head[2].isdigit():
            return None
        content = self._replies.read(int(head[2]) + 1)  # a line feed follows the content
        return head[1].decode(), content[:-1]


@contextlib.contextmanager
def reading(
    git: Git, unwritten: Mapping[str, tuple[str, bytes]] | None = None
) -> Iterator[ObjectReader]:
    """Yield a reader of a repository's objects, and of `unwritten` ones, for the body's time."""
    env = {**git.environment(), **environment.KEEPING_MEMORY}
    with process.start(git.argv("cat-file", "--batch"), env=env) as child:
        yield ObjectReader(git, child, unwritten=unwritten)


class Commit(NamedTuple):
    """A commit's own fields, as they stand in it.

    Attributes:
        oid: its id.
        tree: the id of its tree.
        parents: the ids of its parents, the first one first.
        author: who made the change, raw: `Name <mail> seconds zone`; "" in a damaged commit.
        encoding: the name of the charset of this and of the message; "" for UTF-8.
        message: its message.
    """

    oid: str
    tree: str
    parents: tuple[str, ...]
    author: str
    encoding: str
    message: bytes

    @property
    def subject(self) -> str:
        """Return the message's first paragraph on one line, as git-log(1) shows it."""
        paragraph = self.message.strip(b"\n").split(b"\n\n", 1)[0]
        return " ".join(decode_path(paragraph).split("\n"))


def parse_commit(oid: str, content: bytes) -> Commit:
    """Read a commit object's content.

    Raises:
        WorkFailed: it names no tree.
    """
    head, _, message = content.partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.split(b"\n"):
        # gpgsig and mergetag go on in lines that begin with a blank, and may look like fields there
        if not line.startswith(b" "):
            name, _, value = decode_path(line).partition(" ")
            fields.setdefault(name, []).append(value)
    if "tree" not in fields:
        raise WorkFailed(f"the commit {oid} is damaged: it names no tree")
    # A field that git writes once counts where it stands first (find_commit_header in commit.c).
    author, encoding = (fields.get(name, [""])[0] for name in ("author", "encoding"))
    parents = tuple(fields.get("parent", ()))
    return Commit(oid, fields["tree"][0], parents, author, encoding, message)


@functools.cache
def _tree_rows(width: int) -> re.Pattern[bytes]:
    return re.compile(rb"([0-7]+) ([^\0]+)\0(.{%d})" % width, re.DOTALL)


@functools.cache
def _canonical_mode(mode: bytes) -> str:
    """Return a mode as git reads it: old trees hold 100664 or 040000 (canon_mode in cache.h)."""
    number = int(mode, 8)
    match stat.S_IFMT(number):
        case stat.S_IFREG:
            return "100755" if number & stat.S_IXUSR else "100644"
        case stat.S_IFLNK:
            return "120000"
        case stat.S_IFDIR:
            return TREE_MODE
        case _:
            return SUBMODULE_MODE


def parse_tree(content: bytes, width: int) -> dict[str, TreeEntry]:
    """Return the entries in a tree object's content; `width` is an object id's size in bytes."""
    # One pass of a pattern over the whole content: a name may hold any byte but NUL and `/`, and an
    # id any byte at all, so neither line ends nor blanks part the rows.
    rows = _tree_rows(width).findall(content)
    return {
        decode_path(name): TreeEntry(_canonical_mode(mode), oid.hex()) for mode, name, oid in rows
    }


def emit_tree(entries: Mapping[str, TreeEntry]) -> bytes:
    """Return a tree object's content."""
    rows = []
    for name, (mode, oid) in entries.items():
        raw = encode_path(name)
        # git sorts a folder as if its name ended in a slash (base_name_compare in read-cache.c)
        key = raw + b"/" if mode == TREE_MODE else raw
        rows.append((key, b"%s %s\0%s" % (mode.encode(), raw, bytes.fromhex(oid))))
    rows.sort()
    return b"".join([row for _, row in rows])

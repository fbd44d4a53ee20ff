"""The few questions that the queue asks git, in bulk: one process for all patches, not one each."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tensorflow_macos_build import process
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git.objects import SUBMODULE_MODE
from tensorflow_macos_build.git.repository import ObjectMissing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.repository import Git

DIFF_FLAGS = (
    "--full-index",
    "--binary",
    "-l0",
    "--inter-hunk-context=0",
    "--diff-algorithm=myers",
    "--indent-heuristic",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--no-ext-diff",
    "--no-textconv",
    "--no-color",
    "--no-relative",
    "--submodule=short",
    "-O/dev/null",
)
"""Everything about `git diff-tree -p` that a configuration could change (git-diff-tree(1))."""

_SUBMODULE = int(SUBMODULE_MODE, 8)

Pair = tuple[str, str]
"""The ids of a tree before and after a patch."""

_CACHE = 64 << 20
"""Bytes of blobs that a reader keeps, because later patches often touch the same files again."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree: its git mode and object id."""

    mode: int
    oid: str

    @property
    def is_submodule(self) -> bool:
        """Whether it is another repository's commit, which has no content here."""
        return self.mode == _SUBMODULE


def tree(git: Git, treeish: str) -> dict[bytes, Entry]:
    """Return every file of a tree by its path."""
    found: dict[bytes, Entry] = {}
    for line in git.out("ls-tree", "-r", "-z", "--full-tree", treeish).split(b"\0"):
        if line:
            info, _, path = line.partition(b"\t")
            mode, _, oid = info.split(b" ")
            found[path] = Entry(int(mode, 8), oid.decode())
    return found


def raw_changes(git: Git, pairs: Sequence[Pair]) -> list[dict[bytes, Entry | None]]:
    """Return for each pair of trees the paths that differ, with what they are after; None: gone."""
    stdin = "".join(f"{old} {new}\n" for old, new in pairs).encode()
    out = git.out("diff-tree", "--stdin", "-r", "-z", "--raw", "--no-abbrev", stdin=stdin)
    found: list[dict[bytes, Entry | None]] = []
    position = 0
    while position < len(out):
        if out[position] != ord(":"):
            position = out.index(b"\n", position) + 1
            found.append({})
            continue
        end = out.index(b"\0", position)
        path_end = out.index(b"\0", end + 1)
        _, mode, _, oid, _ = out[position:end].split(b" ")
        after = Entry(int(mode, 8), oid.decode()) if int(mode, 8) else None
        found[-1][out[end + 1 : path_end]] = after
        position = path_end + 1
    return found


def blob_ids(
    git: Git, compared: Sequence[tuple[str, ...]], paths: Iterable[bytes] = ()
) -> tuple[set[str], set[str]]:
    """Return the ids of all file contents that differ: before, and after.

    Args:
        git: the repository.
        compared: pairs of trees, or commits alone, which are compared with their first parents.
        paths: only these count, where some are given.
    """
    stdin = "".join(f"{' '.join(ids)}\n" for ids in compared).encode()
    flags = ("--stdin", "--root", "-r", "--raw", "--no-renames", "--no-abbrev")
    only = [os.fsdecode(path) for path in paths]
    out = git.out("--literal-pathspecs", "diff-tree", *flags, "--", *only, stdin=stdin)
    before: set[str] = set()
    after: set[str] = set()
    for line in out.splitlines():
        if line.startswith(b":"):
            old_mode, new_mode, old, new, _ = line[1:].split(b"\t")[0].split(b" ")
            for mode, oid, side in ((old_mode, old, before), (new_mode, new, after)):
                if int(mode, 8) not in (0, _SUBMODULE):
                    side.add(oid.decode())
    return before, after


def bring_changed(git: Git, compared: Sequence[tuple[str, ...]]) -> None:
    """Make present what `blob_ids` names, where only a server has it.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if git.server:
        git.bring(set.union(*blob_ids(git, compared)))


def diff_texts(
    git: Git, pairs: Sequence[Pair], *, context: int, renames: bool = True
) -> list[bytes]:
    """Return for each pair of trees its patch text, the same bytes on every machine.

    `git` must ask a quarantine: other repositories have attributes of their own.
    """
    bring_changed(git, pairs)
    headers = [f"{old} {new}\n".encode() for old, new in pairs]
    moves = "--find-renames=50%" if renames else "--no-renames"
    flags = ("--stdin", "-r", "-p", f"--unified={context}", moves, *DIFF_FLAGS)
    out = git.out("diff-tree", *flags, stdin=b"".join(headers))
    texts: list[bytes] = []
    position = 0
    for number, header in enumerate(headers):
        start = position + len(header)
        # no line within a diff is two ids and a blank: its lines begin with a mark or a keyword
        following = headers[number + 1] if number + 1 < len(headers) else None
        position = len(out) if following is None else _find_line(out, following, start)
        texts.append(out[start:position])
    return texts


def trees_of(git: Git, commits: Iterable[str]) -> list[str]:
    """Return the tree id of each commit.

    Raises:
        WorkFailed: one of them is no commit in this repository.
    """
    named = list(commits)
    stdin = "".join(f"{commit}^{{tree}}\n" for commit in named).encode()
    lines = git.out("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=stdin)
    trees = [line.split(b" ") for line in lines.splitlines()]
    for commit, found in zip(named, trees, strict=True):
        if found[-1] != b"tree":
            raise WorkFailed(
                f"the commit {commit} is not in the repository", where=str(git.git_dir)
            )
    return [found[0].decode() for found in trees]


@dataclass(slots=True)
class Blobs:
    """Reads blobs through one running git, and remembers the latest of them.

    Attributes:
        git: the repository that it is asked of.
        child: `git cat-file --batch`, or `git fast-import`, which answers in the same form and also
            knows the blobs that it was just given.
        verb: what comes before an object id to ask for it.
    """

    git: Git
    child: process.Child
    verb: str = ""
    cache: dict[str, bytes] = field(default_factory=dict)
    size: int = 0

    def read(self, oid: str) -> bytes:
        """Return a blob's content.

        Raises:
            ObjectMissing: the repository has no such blob.
        """
        known = self.cache.pop(oid, None)
        if known is not None:
            self.cache[oid] = known
            return known
        content = self._asked(oid)
        self.remember(oid, content)
        return content

    def remember(self, oid: str, content: bytes) -> None:
        """Keep a blob's content for a later `read`, and forget the oldest ones."""
        if oid in self.cache:
            return
        self.cache[oid] = content
        self.size += len(content)
        while self.size > _CACHE and len(self.cache) > 1:
            oldest = next(iter(self.cache))
            self.size -= len(self.cache.pop(oldest))

    def _asked(self, oid: str) -> bytes:
        content = self._ask(oid)
        if content is None and self.git.server:
            self.git.bring([oid])
            content = self._ask(oid)
        if content is None:
            raise ObjectMissing(oid, self.git)
        return content

    def _ask(self, oid: str) -> bytes | None:
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        self.child.stdin.write(f"{self.verb}{oid}\n".encode())
        self.child.stdin.flush()
        head = self.child.stdout.readline().split()
        if len(head) != 3:
            return None
        return self.child.stdout.read(int(head[2]) + 1)[:-1]


@contextlib.contextmanager
def blobs(git: Git) -> Iterator[Blobs]:
    """Yield a reader of blobs for the body's time."""
    argv = git.argv("cat-file", "--batch")
    with process.start(argv, env=git.environment()) as child:
        yield Blobs(git, child)


def _find_line(out: bytes, line: bytes, start: int) -> int:
    if out.startswith(line, start):
        return start
    found = out.find(b"\n" + line, start)
    if found < 0:
        raise WorkFailed("git diff-tree left out a pair of trees that it was asked for")
    return found + 1

"""Trees as git lists and compares them, in bulk: one process for all, not one each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git.objects import TreeEntry, decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tensorflow_macos_build.git.repository import Git

LONGEST = 500_000
"""Bytes of all paths on one command line, which share it with the environment: ARG_MAX is 1 MiB on
macOS, and 2 MiB on Linux, a quarter of the stack's limit (execve(2))."""

_ABSENT = "000000"
"""The mode that git-diff-tree(1) prints for the side that has no such path."""


class PathChange(NamedTuple):
    """What becomes of one path from one tree to another.

    Attributes:
        path: the path, after the change.
        old: what was there; None where nothing was.
        new: what is there now; None where nothing is.
        moved_from: the path of `old`, where renames are looked for and it is another one.
        likeness: how much like `old` a moved file is, in whole per cent.
    """

    path: str
    old: TreeEntry | None
    new: TreeEntry | None
    moved_from: str = ""
    likeness: int = 0


def folders_above(path: str) -> Iterator[str]:
    """Yield the folders above a path, the next one first."""
    while path := path.rpartition("/")[0]:
        yield path


def of_commits(git: Git, commits: Iterable[str]) -> list[str]:
    """Return the tree id of each commit.

    Raises:
        WorkFailed: one of them is no commit in this repository.
    """
    named = list(commits)
    stdin = "".join(f"{commit}^{{tree}}\n" for commit in named).encode()
    answers = git.out("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=stdin)
    trees = [answer.split(b" ") for answer in answers.splitlines()]
    for commit, (*_, kind) in zip(named, trees, strict=True):
        if kind != b"tree":
            raise WorkFailed(
                f"the commit {commit} is not in the repository", where=str(git.git_dir)
            )
    return [oid.decode() for oid, _ in trees]


def files(git: Git, treeish: str) -> dict[bytes, TreeEntry]:
    """Return all that a tree and the folders below it hold but these folders, by path."""
    listed: dict[bytes, TreeEntry] = {}
    for line in git.out("ls-tree", "-r", "-z", "--full-tree", treeish).split(b"\0"):
        if line:
            facts, _, path = line.partition(b"\t")
            mode, _, oid = facts.decode().split(" ")
            listed[path] = TreeEntry(mode, oid)
    return listed


def between(git: Git, pairs: Sequence[tuple[str, str]]) -> list[tuple[PathChange, ...]]:
    """Return what changes from tree to tree, for each pair of ids."""
    return [changes for _, changes in compare(git, pairs)]


def by_commit(git: Git, commits: Iterable[str]) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    """Return each commit's id and what it changes against its parent; nothing for a merge."""
    return compare(git, ((commit,) for commit in commits))


def moves(git: Git, commit: str) -> dict[str, str]:
    """Return the paths that a commit moves files to, by those that it moves them from."""
    # -M counts, though --no-renames is there: git takes the last, and `compare` puts these last.
    ((_, changes),) = compare(git, [(commit,)], "-M", "--diff-filter=R")
    return {change.moved_from: change.path for change in changes}


def copies(git: Git, old: str, new: str, per_cent: int) -> dict[str, int]:
    """Return how much like a file of `old` each is that only `new` has, in whole per cent.

    Those that are less like the most similar one are left out. `new` has all files of `old`, too:
    of one that goes, git would find one copy before all others, which is its new place.
    """
    flags = (f"--find-copies={per_cent}%", "--find-copies-harder", "-l0")
    ((_, changes),) = compare(git, [(old, new)], *flags)
    return {change.path: change.likeness for change in changes if change.moved_from}


def compare(
    git: Git, compared: Iterable[tuple[str, ...]], *flags: str, only: Sequence[str] = ()
) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    """Compare trees without their contents, and return each line of ids with what changes.

    No rename is looked for unless `flags` ask for it.

    Args:
        git: the repository.
        compared: two trees each; or a commit, which is compared with its parent (a commit without
            one with the empty tree); or a commit and the parent to compare it with.
        flags: more options of git-diff-tree(1).
        only: paths, literally; others do not count. With renames they have to fit into one of
            `batches`, for git looks for them among the paths that it is given.
    """
    stdin = "".join(f"{' '.join(ids)}\n" for ids in compared).encode()
    # Literal, for a path may hold `*` or begin with `:(` (gitglossary(7), pathspec). --always: a
    # commit in which nothing changes of what is asked has its line, too, which `moves` counts on.
    argv = (
        "--always", "--root", "-r", "--raw", "-z",
        "--no-renames", "--no-abbrev", *flags,
    )  # fmt: skip
    parts = [parse_raw(git.diff_tree(*argv, lines=stdin, paths=paths)) for paths in batches(only)]
    if len(parts) == 1:
        return parts[0]
    return (
        (rows[0][0], tuple(change for _, changes in rows for change in changes))
        for rows in zip(*parts, strict=True)
    )


def batches(paths: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield paths in parts that fit on a command line; of no paths one part, which is empty."""
    start = size = 0
    for at, path in enumerate(paths):
        size += len(encode_path(path)) + 1
        if size > LONGEST and at > start:
            yield paths[start:at]
            start, size = at, len(encode_path(path)) + 1
    yield paths[start:]


def parse_raw(out: bytes) -> Iterator[tuple[str, tuple[PathChange, ...]]]:
    """Read `diff-tree --stdin --raw -z`: lines of ids, and the changes under each."""
    ids = b""
    changes: list[PathChange] = []
    tokens = iter(out.split(b"\0"))
    for token in tokens:
        facts = token
        # git ends a line that names a commit with NUL, as -z has it, but one that names two trees
        # with a line feed all the same (stdin_diff_trees in builtin/diff-tree.c).
        if not token.startswith(b":"):
            *headings, facts = token.split(b"\n")
            if not facts.startswith(b":"):
                headings.append(facts)  # of a commit; or b"", behind the last line's end
                facts = b""
            for heading in filter(None, headings):
                if ids:
                    yield ids.decode(), tuple(changes)
                ids, changes = heading, []
        if facts:
            changes.append(_change(facts, tokens))
    if ids:
        yield ids.decode(), tuple(changes)


def _change(facts: bytes, paths: Iterator[bytes]) -> PathChange:
    """Read one change (git-diff-tree(1), RAW OUTPUT FORMAT); a move names two paths."""
    path = decode_path(next(paths))
    old, new = parse_facts(facts)
    status = facts[facts.rindex(b" ") + 1 :]
    if status[:1] not in b"RC":
        return PathChange(path, old, new)
    return PathChange(decode_path(next(paths)), old, new, path, int(status[1:]))


def parse_facts(facts: bytes) -> tuple[TreeEntry | None, ...]:
    """Return what is at a path on each side of a raw change: two of them, of a merge more.

    A merge's line begins with a colon for each parent (git-diff-tree(1), DIFF FORMAT FOR MERGES).
    """
    sides = facts.count(b":") + 1
    words = facts.decode().lstrip(":").split(" ")
    modes, ids = words[:sides], words[sides : 2 * sides]
    return tuple(
        None if mode == _ABSENT else TreeEntry(mode, oid)
        for mode, oid in zip(modes, ids, strict=True)
    )


def blob_ids(
    git: Git, compared: Iterable[tuple[str, ...]], only: Sequence[str] = ()
) -> tuple[set[str], set[str]]:
    """Return the ids of all file contents that differ, before and after; as `compare` asks."""
    before: set[str] = set()
    after: set[str] = set()
    for _, changes in compare(git, compared, only=only):
        for change in changes:
            for entry, ids in ((change.old, before), (change.new, after)):
                if entry is not None and not entry.is_submodule:
                    ids.add(entry.oid)
    return before, after


def bring_changed(git: Git, compared: Iterable[tuple[str, ...]], only: Sequence[str] = ()) -> None:
    """Make present what `blob_ids` names, where only a server has it.

    Raises:
        transfer.Unreachable: the server could not be asked.
    """
    if git.server:
        git.bring(set.union(*blob_ids(git, compared, only)))

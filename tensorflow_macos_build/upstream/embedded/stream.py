"""A history as a stream for `git fast-import` (git-fast-import(1), INPUT FORMAT).

The stream holds all that commit ids are made of: trees, messages, people, dates with their offsets.
So the ids are the same on every machine, whatever its git is configured to.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from tensorflow_macos_build.upstream.embedded import edits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAIN = "refs/heads/main"


def of(history: Sequence[edits.EmbeddedCommit | edits.EmbeddedRelease]) -> Iterator[bytes]:
    """Return the stream of a history, in pieces.

    Raises:
        edits.EditFails: an edit does not fit the tree that it meets.
    """
    main: edits.Tree = {}
    for item in history:
        match item:
            case edits.EmbeddedCommit():
                changed = edits.apply(item.edits, main)
                yield from commit_of(MAIN, item, main, changed)
                main = changed
            case edits.EmbeddedRelease():
                yield from _release(item, main)


def _release(release: edits.EmbeddedRelease, tree: edits.Tree) -> Iterator[bytes]:
    branch = f"refs/heads/{release.branch}"
    # else fast-import would begin the branch without a parent
    yield f"reset {branch}\nfrom {MAIN}\n\n".encode()
    for commit in release.commits:
        changed = edits.apply(commit.edits, tree)
        yield from commit_of(branch, commit, tree, changed)
        tree = changed
    last = release.commits[-1]
    yield f"tag {release.tag}\nfrom {branch}\ntagger {_signature(last)}\n".encode()
    yield _data(f"TensorFlow {release.tag.removeprefix('v')}\n".encode())


def commit_of(
    branch: str, commit: edits.EmbeddedCommit, before: edits.Tree, after: edits.Tree
) -> Iterator[bytes]:
    """Return the part of a stream that puts one commit on a branch.

    Args:
        branch: the full name of the branch; the commit follows its newest one.
        commit: who, when and why.
        before: the tree of the branch's newest commit.
        after: the tree of this one.
    """
    who = _signature(commit)
    yield f"commit {branch}\nauthor {who}\ncommitter {who}\n".encode()
    yield _data(commit.message.encode())
    for path in sorted(before.keys() - after.keys()):
        yield b"D " + _quoted(path) + b"\n"
    for path in sorted(after):
        if before.get(path) != after[path]:
            yield f"M {after[path].mode.value} inline ".encode() + _quoted(path) + b"\n"
            yield _data(after[path].content)


def _signature(commit: edits.EmbeddedCommit) -> str:
    when = datetime.fromisoformat(commit.date)
    seconds = int(when.timestamp())  # git's raw form: seconds since 1970, and the offset apart
    return f"{commit.author.name} <{commit.author.email}> {seconds} {when.strftime('%z')}"


def _data(content: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(content), content)


def _quoted(path: str) -> bytes:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'.encode()

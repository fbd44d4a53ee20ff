"""Commits as patches: reading a range of a repository's history."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError, WorkFailed
from tensorflow_macos_build.git import objects, revisions, trees
from tensorflow_macos_build.git.objects import encode_path
from tensorflow_macos_build.git.repository import Git, discover
from tensorflow_macos_build.patchqueue.formats import text_encoding, write
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.patch import Header
from tensorflow_macos_build.patchqueue.formats.people import (
    MAX_SECONDS,
    NO_ADDRESS,
    Identity,
    Moment,
    one_line,
)
from tensorflow_macos_build.patchqueue.formats.refused import Malformed
from tensorflow_macos_build.patchqueue.queue.compose import PatchStep

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.objects import Commit

_PERSON = re.compile(rb"(.*?)\s*<([^<>\n]*)>\s*(-?[0-9]+)\s+([+-]?[0-9]+)", re.DOTALL)
_DIGITS = 30
"""Longer numbers are no times; Python refuses to read ones of 4,300 digits."""


@dataclass(frozen=True)
class CommitRange:
    """A range of commits as patches.

    Attributes:
        base: the full id of the commit that the first patch applies to.
        steps: the patches, oldest first.
        empty: commits that change nothing, and so become no patch: id and subject.
        merges: merge commits; each has become one patch, of all that it brought in.
    """

    base: str
    steps: tuple[PatchStep, ...]
    empty: tuple[tuple[str, str], ...]
    merges: tuple[tuple[str, str], ...]


def repository(folder: Path) -> Git:
    """Return the repository of a folder: a bare one, or the one that a work tree belongs to.

    Raises:
        UsageError: the folder is no repository.
    """
    git = discover(folder)
    if git is None:
        raise UsageError("it is no git repository", where=str(folder))
    return git


def resolve(git: Git, name: str) -> str:
    """Return the full id of the commit that a name stands for.

    Raises:
        UsageError: the repository has no such commit.
    """
    commit = revisions.find_commit(git, name)
    if commit is None:
        raise UsageError(
            f"`{name}` names no commit of this repository",
            where=str(git.git_dir),
            hint="`git for-each-ref` lists its branches and tags",
        )
    return commit


def read(git: Git, first: str, last: str) -> CommitRange:
    """Read the commits that `last` has on top of `first`, along first parents.

    Raises:
        UsageError: a name is unknown, or `last` does not stand on `first` in a line.
        WorkFailed: a commit is damaged.
    """
    base, tip = resolve(git, first), resolve(git, last)
    # first parents alone: a merge is one step, of all that it brought in
    listed = git.out("rev-list", "--first-parent", "--reverse", "--parents", f"{base}..{tip}")
    lines = [line.split() for line in listed.decode().splitlines()]
    # `A..B` is also what B has where the two parted long ago; patches of that stand on no A
    if lines and lines[0][1:2] != [base]:
        raise UsageError(
            f"`{last}` does not stand on `{first}`",
            where=f"commit {lines[0][0]}",
            hint=f"take the commit where they part: `git merge-base {first} {last}`; a fork that "
            "merged upstream since comes in by `patches.import --first-parent` or `--by-topic`",
        )
    commits = [line[0] for line in lines]
    tree_ids = trees.of_commits(git, [base, *commits])
    headers = _headers(git, commits)
    steps, empty, merges = [], [], []
    for number, (line, header) in enumerate(zip(lines, headers, strict=True)):
        named = (line[0], header.subject)
        if tree_ids[number] == tree_ids[number + 1]:
            empty.append(named)
            continue
        if len(line) > 2:  # more than one parent
            merges.append(named)
        steps.append(PatchStep(header, tree_ids[number], tree_ids[number + 1]))
    return CommitRange(base, tuple(steps), tuple(empty), tuple(merges))


def header_of(commit: Commit) -> Header:
    """Return a commit's own fields as a patch's header.

    Raises:
        WorkFailed: the object is damaged.
    """
    person = _PERSON.fullmatch(encode_path(commit.author))
    if person is None:
        raise WorkFailed(f"the commit {commit.oid} names no author that can be read")
    charset = commit.encoding.encode("ascii", "replace").decode()
    subject, body = clean_message(_text(commit.message, charset))
    author = _author(_text(person[1], charset), _text(person[2], charset))
    moment = Moment(_seconds(person[3]), _zone(person[4]))
    # git makes commits without a message (--allow-empty-message); a patch is named by its subject
    return Header(author, moment, subject or f"commit {commit.oid}", write.shielded(body))


def _headers(git: Git, commits: list[str]) -> list[Header]:
    with objects.reading(git) as reader:
        return [header_of(reader.commit(commit)) for commit in commits]


def _text(content: bytes, charset: str) -> str:
    """Decode a part of a commit; git too shows the bytes where the stated encoding is not known."""
    try:
        return text_encoding.to_text(text_encoding.to_utf8(content, charset))
    except Malformed:
        return text_encoding.to_text(content)


def _author(name: str, email: str) -> Identity:
    """Return an author without what no `From` field, and no commit of git's own, can hold."""
    # git cleans these away when it makes a commit (ident.c); other tools do not
    email = re.sub(r"[<>\s\0]", "", email) or NO_ADDRESS
    return Identity(one_line(re.sub(r"[<>\0]", "", name)) or email, email)


def _seconds(text: bytes) -> int:
    """Read a commit's time; what git cannot keep is 1970 for it, too (ident.c, date.c)."""
    seconds = int(text) if len(text) < _DIGITS else -1
    return seconds if 0 <= seconds <= MAX_SECONDS else 0


def _zone(text: bytes) -> str:
    """Write a zone as mail has it; what no clock shows becomes UTC."""
    number = int(text) if len(text) < _DIGITS else 9999
    hours, minutes = divmod(abs(number), 100)
    if hours > 23 or minutes > 59:
        return "+0000"
    return f"{'-' if number < 0 else '+'}{hours:02}{minutes:02}"

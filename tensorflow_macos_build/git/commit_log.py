"""The commits of a range, read by one walk: who made them, what they say, which paths they change.

To walk a range costs git more than to print it (of TensorFlow's 15,000 commits between 2.4.3 and
2.6.0 the walk takes half of the time), so all that is asked of a range is asked at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.objects import decode_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.repository import Git

_FORMAT = "--format=%x00%H%x00%P%x00%an <%ae>%x00%aI%x00%s%x00%B"
"""git-log(1), PRETTY FORMATS. No field can hold a NUL, which parts them."""

_WALK = (
    # A walk meets most trees once: git's own limit of 96 MB makes it no faster (git-config(1)).
    "-c", "core.deltaBaseCacheLimit=16m", "log",
    # By date alone, a parent may come before its child where a clock was wrong (git-log(1)).
    "--topo-order", "--root", "--raw", "-r", "-z", "--no-abbrev", "--no-renames", "--no-color",
    # Of a merge what differs from all its parents: nothing, where it takes each file from one of
    # them. Against a single parent it would be all that happened on the other side.
    "--diff-merges=combined",
)  # fmt: skip


class LoggedCommit(NamedTuple):
    """A commit as the log shows it.

    Attributes:
        oid: its id.
        parents: the ids of its parents.
        author: who wrote it: `Name <mail>`.
        date: the author's date, in ISO 8601 with the author's zone.
        subject: its subject on one line.
        message: all of its message.
        paths: the paths that it changes; of a merge those that differ from all its parents.
    """

    oid: str
    parents: tuple[str, ...]
    author: str
    date: str
    subject: str
    message: bytes
    paths: Sequence[str]

    @property
    def is_merge(self) -> bool:
        """Whether it has more than one parent."""
        return len(self.parents) > 1


class PathTouch(NamedTuple):
    """A commit that touches a path, and how git prints it (git-diff-tree(1), RAW OUTPUT FORMAT).

    Kept as it came: a range has a hundred thousand of them, and few are looked into.
    """

    commit: str
    facts: bytes

    @property
    def removes(self) -> bool:
        """Whether the commit takes the path away."""
        return self.facts.endswith(b"D")

    @property
    def entries(self) -> tuple[TreeEntry | None, ...]:
        """What is at the path in each parent, then in the commit; None where nothing is."""
        return trees.parse_facts(self.facts)


class CommitLog(NamedTuple):
    """The commits of a range, children before parents, and by path those that touch it.

    Attributes:
        commits: by id.
        touches: of each path the commits that touch it, newest first; merges among them.
    """

    commits: dict[str, LoggedCommit]
    touches: dict[str, list[PathTouch]]


def of(git: Git, commits: Sequence[str]) -> Mapping[str, LoggedCommit]:
    """Return commits by their ids, without what they change."""
    out = git.out("log", "--no-walk", "-z", "--no-color", _FORMAT, *commits, "--")
    tokens = iter(out.split(b"\0"))
    return {oid.decode(): _commit(oid.decode(), tokens, []) for oid in tokens if oid}


def read(git: Git, *revisions: str) -> CommitLog:
    """Return the commits that revisions name, as git-rev-list(1) takes them.

    `git` must ask a quarantine: other repositories have a configuration (log.*) of their own.
    """
    tokens = iter(git.out(*_WALK, _FORMAT, *revisions, "--").split(b"\0"))
    names: dict[bytes, str] = {}
    commits: dict[str, LoggedCommit] = {}
    touches: dict[str, list[PathTouch]] = {}
    oid, paths = "", list[str]()
    for token in tokens:
        if b":" in token[:2]:  # the first change of a commit begins on a new line
            raw_path = next(tokens)
            path = names.setdefault(raw_path, decode_path(raw_path))
            touches.setdefault(path, []).append(PathTouch(oid, token.lstrip(b"\n")))
            paths.append(path)
        elif token:  # git parts commits by one NUL or two
            oid, paths = token.decode(), []
            commits[oid] = _commit(oid, tokens, paths)
    return CommitLog(commits, touches)


def _commit(oid: str, tokens: Iterator[bytes], paths: list[str]) -> LoggedCommit:
    parents, author, date, subject = (decode_path(next(tokens)) for _ in range(4))
    return LoggedCommit(oid, tuple(parents.split()), author, date, subject, next(tokens), paths)

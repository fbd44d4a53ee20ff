"""A pick as a change: what it does to its own base, who made it, and what its message says.

Whatever a pick is made of, it is one change. A commit's is that against its first parent, as `git
cherry-pick -m 1` takes it; a pull's is all that lies between its base and its head, as a squash
makes it of commits and merges alike (docs/adr/0009-picks-by-reference.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import trees
from tensorflow_macos_build.git.objects import encode_path
from tensorflow_macos_build.patchqueue.formats.message import clean_message
from tensorflow_macos_build.patchqueue.formats.trailers import Trailer
from tensorflow_macos_build.patchqueue.queue import commit_range, partial, squashed

if TYPE_CHECKING:
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.formats.patch import Header
    from tensorflow_macos_build.patchqueue.queue.picks import Pick


@dataclass(frozen=True, slots=True)
class PickedChange:
    """What a pick does.

    Attributes:
        pick: the pick.
        header: its author, date and message, with trailers of what the queue says of it.
        before: the id of the tree that it was made for.
        after: the id of the tree that it makes of that one, of the paths that are taken.
        commit: a commit of that change: its tree is `after`, its parent's `before`.
    """

    pick: Pick
    header: Header
    before: str
    after: str
    commit: str

    @property
    def name(self) -> str:
        """The pick's name."""
        return self.pick.name


def read(quarantine: Quarantine, pick: Pick, upstream: str) -> PickedChange:
    """Read a pick's change.

    Args:
        quarantine: sees the pick's commits; it gets the change as a commit.
        pick: one that is pinned.
        upstream: the address of the queue's upstream, for a link to a pull.

    Raises:
        UsageError: none of its files fit its `paths`, or it changes nothing.
        WorkFailed: one of its ids is no commit.
    """
    # a tag or a tree, whose id is one too, would pass for a commit further down
    parents = quarantine.objects.commit(pick.commit).parents
    parent = quarantine.objects.commit(pick.base).oid if pick.pull else "".join(parents[:1])
    if not parent:
        raise UsageError("it is a root commit: there is nothing that it changes", where=pick.name)
    before, whole = trees.of_commits(quarantine.git, [parent, pick.commit])
    after = whole
    if pick.paths:
        (changes,) = trees.between(quarantine.git, [(before, whole)])
        after = partial.tree(quarantine, before, (c for c in changes if pick.takes(c.path)))
    if before == after:
        what = "none of its files fit its `paths`" if before != whole else "it changes nothing"
        hint = "change its `paths`, or leave it out" if pick.paths else "leave it out"
        raise UsageError(what, where=pick.name, hint=hint)
    header = _header(quarantine, pick, upstream)
    commit = commit_of(quarantine, header, after, parent)
    return PickedChange(pick, header, before, after, commit)


def commit_of(quarantine: Quarantine, header: Header, tree: str, parent: str) -> str:
    """Make a commit by a header; author and committer are both the author, at its date."""
    author, date = header.author, header.date
    person = f"{author.name} <{author.email}> {date.seconds} {date.zone}"
    return quarantine.write_commit(
        tree, [parent], author=person, committer=person, message=encode_path(header.message)
    )


def _header(quarantine: Quarantine, pick: Pick, upstream: str) -> Header:
    commits = _commits(quarantine, pick) if pick.pull else [pick.commit]
    header = commit_range.header_of(quarantine.objects.commit(commits[0]))
    if len(commits) > 1:
        header = replace(header, body=squashed.body(quarantine.objects, commits, header.author))
    if not pick.pull:
        # the line that `git cherry-pick -x` writes, and that tells a rebase what has landed
        header = _with_line(header, f"(cherry picked from commit {pick.commit})")
    wanted = {
        "Reason": pick.reason,
        "Drop-When": pick.drop_when,
        "Owner": pick.owner,
        "Upstream": _link(pick, upstream) if pick.pull else "",
        # of a part of a request its head proves too much: it has not landed with the whole
        "Part-Of-Pull" if pick.paths else "Pull-Head": pick.commit if pick.pull else "",
    }
    return header.with_missing(Trailer(key, value) for key, value in wanted.items() if value)


def _commits(quarantine: Quarantine, pick: Pick) -> list[str]:
    """Return a pull's own commits, the oldest first; its head where it has merges alone."""
    span = f"{pick.base}..{pick.commit}"
    listed = quarantine.git.line("rev-list", "--reverse", "--topo-order", "--no-merges", span)
    return listed.split() or [pick.commit]


def _with_line(header: Header, line: str) -> Header:
    separator = "\n" if header.trailers else "\n\n"
    _, body = clean_message(f"{header.message.rstrip()}{separator}{line}\n")
    return replace(header, body=body)


def _link(pick: Pick, upstream: str) -> str:
    """Return the address of a pull's page, or its number where no page can be named."""
    project = (pick.url or upstream).removesuffix("/").removesuffix(".git")
    if not project.startswith("https://"):
        return f"#{pick.pull}"
    # GitLab's own form; all that is not known is taken for a forge of GitHub's form
    kind = "-/merge_requests" if "gitlab" in project.partition("://")[2].split("/")[0] else "pull"
    return f"{project}/{kind}/{pick.pull}"

"""Where a pull request parts from its upstream: what its change begins at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.errors import UsageError
from tensorflow_macos_build.git import revisions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.repository import Git

_BRANCHES = ("--branches", "--remotes")
_NAMES = ("refs/heads", "refs/remotes")
_HINT = "state with --base COMMIT where its change begins"


def find(git: Git, head: str, what: str) -> str:
    """Return the full id of the commit at which the change of a pull request begins.

    Of an open request that is the newest commit of upstream's branches in its history. One that a
    merge commit brought in began where that merge's sides meet.

    Args:
        git: a repository that has upstream's branches.
        head: the request's head.
        what: what errors call the request.

    Raises:
        UsageError: history does not say where it begins.
    """
    holders = git.line("for-each-ref", f"--contains={head}", "--format=%(refname)", *_NAMES).split()
    if holders:
        return _before_merge(git, head, holders, what)
    listed = git.line("rev-list", "--boundary", head, "--not", *_BRANCHES).split()
    boundary = [line[1:] for line in listed if line.startswith("-")]
    # where upstream was merged into it later, all but the newest are in the history of another
    newest = git.line("merge-base", "--independent", *boundary).split() if boundary else []
    if len(newest) == 1:
        return newest[0]
    reason = (
        "it has merged several branches of upstream, of which none has the others"
        if newest
        else "its history has no commit of upstream's branches"
    )
    raise UsageError(reason, where=what, hint=_HINT)


def _before_merge(git: Git, head: str, holders: Sequence[str], what: str) -> str:
    for branch in holders:
        merge = _merge_of(git, head, branch)
        before = revisions.find_commit(git, f"{merge}^1") if merge else None
        base = git.run("merge-base", before or head, head, expected=(0, 1)).stdout.decode().strip()
        if base and base != head:
            return base
    raise UsageError(
        "it is in upstream's branch itself, which does not show where it began",
        where=what,
        hint=_HINT,
    )


def _merge_of(git: Git, head: str, branch: str) -> str:
    """Return the first commit on a branch's line that has a commit in its history; "" for none."""
    span = f"{head}..{branch}"
    line = git.line("rev-list", "--first-parent", span).split()
    # one walk for all: asked one by one, each would walk TensorFlow's 120,000 commits
    having = {*git.line("rev-list", "--ancestry-path", span).split()}
    return next((commit for commit in reversed(line) if commit in having), "")

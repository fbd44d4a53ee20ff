"""From names to full ids: gitrevisions(7), asked of `git rev-parse`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tensorflow_macos_build.git.repository import Git

_NO_SUCH = (1, 128)
"""With --quiet, git-rev-parse(1) ends with 1 where a name is unknown, but still dies (128) where
what it names cannot be peeled to the asked kind, or is not in the repository."""


def find(git: Git, name: str) -> str | None:
    """Return the full id of the object that a reference or an expression names; None: of none.

    A full id comes back as it is, whether the repository has that object or not.
    """
    # a name that begins with a dash is no option
    flags = ("--verify", "--quiet", "--end-of-options")
    answer = git.run("rev-parse", *flags, name, expected=(0, *_NO_SUCH))
    return answer.stdout.decode("ascii").strip() if answer.status == 0 else None


def find_commit(git: Git, name: str) -> str | None:
    """Return the full id of the commit that a name stands for, tags followed; None: of none."""
    return find(git, f"{name}^{{commit}}")


def is_ancestor(git: Git, commit: str, of: str) -> bool:
    """Whether a commit is another one, or in its history."""
    answer = git.run("merge-base", "--is-ancestor", commit, of, expected=(0, 1))
    return answer.status == 0

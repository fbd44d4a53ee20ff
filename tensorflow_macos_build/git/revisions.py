"""Names, and the full ids that they stand for (gitrevisions(7))."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

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


def find_commits(git: Git, names: Sequence[str]) -> list[str | None]:
    """Return for each name what `find_commit` does; one process for all."""
    stdin = "".join(f"{name}^{{commit}}\n" for name in names).encode()
    answers = git.out("cat-file", "--batch-check=%(objectname)", stdin=stdin).decode()
    # of none, or of several, git repeats the name, and says so behind a blank
    return [None if " " in answer else answer for answer in answers.splitlines()]


def is_ancestor(git: Git, commit: str, of: str) -> bool:
    """Whether a commit is another one, or in its history."""
    # 1 is the answer no; an error is any other status (git-merge-base(1)).
    answer = git.run("merge-base", "--is-ancestor", commit, of, expected=(0, 1))
    return answer.status == 0


def ancestors(git: Git, commits: Sequence[str], of: str) -> set[str]:
    """Return those of some commits that are another one, or in its history; one walk for all."""
    stdin = "".join(f"{commit}\n" for commit in (*commits, f"^{of}")).encode()
    return set(commits).difference(git.line("rev-list", "--stdin", stdin=stdin).split())


def references(git: Git, *spaces: str) -> dict[str, str]:
    """Return the references below some spaces (`refs/heads`), and the ids that they hold.

    The id of an annotated tag is the tag's own.
    """
    # a name holds neither blanks nor line feeds (git-check-ref-format(1)), but any other byte
    listed = git.line("for-each-ref", "--format=%(refname) %(objectname)", *spaces)
    return dict(line.split(" ") for line in listed.split("\n") if line)

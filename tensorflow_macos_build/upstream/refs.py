"""This package's own references in a mirror: moved from a known value to a new one, in one step.

All that writes references of a mirror holds the mirror's lock. So a lock file of git beside one is
what a killed git left, and is deleted; elsewhere it would keep everybody out for ever.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from tensorflow_macos_build import locks, process
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import revisions
from tensorflow_macos_build.upstream.handle import Mirror

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tensorflow_macos_build.git.repository import Git

SPACE = "refs/tensorflow_macos_build"

_ABSENT = "0" * 40
"""As an old value, it lets `update-ref` make a reference only where there is none."""


class Moved(WorkFailed):
    """A reference is not where the command that wants to move it saw it."""


def move(git: Git, name: str, new: str, old: str) -> None:
    """Let a reference name another object; "" stands for no reference.

    Raises:
        Moved: it does not name `old`.
    """
    update = [name, new, old or _ABSENT] if new else ["-d", name, old]
    with alone(git):
        try:
            # --no-deref: where somebody made a symbolic reference of it, what that names stays
            # where it is
            git.run("update-ref", "--no-deref", *update)
        except process.ProgramFailed as error:
            # git's status is the same for every failure, so the reference itself is looked at
            if (revisions.find(git, name) or "") == old:
                raise
            raise Moved(
                "another command changed the same thing meanwhile",
                where=name,
                hint="run the same command again",
                detail=error.detail,
            ) from None


@contextlib.contextmanager
def alone(git: Git) -> Iterator[None]:
    """Hold the lock of a mirror's references, without what killed gits left locked."""
    if not isinstance(git, Mirror):
        yield
        return
    with locks.held(git.folder / "lock"):
        for left in (git.git_dir / SPACE).rglob("*.lock"):
            left.unlink(missing_ok=True)
        (git.git_dir / "packed-refs.lock").unlink(missing_ok=True)
        yield

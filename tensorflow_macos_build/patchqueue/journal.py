"""What the last change of a queue was: so that a command repeated after a kill knows its own work.

It is one small file in the upstream's mirror, written before the queue is. A command that finds the
queue as its own earlier run left it has nothing to do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import files
from tensorflow_macos_build.patchqueue.queue import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.upstream.git import Git

_FOLDER = "tensorflow_macos_build"
_MAX_SIZE = 1 << 16


@dataclass(frozen=True)
class Change:
    """A change of a queue.

    Attributes:
        request: the task and its arguments, as they were asked for.
        before: the queue's digest that it began with.
        after: the digest that it wrote.
    """

    request: tuple[str, ...]
    before: str
    after: str


@dataclass(frozen=True)
class Journal:
    """Where the last change of a queue is kept."""

    path: Path

    @classmethod
    def of(cls, name: str, git: Git) -> Journal:
        """Return the journal of the queue called `name` in a mirror."""
        return cls(git.git_dir / _FOLDER / f"{encoded(name)}.json")

    def last(self) -> Change | None:
        """Read the last change; None: none is known."""
        try:
            with self.path.open("rb") as stream:
                record = json.loads(stream.read(_MAX_SIZE))
            return Change(tuple(record["request"]), record["before"], record["after"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, change: Change) -> None:
        """Keep a change as the last one."""
        body = {"request": change.request, "before": change.before, "after": change.after}
        files.write_text(self.path, json.dumps(body) + "\n")

    def led_to(self, digest: str) -> Change | None:
        """Return the last change where it is what made the queue as it is now (`digest`)."""
        last = self.last()
        return last if last is not None and last.after == digest else None

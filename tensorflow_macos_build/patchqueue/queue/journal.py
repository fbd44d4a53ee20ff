"""What the last change of a queue was: so that a command repeated after a kill knows its own work.

It is one small file in the upstream's mirror, written before the queue is. A command that finds the
queue as its own earlier run left it has nothing to do.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build import documents, files
from tensorflow_macos_build.errors import MacosBuildError
from tensorflow_macos_build.patchqueue.queue.model import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.git.repository import Git

_FOLDER = "tensorflow_macos_build"
_SCHEMA = "queue-change", 1
_MAX_SIZE = 1 << 16


@dataclass(frozen=True)
class QueueChange:
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
        # not in the queue's folder, which people commit and which is replaced as a whole
        return cls(git.git_dir / _FOLDER / f"{encoded(name)}.json")

    def last(self) -> QueueChange | None:
        """Read the last change; None: none is known."""
        try:
            content = files.read_small(self.path, _MAX_SIZE).decode("utf-8", "surrogateescape")
        except (OSError, MacosBuildError):
            return None  # then a command that is repeated counts as a new one; nothing else is lost
        return _change(content)

    def write(self, change: QueueChange) -> None:
        """Keep a change as the last one."""
        files.write_text(self.path, _text(change))

    def led_to(self, digest: str) -> QueueChange | None:
        """Return the last change where it is what made the queue as it is now (`digest`)."""
        last = self.last()
        return last if last is not None and last.after == digest else None

    def ends_with(self, request: tuple[str, ...], before: str, after: str) -> bool:
        """Whether the last change is this one, and changed something.

        Where nothing changed, it may be an earlier one of the same kind: the digests do not tell.
        """
        return before != after and self.last() == QueueChange(request, before, after)


def _text(change: QueueChange) -> str:
    body = {"request": [*change.request], "before": change.before, "after": change.after}
    return documents.dumps(documents.document(*_SCHEMA, body))


def _change(content: str) -> QueueChange | None:
    """Return the change that a text tells of; None where `_text` would not have written it."""
    # documents.read would import what checks schemas, which costs as much as a small change does
    try:
        match json.loads(content):
            case {"request": [*words], "before": str(before), "after": str(after)}:
                change = QueueChange(tuple(words), before, after)
            case _:
                return None
    except (ValueError, RecursionError):
        return None
    are_words = all(isinstance(word, str) for word in words)
    return change if are_words and _text(change) == content else None

"""A queue of patches as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.patchqueue.formats.patch import Patch


@dataclass(frozen=True, slots=True)
class Base:
    """What a queue applies to.

    Attributes:
        upstream: a URL or path of the upstream repository, or `embedded:`.
        ref: the upstream tag or branch that people know it by.
        commit: the full id of the commit that the ref named when the queue was made.
    """

    upstream: str
    ref: str
    commit: str


@dataclass(frozen=True, slots=True)
class QueuePatch:
    """One patch of a queue.

    Attributes:
        name: its file's name.
        content: the file's bytes.
        patch: what they say.
    """

    name: str
    content: bytes
    patch: Patch


@dataclass(frozen=True, slots=True)
class Queue:
    """A queue: patches in order, and the commit they apply to.

    Attributes:
        name: the folder's name.
        base: what the first patch applies to.
        patches: in the order of application.
        folder: where it was read from.
    """

    name: str
    base: Base
    patches: tuple[QueuePatch, ...]
    folder: Path

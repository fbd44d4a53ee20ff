"""`patches.report`: two states of a queue, read and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.patchqueue.review import rangediff, snapshot

if TYPE_CHECKING:
    from tensorflow_macos_build.patchqueue.review.rangediff import PatchPair


@dataclass(frozen=True)
class QueueReport:
    """What became of every patch between two states of a queue.

    Attributes:
        old: the name of the state before.
        new: the name of the state after.
        pairs: the patches, as `rangediff.compare` pairs them.
    """

    old: str
    new: str
    pairs: tuple[PatchPair, ...]

    @property
    def title(self) -> str:
        """The report's heading."""
        return f"{self.old} → {self.new}"


def compare(old: str, new: str) -> QueueReport:
    """Compare two states of a queue, each named as `snapshot.entries` takes it.

    Raises:
        UsageError: there is no such queue or revision.
        Refused: a patch cannot be read.
    """
    pairs = rangediff.compare(snapshot.entries(old), snapshot.entries(new))
    return QueueReport(old, new, pairs)

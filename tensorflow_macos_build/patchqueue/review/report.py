"""`patches.report`: two states of a queue, read and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.audit import engine as auditing
from tensorflow_macos_build.patchqueue.audit.model import AuditResult
from tensorflow_macos_build.patchqueue.queue import commit_cache, locate, opening
from tensorflow_macos_build.patchqueue.review import rangediff, snapshot
from tensorflow_macos_build.patchqueue.verdict.history import UpstreamHistory

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.review.rangediff import PatchPair


_NOT_AUDITED = AuditResult(not_done="it was not asked for")


@dataclass(frozen=True)
class QueueReport:
    """What became of every patch between two states of a queue.

    Attributes:
        old: the name of the state before.
        new: the name of the state after.
        pairs: the patches, as `rangediff.compare` pairs them.
        audit: which names that the patches use upstream took away between the two bases.
    """

    old: str
    new: str
    pairs: tuple[PatchPair, ...]
    audit: AuditResult = _NOT_AUDITED

    @property
    def title(self) -> str:
        """The report's heading."""
        return f"{self.old} → {self.new}"


def compare(old: str, new: str) -> QueueReport:
    """Compare two states of a queue, each named as `snapshot.queue_of` takes it.

    Raises:
        UsageError: there is no such queue or revision.
        Refused: a patch cannot be read.
    """
    before, after = (snapshot.entries(snapshot.queue_of(name)) for name in (old, new))
    return QueueReport(old, new, rangediff.compare(before, after))


def audit(old: str, new: str, cache: Path, ticker: Ticker = silent) -> AuditResult:
    """Return which names that the newer state's patches use went between the bases of the two.

    Args:
        old: the state before, as for `compare`.
        new: the state after, which is a folder.
        cache: the folder that holds the mirrors of upstream repositories.
        ticker: told what is fetched and read.

    Raises:
        UsageError: there is no such queue, or its upstream lacks a base.
        transfer.Unreachable: the server could not be asked.
    """
    opened = opening.open(locate.queue_folder(new), cache, ticker)
    base = opened.mirror.resolve(snapshot.queue_of(old).base.commit, ticker)
    opened.prepare((), ticker)
    patches = commit_cache.of_queue(opened.queue, opened.mirror)
    with open_quarantine(opened.mirror) as quarantine:
        history = UpstreamHistory(quarantine.git, base, opened.base.commit, opened.base.upstream)
        tip = patches[-1].commit if patches else opened.base.commit
        tree = quarantine.tree(tip)
        return auditing.audit(quarantine, history, tree, patches, opened.folder, ticker=ticker)

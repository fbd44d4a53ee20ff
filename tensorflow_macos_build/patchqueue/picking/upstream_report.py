"""An upstream's releases and branches, and what they mean for a queue's picks and conditions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.patchqueue.picking import watch
from tensorflow_macos_build.patchqueue.queue import behind, conditions, storage
from tensorflow_macos_build.patchqueue.queue.conditions import UpstreamRevision

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.patchqueue.picking.watch import WatchedPick
    from tensorflow_macos_build.patchqueue.queue.behind import StatusRequest
    from tensorflow_macos_build.upstream.mirror import Mirror
    from tensorflow_macos_build.upstream.releases import UpstreamStatus


@dataclass(frozen=True)
class DueCondition:
    """A `Drop-When` condition that has come true.

    Attributes:
        name: the patch's file, or the pick's name.
        condition: the condition.
        ref: the first revision at which it holds: a tag, or a release branch.
    """

    name: str
    condition: str
    ref: str


@dataclass(frozen=True)
class UpstreamReport:
    """What upstream has, for a queue or without one.

    Attributes:
        status: its releases against the base.
        picks: the queue's picks, and what their servers have of them.
        due: the conditions of the queue that hold at one of the revisions after its base.
    """

    status: UpstreamStatus
    picks: tuple[WatchedPick, ...] = ()
    due: tuple[DueCondition, ...] = ()


def look(request: StatusRequest, ticker: Ticker = silent) -> UpstreamReport:
    """Compare an upstream with a base, and with what a queue waits for.

    Raises:
        UsageError: as for `behind.status`, or the queue's files are wrong.
        Refused: a patch file is damaged.
        transfer.Unreachable: a server could not be asked.
    """
    status, mirror = behind.status(request, ticker)
    if request.queue is None:
        return UpstreamReport(status)
    picks = watch.look(mirror, storage.load_head(request.queue)[1], ticker, lenient=True)
    return UpstreamReport(status, picks, _due(mirror, status, request.queue, ticker))


def _due(
    mirror: Mirror, status: UpstreamStatus, folder: Path, ticker: Ticker
) -> tuple[DueCondition, ...]:
    waiting = dict(_conditions(folder))
    due: list[DueCondition] = []
    for ref, commit in _revisions(status):
        ticker(0, None, f"deciding conditions at {ref}")
        true = conditions.true_at(UpstreamRevision(mirror, commit), waiting.items())
        # each once: what holds at a release holds at the next one, too
        due += [DueCondition(name, waiting.pop(name), ref) for name in true]
    return tuple(due)


def _revisions(status: UpstreamStatus) -> Iterator[tuple[str, str]]:
    for release in (*status.newer, *status.previews):
        yield release.tag, release.commit
    for branch in status.coming:
        yield branch.name, branch.commit


def _conditions(folder: Path) -> Iterator[tuple[str, str]]:
    queue = storage.load(folder)
    for pick in queue.picks:
        yield pick.name, pick.drop_when
    for patch in queue.patches:
        if text := patch.header.trailer("Drop-When"):
            yield patch.name, text

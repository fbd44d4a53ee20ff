"""How much of a patch is upstream already: its hunks by fate (`scripts/inv patches.hunks`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.git.merges import MergeInputs
from tensorflow_macos_build.git.quarantine import open_quarantine
from tensorflow_macos_build.patchqueue.proof import fates
from tensorflow_macos_build.patchqueue.queue import commit_cache, names, opening
from tensorflow_macos_build.patchqueue.queue.commit_range import resolve
from tensorflow_macos_build.patchqueue.rebase import engine
from tensorflow_macos_build.patchqueue.rebase.resolver import Decisions
from tensorflow_macos_build.patchqueue.replay import resolutions

if TYPE_CHECKING:
    from pathlib import Path

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.git.repository import Git
    from tensorflow_macos_build.patchqueue.proof.fates import FatedUnit
    from tensorflow_macos_build.patchqueue.queue.model import Queue
    from tensorflow_macos_build.patchqueue.verdict.status import PatchStatus


@dataclass(frozen=True)
class HunksRequest:
    """A patch whose hunks somebody wants to see.

    Attributes:
        folder: the queue's folder.
        patch: the patch, as `names.position` takes it.
        onto: the upstream revision.
        cache: the folder that holds the mirrors of upstream repositories.
    """

    folder: Path
    patch: str
    onto: str
    cache: Path


@dataclass(frozen=True)
class PatchHunks:
    """A patch's hunks by fate.

    Attributes:
        status: what a rebase says of the patch.
        onto: the full id of the revision's commit.
        units: the hunks, in order.
        is_pick: whether the queue takes it by reference.
    """

    status: PatchStatus
    onto: str
    units: tuple[FatedUnit, ...]
    is_pick: bool = False


def run(request: HunksRequest, ticker: Ticker = silent) -> PatchHunks:
    """Open a queue with its upstream, and return a patch's hunks by fate.

    Raises:
        UsageError: there is no such queue or patch, or upstream has no such revision.
        WorkFailed: a patch does not apply to its own base.
        transfer.Unreachable: the server could not be asked.
    """
    opened = opening.open(request.folder, request.cache, ticker)
    opened.prepare([request.onto], ticker)
    with open_quarantine(opened.mirror) as quarantine:
        return of_queue(
            quarantine, opened.queue, opened.mirror, request.patch, request.onto, ticker=ticker
        )


def of_queue(
    quarantine: Quarantine,
    queue: Queue,
    git: Git,
    patch: str,
    onto: str,
    *,
    ticker: Ticker = silent,
) -> PatchHunks:
    """Return a patch's hunks by fate, given the repository that has the queue's base.

    The patches before it are replayed as a rebase does it, recorded resolutions included.

    Raises:
        UsageError: there is no such patch or revision.
    """
    patches = commit_cache.of_queue(queue, git)
    at = names.position([known.name for known in patches], patch)
    commit = resolve(git, onto)
    history = engine.history_of(quarantine, queue.base, commit)
    result, replayed = engine.rebase_in(
        quarantine,
        queue.base,
        commit,
        patches[: at + 1],
        # Its own resolution would say how it was settled, and not what became of its parts.
        decisions=Decisions(
            tuple(r for r in resolutions.load(queue.folder) if r.patch != patches[at].name)
        ),
        history=history,
        write_trees=True,
    )
    before, own = replayed.steps[at - 1].after if at else replayed.onto, patches[at].commit
    merged = MergeInputs(quarantine.parent_tree(own), before, quarantine.tree(own))
    units = fates.of_patch(quarantine, history, merged, ticker)
    return PatchHunks(result.patches[at], commit, units, is_pick=at < len(queue.picks))

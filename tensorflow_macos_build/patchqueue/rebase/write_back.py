"""A rebased queue, written back on its new base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.git import trees
from tensorflow_macos_build.patchqueue.queue import (
    commit_cache,
    commit_range,
    compose,
    pick_order,
    storage,
)
from tensorflow_macos_build.patchqueue.queue.model import QueuePatch
from tensorflow_macos_build.patchqueue.rebase import remarks
from tensorflow_macos_build.patchqueue.replay import resolutions
from tensorflow_macos_build.patchqueue.replay.steps import StepOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueueBase
    from tensorflow_macos_build.patchqueue.queue.picks import Pick
    from tensorflow_macos_build.patchqueue.queue.storage import Saved
    from tensorflow_macos_build.patchqueue.replay.steps import Replay, ReplayStep


def save(
    quarantine: Quarantine,
    queue: Queue,
    base: QueueBase,
    replayed: Replay,
    *,
    more: Mapping[str, bytes] | None = None,
    announce: Callable[[str], object] | None = None,
) -> Saved:
    """Write a queue back after a replay with all its trees; patches without effect leave it.

    Args:
        quarantine: the quarantine of the replay.
        queue: the queue as it was.
        base: its new base.
        replayed: the replay.
        more: resolution files to put beside those that the queue has.
        announce: as for `storage.save`.

    Raises:
        UsageError: the queue on disk is another one by now; nothing is changed.
        remarks.NothingLeft: no patch is left to carry; nothing is changed.
        WorkFailed: what was written does not read back as the same queue; nothing is changed.
    """
    before = quarantine.tree(base.commit)
    steps = pick_order.settled(quarantine, _with_effect(quarantine, queue, before, replayed))
    if not steps:
        raise remarks.NothingLeft(queue.folder)
    # None leaves the folder of resolutions as it is.
    files = None if more is None else {**_resolution_files(queue), **more}
    saved = storage.save(
        queue.folder,
        base,
        steps,
        quarantine.git,
        resolutions=files,
        seen=queue.digest,  # an editor or `git checkout` may write it: those take no lock
        announce=announce,
    )
    # What is done with the queue next, a build or a change, applies no file to have its commits.
    commit_cache.keep(saved.queue, [step.after for step in steps], quarantine, quarantine.source)
    return saved


def _with_effect(
    quarantine: Quarantine, queue: Queue, before: str, replayed: Replay
) -> list[compose.PatchStep]:
    """Return what still changes something, on from the tree of the new base."""
    steps: list[compose.PatchStep] = []
    of_queue: list[Pick | QueuePatch] = [*queue.picks, *queue.patches]
    names = [name for step in replayed.steps for name in (f"{step.commit}^", step.commit)]
    sides = iter(trees.of_commits(quarantine.git, names))
    applied = zip(sides, sides, strict=True)
    for patch, step, of_file in zip(of_queue, replayed.steps, applied, strict=True):
        # A patch that is empty, landed or left out leaves the tree as it was before it.
        if step.after != before:
            steps.append(_step(quarantine, patch, step, before, of_file))
        before = step.after
    return steps


def _step(
    quarantine: Quarantine,
    patch: Pick | QueuePatch,
    step: ReplayStep,
    before: str,
    of_file: tuple[str, str],
) -> compose.PatchStep:
    if isinstance(patch, QueuePatch):
        return compose.PatchStep(patch.header, before, step.after, patch.name, of_file=of_file)
    header = commit_range.header_of(quarantine.objects.commit(step.commit))
    # What somebody made of its conflict is no change by reference any more, but a patch.
    pick = None if step.outcome is StepOutcome.RESOLVED else patch
    return compose.PatchStep(header, before, step.after, pick=pick)


def _resolution_files(queue: Queue) -> dict[str, bytes]:
    """Return the files of a queue's resolutions: `storage.save` keeps none that it is not given."""
    recorded = resolutions.load(queue.folder)
    return {resolution.file_name: resolutions.emit(resolution) for resolution in recorded}

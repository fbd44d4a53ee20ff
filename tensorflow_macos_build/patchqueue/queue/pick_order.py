"""Keeping picks before patches where one of them has become a patch."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tensorflow_macos_build.git import merges
from tensorflow_macos_build.patchqueue.queue import picked_change

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep


def settled(quarantine: Quarantine, steps: Sequence[PatchStep]) -> list[PatchStep]:
    """Return steps in which no pick stands behind a patch, and which make the same tree.

    Picks move before the patches. Where git cannot do that cleanly, or where it makes another
    tree, the picks behind the first patch become patches, too.
    """
    first = next((n for n, step in enumerate(steps) if step.pick is None), len(steps))
    if all(step.pick is None for step in steps[first:]):
        return list(steps)
    later = [step for step in steps[first:] if step.pick is not None]
    patches = [step for step in steps[first:] if step.pick is None]
    before = steps[first].before
    moved = _on(quarantine, before, [*later, *patches])
    if moved is None or moved[-1].after != steps[-1].after:
        return [*steps[:first], *(replace(step, pick=None) for step in steps[first:])]
    return [*steps[:first], *moved]


def _on(quarantine: Quarantine, current: str, steps: Sequence[PatchStep]) -> list[PatchStep] | None:
    """Return steps carried over onto a tree; None where one conflicts, or has no effect there."""
    made: list[PatchStep] = []
    for step in steps:
        merged = current
        if not step.is_waiting:
            result = merges.merge(quarantine, *_sides(quarantine, step, current))
            if not result.clean or result.tree == current:
                return None
            merged = result.tree
        made.append(replace(step, before=current, after=merged))
        current = merged
    return made


def _sides(quarantine: Quarantine, step: PatchStep, ours: str) -> tuple[str, str, str]:
    if step.pick is None:
        return step.before, ours, step.after
    # as it is made of the queue's files: from where it comes from, and not from where it was
    change = picked_change.read(quarantine, step.pick, "")
    return change.before, ours, change.after

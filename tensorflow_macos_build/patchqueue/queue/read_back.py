"""Proving that a queue, as it was read back from disk, says and does what was asked for (law 1).

A file that stayed was shown to turn its step's tree into the wanted one when it was decided that it
stays (`compose`), and it is the same bytes: that is all that has to be seen of it. The others are
applied as they were read from disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tensorflow_macos_build.console import silent
from tensorflow_macos_build.errors import WorkFailed
from tensorflow_macos_build.git import objects, trees
from tensorflow_macos_build.git.objects import decode_path, encode_path
from tensorflow_macos_build.git.overlay import Overlay
from tensorflow_macos_build.patchqueue.queue import compose, materialise
from tensorflow_macos_build.patchqueue.queue.patched_tree import PatchedTree

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tensorflow_macos_build.console import Ticker
    from tensorflow_macos_build.git.objects import TreeEntry
    from tensorflow_macos_build.git.quarantine import Quarantine
    from tensorflow_macos_build.patchqueue.queue.compose import PatchStep
    from tensorflow_macos_build.patchqueue.queue.model import Queue, QueuePatch


def verify(
    queue: Queue,
    steps: Sequence[PatchStep],
    stayed: Mapping[str, bytes],
    quarantine: Quarantine,
    ticker: Ticker = silent,
) -> None:
    """Check a queue that was read back.

    Args:
        queue: what is on disk.
        steps: what was asked for; each begins with the tree that the one before it makes.
        stayed: the content of each file that stayed as it was, by its name now.
        quarantine: sees all trees of the steps.
        ticker: told how many of the patches that have to be applied are.

    Raises:
        WorkFailed: it is not what was asked for.
        Refused: a patch does not apply.
    """
    picked = materialise.picked(materialise.pinned(queue), quarantine)
    waited_for = [step for step in compose.pinned(steps) if step.pick is not None]
    for commit, step in zip(picked, waited_for, strict=True):
        if commit.tree != step.after:
            raise _another(commit.patch.name, f"the tree {commit.tree}, not {step.after}")
    patches = list(zip(queue.patches, (s for s in steps if s.pick is None), strict=True))
    for patch, step in patches:
        if patch.header != step.header:
            raise WorkFailed(
                f"the message of `{step.header.subject}` would not survive in a patch file",
                where=patch.name,
            )
    new = [n for n, (patch, _) in enumerate(patches) if stayed.get(patch.name) != patch.content]
    if new:
        # the tree of the first is listed, and goes on from there
        _apply(patches[new[0] :], {patches[n][0].name for n in new}, quarantine, ticker)


def _apply(
    patches: Sequence[tuple[QueuePatch, PatchStep]],
    new: set[str],
    quarantine: Quarantine,
    ticker: Ticker,
) -> None:
    git = quarantine.git
    wanted = trees.between(git, [(step.before, step.after) for _, step in patches])
    with objects.reading(git) as reader:
        tree = PatchedTree(trees.files(git, patches[0][1].before), reader.blob)
        for number, ((patch, step), path_changes) in enumerate(zip(patches, wanted, strict=True)):
            ticker(number, len(patches), patch.name, unit="patches")
            changes = {encode_path(change.path): change.new for change in path_changes}
            if patch.name in new:
                _compare(patch, changes, tree)
                # where git shows none trees may differ: it shows a mode of 100600 as 100644
                if (made := _tree_with(changes, step.before, quarantine)) != step.after:
                    raise _another(patch.name, f"the tree {made}, not {step.after}")
            tree.update(changes)


def _compare(
    patch: QueuePatch, wanted: Mapping[bytes, TreeEntry | None], tree: PatchedTree
) -> None:
    made = compose.changed(tree, materialise.apply_patch(tree, patch))
    if made != wanted:
        differing = {path for path, _ in made.items() ^ wanted.items()}
        shown = decode_path(min(differing))
        raise _another(patch.name, f"something else of {shown} than what was asked for")


def _tree_with(changes: Mapping[bytes, TreeEntry | None], tree: str, quarantine: Quarantine) -> str:
    """Return the id of a tree with changes made to it."""
    changed = Overlay(quarantine.objects, tree)
    changed.change({decode_path(path): entry for path, entry in changes.items()})
    return changed.write(quarantine)


def _another(name: str, what: str) -> WorkFailed:
    return WorkFailed(
        f"its file would make {what}",
        where=name,
        hint="nothing was changed; `git fsck` finds trees that git would not write so; "
        "without one, this is a defect: please report it with the patch",
    )
